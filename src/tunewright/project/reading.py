"""Reading tunewright.yaml: every problem at once, each with file:line and a "did you mean"."""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunewright.core.errors import Problem, ProjectFileError, UserError
from tunewright.core.task import TaskSpec
from tunewright.data.recipe import graph
from tunewright.grade.names import default_graders, names_of
from tunewright.project.fields import field_names_at
from tunewright.project.file import GENERAL, TARGET, ProjectFile
from tunewright.project.written import Written, written

Sound = Callable[..., bool]
"""Whether nothing is wrong with the field at a place, nor with what it lies in, nor with what lies in it."""
_GIVE_A_SCHEMA = (
    "Give a JSON Schema: an object, in place or in a file that is named from the project's folder."
)


def read(path: Path, settings: Mapping[str, Any] | None = None) -> ProjectFile:
    """The project file at `path`, with `settings` ({"train.adapter.rank": 16}) laid over it and schemas read in.

    Raises ProjectFileError with every problem found.
    """
    return complete(written(path, settings))


def complete(page: Written, *, own_suites: bool = True) -> ProjectFile:
    """The project that a file describes, with the default suites and the schemas read in.

    Without `own_suites` there can be none, as of values from no file: a recipe that names them is left to say so itself.
    Raises ProjectFileError with every problem found: where a field is wrong, what hangs on others is looked at still.
    """
    try:
        file = ProjectFile.model_validate(page.values)
    except ValidationError as error:
        wrong = [page.way(e["loc"]) for e in error.errors()]

        def sound(*loc: int | str) -> bool:
            way = list(map(str, loc))
            return not any(way[: len(parts)] == parts[: len(way)] for parts in wrong)

        problems = [_problem(page, list(same)) for _, same in groupby(error.errors(), partial(_told, page))]
        problems += _check(deepcopy(page.values), page, sound)
        raise ProjectFileError(page.in_order(problems)) from None
    values = file.model_dump(by_alias=True, mode="json", exclude_unset=True)
    suites = values.setdefault("suites", {})
    suites.setdefault(TARGET, {"examples": "test"})
    suites.setdefault(GENERAL, {"examples": GENERAL})
    if not suites[TARGET].get("graders"):
        suites[TARGET]["graders"] = [
            grader.model_dump(mode="json", by_alias=True) for grader in default_graders(file.task)
        ]
    unnamed = list(_suites_named(values, page)) if own_suites else []
    if problems := [*_check(values, page, lambda *loc: True), *_recipe_problems(file, page), *unnamed]:
        raise ProjectFileError(page.in_order(problems))
    whole = ProjectFile.model_validate(values).with_laid_over(page.settings)
    if problems := _teacher_problems(whole, page):
        raise ProjectFileError(page.in_order(problems))
    return whole


def missing(page: Written) -> list[Problem]:
    """What a project file names that is not there: the base's folder, files of sources and suites.

    Whatever else is wrong with the file; what is on a hub is not asked for.
    """
    from tunewright.data.files import find_files
    from tunewright.data.rows import BadFile
    from tunewright.data.spec import SourceSpec
    from tunewright.evals.suites import no_file
    from tunewright.models.base import check_folder

    root, values = page.path.parent.resolve(), page.values
    problems: list[Problem] = []
    if isinstance(base := values.get("base"), str):
        try:
            check_folder(base, root)
        except UserError as error:
            problems.append(Problem(error.message, page.field("base"), error.fix))
    for name, source in _mappings(values.get("sources")):
        path = source.get("path")
        if isinstance(path, str) and not path.startswith("hub:") and not source.get("hub"):
            try:
                find_files(SourceSpec(path=path), root)
            except BadFile as bad:
                problems.append(Problem(bad.message, page.field("sources", name, "path"), bad.fix))
    for name, suite in _mappings(values.get("suites")):
        path = suite.get("examples")
        if isinstance(path, str) and path not in ("test", GENERAL) and not (root / path).is_file():
            problems.append(no_file(path, page.field("suites", name, "examples")))
    return problems


def _mappings(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items of a mapping that are mappings."""
    for name, item in value.items() if isinstance(value, Mapping) else ():
        if isinstance(item, Mapping):
            yield name, item


_ALONE = ("extra_forbidden", "missing", "union_tag_invalid", "union_tag_not_found", "value_error")
"""Kinds of error that have a sentence of their own."""


def _told(page: Written, error: Any) -> tuple[list[str], str]:
    """What is equal for errors that one sentence tells."""
    return page.way(error["loc"]), error["type"] if error["type"] in _ALONE else ""


def _problem(page: Written, errors: Sequence[Any]) -> Problem:
    """Pydantic's errors of one place as a sentence; there are several where one of several types is asked for."""
    error = errors[0]
    loc: tuple[int | str, ...] = error["loc"]
    dotted = page.place(loc)[0]
    where = page.where(*loc)
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = field_names_at(ProjectFile, loc[:-1])
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        fix = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
        return Problem(f"{dotted} is not a setting", where, fix)
    if kind == "missing":
        return Problem(f"{dotted} is missing", where, _example_of(dotted))
    if kind == "union_tag_invalid":
        return Problem(
            f"{dotted}: {context['tag']!r} is not known here", where, f"Known: {context['expected_tags']}."
        )
    if kind == "union_tag_not_found":
        return Problem(f"{dotted} does not say its {context['discriminator']}", where)
    if kind == "value_error":
        return Problem(f"{dotted}: {context['error']}", where)
    said = list(dict.fromkeys(map(_asked, errors)))
    either = " or ".join([said[0], *(each.removeprefix("should be ") for each in said[1:])])
    return Problem(f"{dotted} {either}{_given(error.get('input'))}", where)


def _asked(error: Any) -> str:
    """What should stand there, by one of pydantic's errors."""
    wanted = next((words for start, words in _WANTED.items() if error["type"].startswith(start)), None)
    return f"should be {wanted}" if wanted else _lower_first(error["msg"].removeprefix("Input "))


_WANTED = {
    "int_": "a whole number",
    "float_": "a number",
    "bool_": "true or false",
    "string_type": "text",
    "model_type": "a mapping of settings",
    "model_attributes_type": "a mapping of settings",
    "dict_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_pattern_mismatch": "letters, digits, dots and dashes that begin with a letter or digit",
}
"""What pydantic's kinds of error ask for, in our words."""


def _given(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", not a mapping"
    if isinstance(value, (list, tuple)):
        return ", not a list"
    return ", not nothing" if value is None else f", not {str(value)!r:.60}"


def _example_of(name: str) -> str | None:
    examples = {
        "name": "Write: name: my-project",
        "task": "Write: task: {system: What the model is to do.}",
        "sources": "Write: sources: {rows: {path: rows.csv}}",
    }
    return examples.get(name)


def _check(values: dict[str, Any], page: Written, sound: Sound) -> list[Problem]:
    """What one field cannot know of another, where the fields themselves are `sound`; schemas are read into `values`."""
    output = values["task"].get("output", {}) if sound("task", "output") else None
    suites = {name: suite for name, suite in _mappings(values.get("suites")) if sound("suites", name)}
    problems: list[Problem] = []
    for loc, holder in _schema_holders(output, suites):
        holder["schema"], found = _read_schema(holder["schema"], page.path.parent)
        if found:
            problems.append(Problem(found, page.where(*loc, "schema"), _GIVE_A_SCHEMA))
    problems += _general_problems(suites, page)
    if output is not None and output.get("type") != "json":
        problems += _text_problems(values, suites, page)
    if sound("gates", "min_scores") and sound("suites", TARGET):
        graders = suites.get(TARGET, {}).get("graders") or _default_graders(output)
        problems += _min_score_problems(values, graders, page)
    return problems


def _recipe_problems(file: ProjectFile, page: Written) -> list[Problem]:
    """What is wrong with the recipe as a graph."""
    from tunewright.data.synthetic.collapse import recursion, source_depths

    try:
        nodes = graph(file.recipe, file.sources)
        if deep := list(recursion(nodes, source_depths(file.sources), file.data.max_depth)):
            raise ProjectFileError(deep)
    except ProjectFileError as error:
        ways = [
            [int(step) if step.isdigit() else step for step in str(p.where).split(".")]
            for p in error.problems
        ]
        return [replace(p, where=page.where(*way)) for p, way in zip(error.problems, ways, strict=True)]
    return []


def _suites_named(values: dict[str, Any], page: Written) -> Iterator[Problem]:
    """Puts the suites' files in the place of the word in a recipe; the problems where there are none."""
    from tunewright.data.ops.decontaminate import SUITES, with_suites

    files = [
        one["examples"]
        for one in values["suites"].values()
        if one.get("examples", "test") not in ("test", GENERAL)
    ]
    for number, op in enumerate(values.get("recipe", ())):
        if op["op"] != "decontaminate" or SUITES not in op["against"]:
            continue
        op["against"] = with_suites(op["against"], files)
        if not op["against"]:
            yield Problem(
                "no suite has a file: the test part is drawn after the recipe, and kept apart by the split.",
                page.field("recipe", number, "against"),
                "Name files of evaluations, or give a suite one: suites: {mine: {examples: questions.jsonl}}.",
            )


def _teacher_problems(file: ProjectFile, page: Written) -> list[Problem]:
    """What is wrong with teachers, and with what operations name of them and of graders."""
    from tunewright.project.teachers import problems

    found = []
    for problem in problems(file, page.path.parent.resolve()):
        way = [int(step) if step.isdigit() else step for step in str(problem.where).split(".")]
        found.append(replace(problem, where=page.field(*way)))
    return found


def _schema_holders(output: Any, suites: Mapping[str, Any]) -> Iterator[tuple[tuple[int | str, ...], Any]]:
    """The mappings that have a schema, and their places."""
    if output and output.get("type") == "json":
        yield ("task", "output"), output
    for name, suite in suites.items():
        for number, grader in enumerate(suite.get("graders") or ()):
            if grader.get("schema") is not None:
                yield ("suites", name, "graders", number), grader


def _general_problems(suites: Mapping[str, Mapping[str, Any]], page: Written) -> list[Problem]:
    """The general suite is told by its name: no other has the built-in examples, and it has no others."""
    problems = []
    for name, suite in suites.items():
        built_in = suite.get("examples") == GENERAL
        where = page.where("suites", name, "examples")
        if built_in and name != GENERAL:
            message = f"suites.{name}: the built-in suite stands under no name but {GENERAL}, and is always measured"
            fix = "Give this suite other examples (test, or a chat JSONL file), or take it out."
            problems.append(Problem(message, where, fix))
        elif name == GENERAL and not built_in:
            message = f"suites.{GENERAL}: the name is kept for the built-in suite, which asks without the task's prompt"
            fix = f"Write examples: {GENERAL}, or give a suite of your own another name."
            problems.append(Problem(message, where, fix))
    return problems


def _text_problems(values: Mapping[str, Any], suites: Mapping[str, Any], page: Written) -> list[Problem]:
    """What only a task with a JSON output can have."""
    problems = []
    for name, suite in suites.items():
        for number, grader in enumerate(suite.get("graders") or ()):
            if grader["type"] == "json_schema" and grader.get("schema") is None:
                message = f"suites.{name}: json_schema needs a schema, and the task is text"
                where = page.where("suites", name, "graders", number)
                problems.append(Problem(message, where, "Give the grader a schema."))
    if dict(_mappings(values)).get("decoding", {}).get("constrained") is True:
        message = "decoding.constrained holds answers to a JSON Schema, and the task is text"
        fix = "Set it to false, or give the task a JSON output with a schema."
        problems.append(Problem(message, page.where("decoding", "constrained"), fix))
    return problems


def _default_graders(output: Mapping[str, Any] | None) -> list[Mapping[str, Any]] | None:
    """The graders of a target suite that names none; none where the task's output is not known."""
    if output is None:
        return None
    shape = {"type": "json", "schema": {}} if output.get("type") == "json" else {"type": "text"}
    task = TaskSpec.model_validate({"output": shape})
    return [grader.model_dump(mode="json", by_alias=True) for grader in default_graders(task)]


def _min_score_problems(
    values: Mapping[str, Any], graders: list[Mapping[str, Any]] | None, page: Written
) -> list[Problem]:
    """The names in gates.min_scores that are no grader of the target suite."""
    asked = dict(_mappings(values)).get("gates", {}).get("min_scores") or {}
    if graders is None:
        return []
    known = names_of(grader["type"] for grader in graders)
    problems = []
    for name in asked:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            fix = f"Did you mean {close[0]}?" if close else f"There is: {', '.join(known)}."
            where = page.where("gates", "min_scores", name)
            problems.append(Problem(f"gates.min_scores: the target suite has no grader {name}", where, fix))
    return problems


def _read_schema(value: Any, folder: Path) -> tuple[Any, str | None]:
    """A schema in place, or what the file holds that it names, and what is wrong with it, if anything is."""
    if isinstance(value, str):
        path = folder / value
        try:
            value = json.loads(path.read_bytes().decode("utf-8-sig"))
        except FileNotFoundError:
            return value, f"the schema file {path} does not exist"
        except IsADirectoryError:
            return value, f"the schema file {path} is a folder"
        except OSError as error:
            return value, f"the schema file {path} cannot be read: {error.strerror}"
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            return value, f"the schema file {path} is not JSON: {error}"
    return value, _schema_problem(value)


def _schema_problem(schema: Any) -> str | None:
    """Why a value is not a JSON Schema that can be used offline, or None."""
    from tunewright.grade.schema import SchemaCheck

    if not isinstance(schema, dict):
        return f"this is not a JSON Schema: it is a {type(schema).__name__}, not an object"
    try:
        SchemaCheck(schema)
    except UserError as error:
        place = "" if error.where == "schema" else f" (at {error.where})"
        return f"{error.message.removesuffix('.')}{place}"
    return None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
