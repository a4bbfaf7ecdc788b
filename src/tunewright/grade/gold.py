"""The gold answers should score 1 before any model runs: a grader that fails them would fail everyone."""

from collections.abc import Callable, Iterable, Sequence

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.core.grading import Grader


def check_gold(
    examples: Iterable[Example], graders_for: Callable[[Example], Sequence[Grader]], suite: str
) -> list[Problem]:
    """One problem for each grader under which expected answers score below 1: how many, and where the first stands."""
    failed: dict[str, list[tuple[Example, str]]] = {}
    total = 0
    for example in examples:
        total += 1
        for grader in graders_for(example):
            score = grader.grade(example, example.expected)
            if score.value < 1:
                failed.setdefault(grader.name, []).append(
                    (example, score.detail or f"it scores {score.value:g}")
                )
    return [_problem(suite, grader, found, total) for grader, found in failed.items()]


def _problem(suite: str, grader: str, found: list[tuple[Example, str]], total: int) -> Problem:
    example, why = found[0]
    return Problem(
        f"of the {total} expected answers, {len(found)} score below 1 with {grader} themselves: no model can do better"
        f" there. The first: {why}",
        where=f"suites.{suite}, {example.place}",
        fix="Correct the answers or the grader's settings, or take the lower ceiling into account.",
    )
