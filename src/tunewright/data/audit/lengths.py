"""How long rows are: histograms, and the rows that are far longer than the others."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import add
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.data.audit.seen import Hits, Oddity, Scope, shown

EDGES = (0, 1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
"""Where the bars of a histogram begin."""
_FAR = 6.0
"""Robust standard deviations of the logarithm from which on a length is far off (Iglewicz and Hoaglin 1993 have 3.5 for
lengths that are spread evenly, which those of texts are not)."""
_TIMES = 4
"""How many times longer than what 95 of 100 rows have at most a row must be, too. Our own choice: where nearly all are of
one length, robust deviations are next to nothing."""
_FEWEST = 30
"""Rows below which no length is far off. Our own choice: 5 % of them are one row."""


class Histogram(BaseModel):
    """How many rows of a part are how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    what: Literal["input", "answer", "tokens"]
    """Characters of inputs or answers, or tokens of whole rows."""
    edges: tuple[int, ...]
    """Where each bar begins, and where the last ends: one more than bars. A bar ends before the next edge."""
    counts: tuple[int, ...]
    """Rows in each bar."""


def histogram(part: str, what: Literal["input", "answer", "tokens"], sizes: Sequence[int]) -> Histogram:
    """The histogram of some sizes, without empty bars at its ends."""
    counts = [0] * len(EDGES)
    for size in sizes:
        counts[bisect_right(EDGES, size) - 1] += 1
    used = [at for at, count in enumerate(counts) if count]
    first, last = (used[0], used[-1] + 1) if used else (0, 0)
    edges = (*EDGES, max([*sizes, EDGES[-1]], default=0) + 1) if last == len(EDGES) else EDGES
    shown = edges[first : last + 1] if used else ()
    return Histogram(part=part, what=what, edges=shown, counts=tuple(counts[first:last]))


class Lengths:
    """Measures each row, in characters."""

    kinds: tuple[str, ...] = ("long_row",)

    def __init__(self, rows: Sequence[Example]) -> None:
        """The rows are read again by place, for the few that are far longer than the others."""
        self._rows = rows
        self.inputs = array("q")
        self.answers = array("q")
        self._documents = True

    def see(self, row: Example) -> None:
        """Take a row in."""
        answer = len(row.expected)
        self._documents = self._documents and row.is_document
        self.inputs.append(answer if row.is_document else sum(message.chars for message in row.prompt))
        self.answers.append(answer)

    def histograms(self, part: str) -> list[Histogram]:
        """One of inputs (or documents), one of answers where there are some."""
        found = [histogram(part, "input", self.inputs)] if self.inputs else []
        return found if self._documents else [*found, histogram(part, "answer", self.answers)]

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """Inputs and answers that are far longer than the others of the part."""
        for what, sizes in (("input", self.inputs), ("answer", self.answers)):
            if what == "answer" and self._documents:
                continue
            most = _bound(sizes)
            far = [at for at, size in enumerate(sizes) if size > most] if most else []
            if not far:
                continue
            hits = Hits()
            hits.count = len(far)
            for at in sorted(far, key=lambda at: -sizes[at])[:3]:
                row = self._rows[at]
                hits.shown.append(shown(row, row.input_text if what == "input" else row.expected))
            message = (
                f"{scope.share(len(far))} have {'an input' if what == 'input' else 'an answer'} of more than {most:,}"
                f" characters; half have at most {median(sizes):,.0f}, the longest has {max(sizes):,}."
            )
            recipe = f"{{op: max_chars, chars: {self._longest_kept(sizes, most)}}}"
            yield Oddity("long_row", hits, message, recipe=recipe)

    def _longest_kept(self, sizes: Sequence[int], most: int) -> int:
        """Characters of the longest row, question and answer, that is not far longer than the others."""
        together = self.inputs if self._documents else map(add, self.inputs, self.answers)
        return max(whole for whole, size in zip(together, sizes, strict=True) if size <= most)


def _bound(sizes: Sequence[int]) -> int:
    """The length from which on a row is far longer than the others; 0 where there are too few to say."""
    if len(sizes) < _FEWEST:
        return 0
    logs = [math.log1p(size) for size in sizes]
    middle = median(logs)
    spread = 1.4826 * median(abs(log - middle) for log in logs)
    usual = sorted(sizes)[math.ceil(0.95 * len(sizes)) - 1]
    return max(int(math.exp(middle + _FAR * max(spread, 0.1))), _TIMES * usual)
