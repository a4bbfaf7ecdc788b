"""Suites: examples with the graders that score replies to them, built from the project file's settings."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tunewright.core.errors import DataError, Problem, ProblemsError
from tunewright.core.example import Example, Origin
from tunewright.core.grading import Grader
from tunewright.core.message import Conversation
from tunewright.core.task import TaskSpec
from tunewright.data.convert import Reader, TableRows, Task, row_reader
from tunewright.data.forms.spec import FormSpec
from tunewright.data.names import did_you_mean, listed
from tunewright.data.rows import BadFile, BadRow, Reject, Row
from tunewright.data.sources import ROW_FORMATS, chat, format_of_ending, open_file
from tunewright.data.spec import SourceSpec
from tunewright.data.thinking import Thinking, Thoughts
from tunewright.evals.spec import SuiteSpec
from tunewright.evals.suite import Suite
from tunewright.grade.build import build_graders
from tunewright.grade.names import default_graders

_NAME_ROWS = (
    "Name test, or a file of chat rows, or of input and expected, as it is seen from the project's folder."
)


class SuiteError(DataError, ProblemsError):
    """A suite's file cannot be used; carries every problem found."""


def build_suite(name: str, spec: SuiteSpec, test: Sequence[Example], task: TaskSpec, root: Path) -> Suite:
    """The suite that `spec` describes: over `test`, the built-in general suite, or a JSONL file below `root`.

    Without graders, JSON tasks are scored by field_accuracy and json_schema, others by exact_match. Raises SuiteError for
    a schema or pattern that is none, a file with unusable rows, a suite without examples or with one twice, or slices by
    a field that none of its examples has.
    """
    if spec.examples == "general":
        from tunewright.evals.general import general, general_examples

        _check_slices(name, spec, general_examples())
        return general(name, spec)
    rows = _rows(name, spec, test, task, root)
    examples = askable(rows)
    if not examples:
        raise SuiteError([_empty(name, rows)])
    _check_slices(name, spec, examples)
    _check_repeats(name, examples[: spec.limit])
    graders = own_graders(name, spec, task)
    return Suite(
        name,
        tuple(examples[: spec.limit]),
        lambda example: graders,
        tuple(grader.name for grader in graders),
        spec.slices,
    )


def own_graders(name: str, spec: SuiteSpec, task: TaskSpec) -> list[Grader]:
    """The graders that `spec` names, or the task's own. Raises SuiteError with every schema or pattern that is none."""
    try:
        return build_graders(spec.graders or default_graders(task), task)
    except ProblemsError as error:
        problems = [replace(problem, where=f"suites.{name}.{problem.where}") for problem in error.problems]
        raise SuiteError(problems) from error


def asked(name: str, spec: SuiteSpec, test: Sequence[Example], task: TaskSpec, root: Path) -> list[Example]:
    """What a suite over `test` or a file asks, whatever else may be wrong with it. Raises SuiteError for the file."""
    return askable(_rows(name, spec, test, task, root))[: spec.limit]


def _rows(
    name: str, spec: SuiteSpec, test: Sequence[Example], task: TaskSpec, root: Path
) -> Sequence[Example]:
    if spec.examples == "test":
        return test
    return read_examples(root, spec.examples, task, f"suites.{name}.examples", spec.form, spec.thinking)


def askable(rows: Sequence[Example]) -> list[Example]:
    """The rows that a variant can be asked: a document asks nothing; rated bad, an answer is nothing to expect; and rows
    that differ in their rejected answers alone ask the same, so the first of them counts.
    """
    asked: set[Conversation] = set()
    found: list[Example] = []
    for example in rows:
        again = example.rejected is not None and example.messages in asked
        asked.add(example.messages)
        if example.desirable and not again and not example.is_document:
            found.append(example)
    return found


def _empty(name: str, rows: Sequence[Example]) -> Problem:
    """The problem of a suite none of whose `rows` can be asked."""
    where = f"suites.{name}"
    if not any(example.is_document for example in rows):
        why = f": all {len(rows)} rows are rated bad" if rows else ""
        return Problem(f"the suite has no examples{why}.", where=where)
    kinds = "documents" if all(example.is_document for example in rows) else "documents or rated bad"
    return Problem(
        f"the suite has no examples: all {len(rows)} rows are {kinds}, and nothing can be asked.",
        where=where,
        fix="Name a chat JSONL file of questions with their answers (examples: questions.jsonl).",
    )


def _check_slices(name: str, spec: SuiteSpec, examples: Sequence[Example]) -> None:
    """Refuse slices by a field that no example has: every example would fall into the slice of those that lack it."""
    fields = list(dict.fromkeys(field for example in examples for field in example.fields))
    problems = [
        Problem(
            f"no example of the suite has the field {field!r}; their fields are {listed(fields)}.",
            where=f"suites.{name}.slices",
            fix=did_you_mean(field, fields) or "Name a column of the rows (input and expected are none).",
        )
        for field in spec.slices
        if field not in fields
    ]
    if problems:
        raise SuiteError(problems)


def _check_repeats(name: str, examples: Sequence[Example]) -> None:
    """Refuse an example that stands twice: variants are compared example by example."""
    first: dict[str, Example] = {}
    problems = [
        Problem(
            f"the suite has {example.place} twice, {first[example.id].place} is the same.",
            where=f"suites.{name}",
            fix="Leave one of them out (the recipe's drop_duplicates does it for the test part).",
        )
        for example in examples
        if first.setdefault(example.id, example) is not example
    ]
    if problems:
        raise SuiteError(problems)


def read_examples(
    root: Path,
    name: str,
    task: TaskSpec,
    field: str,
    form: FormSpec | None = None,
    thinking: Thinking | None = None,
) -> list[Example]:
    """The rows of a file below `root`, which `field` of the project file names: chat rows, a table with the columns input
    and expected, or rows of a form. A file whose ending tells no table is read as chat rows. `thinking` is what becomes of
    thinking beside their answers.

    Raises SuiteError with every row that cannot be used.
    """
    path, spec = root / name, SourceSpec(path=name, form=form, thinking=thinking)
    examples: list[Example] = []
    problems: list[Problem] = []
    try:
        is_table = format_of_ending(path) in ROW_FORMATS
        table, kind = open_file(path, spec, root) if is_table else (chat.read(path, "utf-8"), "chat")
        with closing(table.rows):
            reader = row_reader(spec, Task(task), kind, table.sparse)
            if table.columns and isinstance(reader, TableRows):
                _check_columns(reader, table.columns)
            for row in table.rows:
                result = _example(row, reader, name, Thoughts(thinking))
                if isinstance(result, Example):
                    examples.append(result)
                else:
                    problems.append(result)
    except BadFile as bad:
        problems.append(Problem(bad.message, where=f"{name}:{bad.line}" if bad.line else name, fix=bad.fix))
    except (FileNotFoundError, NotADirectoryError):
        problems.append(no_file(name, field))
    except OSError as error:
        message = f"the suite's file {name} cannot be read: {error.strerror}"
        problems.append(Problem(message, where=field, fix=_NAME_ROWS))
    if problems:
        raise SuiteError(problems)
    return examples


def _check_columns(reader: TableRows, columns: tuple[str, ...]) -> None:
    try:
        reader.check_columns(columns)
    except BadFile as bad:  # a suite maps none
        said = bad.message.partition(" for ")[0]
        fix = "Call them input and expected, or say of which form the rows are (form: alpaca, …)."
        raise BadFile(f"{said}; the columns are {listed(columns)}.", fix=fix) from None


def no_file(name: str, field: str) -> Problem:
    """The problem of a suite's file that is not there; `field` of the project file names it."""
    return Problem(f"there is no file {name!r}", where=field, fix=_NAME_ROWS)


def _example(row: Row | Reject, reader: Reader, name: str, thoughts: Thoughts) -> Example | Problem:
    where = f"{name}:{row.number}"
    if isinstance(row, Reject):
        return Problem(row.reason, where=where)
    try:
        return reader.example(row.values, Origin(source="suite", file=name, row=row.number), thoughts)
    except BadRow as bad:
        return Problem(str(bad), where=where)
