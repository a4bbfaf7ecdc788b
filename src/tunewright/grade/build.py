"""From settings to graders. A grader's file has its type's name and a `build(spec, task_schema) -> Grader`."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from tunewright.core.errors import Problem, ProblemsError, UserError
from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.grade.names import grader_names
from tunewright.grade.spec import GraderSpec


def build_grader(spec: GraderSpec, task: TaskSpec) -> Grader:
    """The grader that `spec` describes. Raises UserError for a schema or a pattern that is none."""
    module = import_module(f"tunewright.grade.{spec.type}")
    return cast(Grader, module.build(spec, _task_schema(task)))


def build_graders(specs: Sequence[GraderSpec], task: TaskSpec) -> list[Grader]:
    """The graders of a suite, in order, under the unique names that `grader_names` gives them.

    Raises ProblemsError with every schema and pattern that is none.
    """
    built: list[Grader] = []
    problems: list[Problem] = []
    for number, spec in enumerate(specs):
        try:
            built.append(build_grader(spec, task))
        except UserError as error:
            place = f"graders.{number}.{error.where}" if error.where else f"graders.{number}"
            problems.append(Problem(error.message, place, error.fix))
    if problems:
        raise ProblemsError(problems)
    names = grader_names(specs)
    return [
        grader if grader.name == name else Renamed(name, grader)
        for name, grader in zip(names, built, strict=True)
    ]


class Renamed:
    """A grader under another name."""

    def __init__(self, name: str, grader: Grader) -> None:
        self.name = name
        self._grader = grader

    def grade(self, example: Example, reply: str) -> Score:
        """What the grader beneath says."""
        return self._grader.grade(example, reply)


def _task_schema(task: TaskSpec) -> dict[str, Any] | str | None:
    return task.output.schema_ if isinstance(task.output, JsonOutput) else None
