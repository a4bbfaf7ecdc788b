"""Reading tunewright.yaml: every problem at once, each with file:line and a "did you mean"."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunewright.core.errors import Problem, ProjectFileError, UserError
from tunewright.grade.names import default_graders, grader_names
from tunewright.project.fields import field_names_at
from tunewright.project.file import GENERAL, TARGET, ProjectFile

LARGEST = 1_000_000
"""Bytes a project file may have."""


def read(path: Path, settings: Mapping[str, Any] | None = None) -> ProjectFile:
    """The project file at `path`, with `settings` ({"train.adapter.rank": 16}) laid over it and schemas read in.

    Raises ProjectFileError with every problem found.
    """
    raw = _parse(path, _text(path))
    data = _plain(raw)
    for name, value in (settings or {}).items():
        _lay_over(data, name, value)
    try:
        file = ProjectFile.model_validate(data)
    except ValidationError as error:
        in_file_order = sorted(error.errors(), key=lambda e: _place(raw, e["loc"])[1] or 0)
        raise ProjectFileError([_problem(path, raw, e, settings or {}) for e in in_file_order]) from None
    return _complete(file, path, raw)


def parse_setting(text: str) -> tuple[str, Any]:
    """`train.adapter.rank=16` as a name and a YAML value; a value that begins with a template is text.

    Raises ProjectFileError where it has no `=`, or its value is not YAML.
    """
    from ruamel.yaml.error import YAMLError

    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise ProjectFileError([Problem(f"{text!r} is not a setting", "--set", "Write it as name=value.")])
    if value.lstrip().startswith("{{"):
        return name, value
    try:
        return name, _plain(_yaml().load(StringIO(value)))
    except (YAMLError, ValueError):
        fix = "Put text with signs in it between quotes."
        raise ProjectFileError([Problem(f"the value {value!r} is not YAML", f"--set {name}", fix)]) from None


def _text(path: Path) -> str:
    if not path.is_file():
        raise ProjectFileError(
            [
                Problem(
                    "there is no project file", str(path), "Make one with `tunewright init NAME --data FILE`."
                )
            ]
        )
    data = path.read_bytes()
    if len(data) > LARGEST:
        raise ProjectFileError([Problem(f"the project file is larger than {LARGEST:,} bytes", str(path))])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProjectFileError(
            [Problem("the file is not UTF-8", f"{path}:{line}", "Save it as UTF-8.")]
        ) from None


def _yaml() -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="rt", pure=True)


def _parse(path: Path, text: str) -> Any:
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        raw = _yaml().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        what = (error.problem or error.context or "it cannot be parsed").split("\n")[0]
        raise ProjectFileError([Problem(f"this is not valid YAML: {what}", f"{path}{line}")]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        what = str(error).split("\n")[0]
        raise ProjectFileError([Problem(f"this is not valid YAML: {what}", str(path))]) from None
    if not isinstance(raw, dict):
        kind = "empty" if raw is None else "a list, not a mapping" if isinstance(raw, list) else "no mapping"
        raise ProjectFileError(
            [Problem(f"the project file is {kind}", str(path), "It needs at least name, task and sources.")]
        )
    return raw


def _plain(value: Any) -> Any:
    """The YAML reader's value as plain dicts, lists and scalars."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else str(value)  # dates, tagged values: as they are written


def _lay_over(data: dict[str, Any], name: str, value: Any) -> None:
    """Set one dotted name; a missing mapping on the way is made, an index reaches into a list."""
    *way, last = name.split(".")
    node: Any = data
    for part in way:
        if isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, dict):
            node = node.setdefault(part, {})
        else:
            raise ProjectFileError([Problem(f"{name}: {part!r} has no fields to set", "--set")])
    if isinstance(node, list) and last.isdigit() and int(last) < len(node):
        node[int(last)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise ProjectFileError([Problem(f"{name}: {last!r} cannot be set there", "--set")])


def _problem(path: Path, raw: Any, error: Any, settings: Mapping[str, Any]) -> Problem:
    """One pydantic error as a sentence with its place."""
    loc: tuple[int | str, ...] = error["loc"]
    dotted, line = _place(raw, loc)
    plain = ".".join(str(part) for part in loc)
    from_setting = next((name for name in settings if f"{plain}.".startswith(f"{name}.")), None)
    if from_setting:
        dotted = plain
    where = f"--set {from_setting}" if from_setting else f"{path}:{line}" if line else str(path)
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
    wanted = next((words for start, words in _WANTED.items() if kind.startswith(start)), None)
    said = f"should be {wanted}" if wanted else _lower_first(error["msg"].removeprefix("Input "))
    return Problem(f"{dotted} {said}{_given(error.get('input'))}", where)


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


def _place(raw: Any, loc: Sequence[int | str]) -> tuple[str, int | None]:
    """The dotted name of an error's place and its line. Parts of `loc` that name a union's branch are passed over."""
    names: list[str] = []
    line: int | None = None
    node = raw
    for index, part in enumerate(loc):
        if isinstance(node, Mapping) and part in node:
            line = node.lc.key(part)[0] + 1 if hasattr(node, "lc") else line
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1 if hasattr(node, "lc") else line
            node = node[part]
        elif index < len(loc) - 1:
            continue
        names.append(str(part))
    return ".".join(names), line


def _complete(file: ProjectFile, path: Path, raw: Any) -> ProjectFile:
    """Check what one field cannot know of another, add the default suites, and read schemas in."""
    problems: list[Problem] = []

    def at(*loc: int | str) -> str:
        line = _place(raw, loc)[1]
        return f"{path}:{line}" if line else str(path)

    def read_schema(value: Any, place: str) -> Any:
        if not isinstance(value, str):
            found: Any = value
        else:
            found = _read_schema_file(path.parent / value, place, problems)
        if found is not None:
            problem = _schema_problem(found)
            if problem:
                problems.append(Problem(problem, place))
        return found

    data = file.model_dump(by_alias=True, mode="json", exclude_unset=True)
    output = data.get("task", {}).get("output", {})
    if output.get("type") == "json":
        output["schema"] = read_schema(output["schema"], at("task", "output", "schema"))
    suites = data.setdefault("suites", {})
    suites.setdefault(TARGET, {"examples": "test"})
    suites.setdefault(GENERAL, {"examples": GENERAL})
    problems += _general_problems(suites, at)
    for name, suite in suites.items():
        for i, grader in enumerate(suite.get("graders", [])):
            if grader.get("schema") is not None:
                grader["schema"] = read_schema(grader["schema"], at("suites", name, "graders", i, "schema"))
            elif grader["type"] == "json_schema" and output.get("type") != "json":
                where = at("suites", name, "graders", i)
                problems.append(
                    Problem(
                        "json_schema needs a schema, and the task is text", where, "Give the grader a schema."
                    )
                )
    if data.get("decoding", {}).get("constrained") and output.get("type") != "json":
        message = "decoding.constrained holds answers to a JSON Schema, and the task is text"
        fix = "Set it to false, or give the task a JSON output with a schema."
        problems.append(Problem(message, at("decoding", "constrained"), fix))
    if not suites[TARGET].get("graders"):
        suites[TARGET]["graders"] = [
            grader.model_dump(mode="json", by_alias=True) for grader in default_graders(file.task)
        ]
    if problems:
        raise ProjectFileError(problems)
    complete = ProjectFile.model_validate(data)
    _check_min_scores(complete, at("gates", "min_scores"))
    return complete


def _general_problems(
    suites: Mapping[str, Mapping[str, Any]], at: Callable[[str, str, str], str]
) -> list[Problem]:
    """The general suite is told by its name: no other has the built-in examples, and it has no others."""
    problems = []
    for name, suite in suites.items():
        built_in = suite.get("examples") == GENERAL
        if built_in and name != GENERAL:
            message = f"suites.{name}: the built-in suite stands under no name but {GENERAL}, and is always measured"
            fix = "Give this suite other examples (test, or a chat JSONL file), or take it out."
            problems.append(Problem(message, at("suites", name, "examples"), fix))
        elif name == GENERAL and not built_in:
            message = f"suites.{GENERAL}: the name is kept for the built-in suite, which asks without the task's prompt"
            fix = f"Write examples: {GENERAL}, or give a suite of your own another name."
            problems.append(Problem(message, at("suites", name, "examples"), fix))
    return problems


def _check_min_scores(file: ProjectFile, where: str) -> None:
    known = grader_names(file.suites[TARGET].graders)
    problems = []
    for name in file.gates.min_scores:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            fix = f"Did you mean {close[0]}?" if close else f"There is: {', '.join(known)}."
            problems.append(Problem(f"gates.min_scores: the target suite has no grader {name}", where, fix))
    if problems:
        raise ProjectFileError(problems)


def _read_schema_file(path: Path, where: str, problems: list[Problem]) -> Any:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        problems.append(Problem(f"the schema file {path} does not exist", where))
    except IsADirectoryError:
        problems.append(Problem(f"the schema file {path} is a folder", where))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        problems.append(Problem(f"the schema file {path} is not JSON: {error}", where))
    return None


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
