"""Leaks: examples of a suite that ask what rows of train, or of dev, ask. Scores on them flatter the fine-tune.

The split keeps equal inputs together, so the test part has none; a suite from a file may have.
"""

from collections.abc import Sequence
from typing import Literal

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.data.inputs import input_keys
from tunewright.evals.suite import Suite

Part = Literal["train", "dev"]
_HARM: dict[Part, str] = {
    "train": "training rows ask, and scores on them flatter the fine-tune",
    "dev": "dev rows ask, by which checkpoint, worked examples and strength are chosen: scores on them flatter",
}


def leaks(suites: Sequence[Suite], rows: Sequence[Example], part: Part = "train") -> dict[str, Problem]:
    """Suite → its problem, for each suite that asks what a row of the part asks.

    System prompts, letter case, blanks and typography aside, as in the split.
    """
    again = {suite.name: _again(suite, rows) for suite in suites}
    return {suite.name: _problem(suite, again[suite.name], part) for suite in suites if again[suite.name]}


def _again(suite: Suite, rows: Sequence[Example]) -> list[tuple[Example, Example]]:
    """The suite's examples that ask what a row asks, each with the first such row."""
    keys = input_keys([*rows, *suite.examples])
    known: dict[str, Example] = {}
    for key, row in zip(keys, rows, strict=False):
        known.setdefault(key, row)
    own = zip(suite.examples, keys[len(rows) :], strict=True)
    return [(example, known[key]) for example, key in own if key in known]


def _problem(suite: Suite, again: list[tuple[Example, Example]], part: Part) -> Problem:
    example, row = again[0]
    total = len(suite.examples)
    return Problem(
        f"of its {total:,} examples, {len(again):,} ask what {_HARM[part]}. The first asks what {row.place} asks",
        where=f"suites.{suite.name}, {example.place}",
        fix="Take such rows out of the suite's file, or out of the sources.",
    )
