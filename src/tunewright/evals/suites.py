"""Suites: examples with the graders that score replies to them, built from the project file's settings."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tunewright.core.errors import DataError, Problem, ProblemsError
from tunewright.core.example import Example, Origin
from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.data.convert import ChatRows, Task
from tunewright.data.rows import BadFile, BadRow, Reject, Row
from tunewright.data.sources import chat
from tunewright.evals.spec import SuiteSpec
from tunewright.evals.suite import Suite
from tunewright.grade.build import build_graders
from tunewright.grade.spec import ExactMatch, FieldAccuracy, GraderSpec, JsonSchema


class SuiteError(DataError, ProblemsError):
    """A suite's file cannot be used; carries every problem found."""


def build_suite(name: str, spec: SuiteSpec, test: Sequence[Example], task: TaskSpec, root: Path) -> Suite:
    """The suite that `spec` describes: over `test`, the built-in general suite, or a chat JSONL file below `root`.

    Without graders, JSON tasks are scored by field_accuracy and json_schema, others by exact_match. Raises UserError for
    a schema or pattern that is none, and SuiteError for a file with unusable rows or a suite without examples.
    """
    if spec.examples == "general":
        from tunewright.evals.general import general

        return general(name, spec)
    examples = list(test) if spec.examples == "test" else read_examples(root, spec.examples, task)
    if not examples:
        raise SuiteError([Problem("the suite has no examples.", where=f"suites.{name}")])
    graders = build_graders(spec.graders or default_graders(task), task)
    return Suite(
        name,
        tuple(examples[: spec.limit]),
        lambda example: graders,
        tuple(grader.name for grader in graders),
        spec.slices,
    )


def default_graders(task: TaskSpec) -> tuple[GraderSpec, ...]:
    """The graders of a suite that names none."""
    return (FieldAccuracy(), JsonSchema()) if isinstance(task.output, JsonOutput) else (ExactMatch(),)


def read_examples(root: Path, name: str, task: TaskSpec) -> list[Example]:
    """The rows of a chat JSONL file below `root`. Raises SuiteError with every row that cannot be used."""
    path = root / name
    reader = ChatRows(Task(task))
    examples: list[Example] = []
    problems: list[Problem] = []
    try:
        with closing(chat.read(path, "utf-8").rows) as rows:
            for row in rows:
                result = _example(row, reader, name)
                if isinstance(result, Example):
                    examples.append(result)
                else:
                    problems.append(result)
    except BadFile as bad:
        problems.append(Problem(bad.message, where=f"{name}:{bad.line}" if bad.line else name, fix=bad.fix))
    except OSError as error:
        problems.append(Problem(f"the suite's file cannot be read: {error.strerror}.", where=name))
    if problems:
        raise SuiteError(problems)
    return examples


def _example(row: Row | Reject, reader: ChatRows, name: str) -> Example | Problem:
    where = f"{name}:{row.number}"
    if isinstance(row, Reject):
        return Problem(row.reason, where=where)
    try:
        return reader.example(row.values, Origin(source="suite", file=name, row=row.number))
    except BadRow as bad:
        return Problem(str(bad), where=where)
