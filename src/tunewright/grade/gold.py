"""The gold answers must score 1 before any model runs: a grader that fails them would fail everyone."""

from collections.abc import Iterable, Sequence

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.core.grading import Grader


def check_gold(examples: Iterable[Example], graders: Sequence[Grader]) -> list[Problem]:
    """One problem for each (example, grader) whose own expected answer scores below 1."""
    return [
        problem
        for example in examples
        for grader in graders
        if (problem := _check(example, grader)) is not None
    ]


def _check(example: Example, grader: Grader) -> Problem | None:
    score = grader.grade(example, example.expected)
    if score.value >= 1:
        return None
    return Problem(
        f"the expected answer itself fails {grader.name}: {score.detail or f'it scores {score.value:g}'}.",
        where=f"{example.origin.file}:{example.origin.row}" if example.origin else f"example {example.id}",
        fix="Correct the answer, or the grader's settings.",
    )
