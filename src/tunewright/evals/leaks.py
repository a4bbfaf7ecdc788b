"""Leaks: examples of a suite that ask what rows of train, or of dev, ask. Scores on them flatter the fine-tune.

The split keeps equal inputs together, so the test part has none; a suite from a file may have. Near leaks are examples that
stand in a row edited, inside a longer text, or in another turn than the question.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.data.contamination_turns import SaidRows
from tunewright.data.examples import evenly
from tunewright.data.excerpt import excerpt
from tunewright.data.inputs import Asked, asked, input_keys
from tunewright.evals.suite import Suite

if TYPE_CHECKING:
    from tunewright.data.contamination import Hit

Part = Literal["train", "dev"]
_HARM: dict[Part, str] = {
    "train": "training rows ask, and scores on them flatter the fine-tune",
    "dev": "dev rows ask, by which checkpoint, worked examples and strength are chosen: scores on them flatter",
}

NEAR_VERSION = "2"
"""Raised when `near_leaks` says something else of the same examples and rows: its answers are kept."""
MOST_ROWS, MOST_EXAMPLES = 20_000, 500
"""Rows, and examples of a suite, that are compared at most, evenly drawn: a minute of CPU for rows of a page."""
_SHOWN = 3
"""Examples of a leak that are shown."""


@dataclass(frozen=True)
class Leak(Problem):
    """A suite's problem, and what it is told from."""

    count: int = 0
    """Examples of the suite that rows hold."""
    of: int = 0
    """Examples that were looked for."""
    pairs: tuple[tuple[str, str, str], ...] = ()
    """Up to three: the place of the example, the place of the row, what the example asks as an excerpt (data/excerpt.py)."""


def leaks(suites: Sequence[Suite], rows: Sequence[Example], part: Part = "train") -> dict[str, Leak]:
    """Suite → its problem, for each suite that asks what a row of the part asks.

    System prompts, letter case, blanks and typography aside, as in the split.
    """
    keys = asked(rows)
    found = ((suite, _again(suite, keys)) for suite in suites)
    return {suite.name: _problem(suite, again, rows, part) for suite, again in found if again}


def near_leaks(suites: Sequence[Suite], rows: Sequence[Example]) -> dict[str, Leak]:
    """Suite → a warning, for each suite that training rows nearly hold, in any of their turns.

    That is: more of its examples than chance makes, or some that stand in a row with all their words. Those of `leaks` are
    left out.
    """
    if not rows:
        return {}
    looked = evenly(rows, MOST_ROWS)
    said, keys = SaidRows(looked), asked(rows)
    found: dict[str, Leak] = {}
    for suite in suites:
        known = {example.id for example, _ in _again(suite, keys)}
        own = [example for example in evenly(suite.examples, MOST_EXAMPLES) if example.id not in known]
        if near := _near(own, said):
            found[suite.name] = _near_problem(suite, own, near, looked, len(rows))
    return found


def _near(examples: Sequence[Example], rows: SaidRows) -> "list[Hit]":
    """A hit for each example that is told, the closest first: where there are no more than chance makes, or too few rows
    to know, those that stand in a row with all their words.
    """
    from tunewright.data.contamination import beyond_chance, find_copies

    found = find_copies([example.input_text for example in examples], rows)
    told = [hit for hit in found.hits if hit.verdict == "copied"]
    if not found.stand_ins or not beyond_chance(len(found.copied), len(examples)):
        told = [hit for hit in told if hit.detector in ("same", "passage") and hit.score == 1]
    best: dict[int, Hit] = {}
    for hit in sorted(told, key=lambda hit: -hit.score):
        best.setdefault(hit.eval, hit)
    return list(best.values())


def _near_problem(
    suite: Suite, own: Sequence[Example], near: "list[Hit]", rows: Sequence[Example], of: int
) -> Leak:
    held = [(own[hit.eval], rows[hit.row]) for hit in near[:_SHOWN]]
    example, row = held[0]
    those = f"{len(rows):,} of the {of:,} training rows" if len(rows) < of else "training rows"
    return Leak(
        f"of {len(own):,} of its examples, {len(near):,} are nearly what {those} say, and scores on them may flatter."
        f" The closest is near {row.place}",
        where=f"suites.{suite.name}, {example.place}",
        fix="Drop such rows, - {op: decontaminate, against: [suites]}, or take them out of the suite.",
        count=len(near),
        of=len(own),
        pairs=_pairs(held),
    )


def _again(suite: Suite, rows: Asked) -> list[tuple[Example, int]]:
    """The suite's examples that ask what a row asks, each with the place of the first such row."""
    theirs, own = np.split(input_keys(rows, asked(suite.examples)), [len(rows.questions)])
    first: dict[bytes, int] = {}
    for place in np.flatnonzero(np.isin(theirs, own)).tolist():
        first.setdefault(bytes(theirs[place]), place)
    found = ((example, first.get(key)) for example, key in zip(suite.examples, own.tolist(), strict=True))
    return [(example, place) for example, place in found if place is not None]


def _problem(suite: Suite, again: list[tuple[Example, int]], rows: Sequence[Example], part: Part) -> Leak:
    held = [(example, rows[place]) for example, place in again[:_SHOWN]]
    example, row = held[0]
    total = len(suite.examples)
    return Leak(
        f"of its {total:,} examples, {len(again):,} ask what {_HARM[part]}. The first asks what {row.place} asks",
        where=f"suites.{suite.name}, {example.place}",
        fix="Take such rows out of the suite's file, or out of the sources.",
        count=len(again),
        of=total,
        pairs=_pairs(held),
    )


def _pairs(held: Iterable[tuple[Example, Example]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((example.place, row.place, excerpt(example.input_text)) for example, row in held)
