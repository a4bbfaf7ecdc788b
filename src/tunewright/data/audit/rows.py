"""Whether there are rows enough: to train a method on, and to measure what it learnt.

Thresholds that are known: OpenAI's fine-tuning refuses fewer than 10 rows and sees improvements from 50 to 100; OpenPipe
recommends at least 100; Vertex 100 to 500. Of preference pairs and ratings none is published; a row teaches less there
than one that shows the answer, so the larger number stands for them.
"""

from collections.abc import Iterator, Mapping
from math import sqrt

from tunewright.data.audit.seen import Hits, Oddity, Scope

LEAST = 10
"""Rows below which hosted services refuse to begin."""
ENOUGH: Mapping[str, int] = {"sft": 50, "dpo": 100, "orpo": 100, "kto": 100}
"""Method → rows from which on a fine-tune may beat a good prompt. For documents, letters count and not rows."""
FEWEST_TEST = 100
"""Test rows from which on a score is known to ten points."""


def row_oddities(scope: Scope, method: str | None, *, trained: bool, tested: bool) -> Iterator[Oddity]:
    """What is to be said of a part's number of rows; `method` is the one it is for, where one is known."""
    hits = Hits()
    hits.count = scope.rows
    enough = ENOUGH.get(method or "sft", 0)
    if trained and 0 < scope.rows < enough:
        refused = f"hosted services refuse fewer than {LEAST}, and " if scope.rows < LEAST else ""
        why = f"{refused}below {enough} a fine-tune seldom beats a good prompt with examples"
        of = f" by {method}" if method else ""
        yield Oddity("few_rows", hits, f"{scope.counted} few to train{of}: {why}.")
    if tested and 0 < scope.rows < FEWEST_TEST:
        # the normal interval of a share, at its widest
        points = 100 * 1.96 * 0.5 / sqrt(scope.rows)
        message = f"{scope.counted} few to measure on: a score is known to ±{points:.0f} points."
        yield Oddity("few_test_rows", hits, message)
