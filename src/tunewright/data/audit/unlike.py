"""The rows most unlike the rest: those whose words hardly any other row has.

A row's score is the mean inverse document frequency of its words (Spärck Jones 1972), over all that it says. How many
rows have a word is counted in a table of fixed size by the word's hash, and of many rows evenly drawn ones are looked at,
so that memory does not grow with them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tunewright.core.example import Example
from tunewright.data.audit.seen import Hits, Oddity, Scope, shown
from tunewright.data.near_shingles import words_of

_TABLE = 1 << 21
"""Words that are told apart, and four bytes each."""
_FEWEST_WORDS = 6
"""A row of fewer words says too little to be unlike others. Our own choice: one rare name outweighs five words."""
_FEWEST_ROWS = 50
"""Rows below which no word is rare. Our own choice."""
_FAR = 4.0
"""Robust standard deviations above the others' scores. Our own choice, above the 3.5 of Iglewicz and Hoaglin (1993), because
a stray should stand out."""
LOOKED_AT = 20_000
"""Rows of a part that are looked at."""
_STRAYS = 0.02
"""The most rows that are told of, as a share. Our own choice, because more are a kind of their own."""
_LONGEST = 4000
"""Characters of a row that are looked at."""
_BLOCK = 1 << 18


class Unlike:
    """Gathers rows in blocks, and counts their words."""

    kinds: tuple[str, ...] = ("unlike_row",)

    def __init__(self, rows: Sequence[Example]) -> None:
        """The few rows that are told of are read again by place."""
        self._rows = rows
        self._every = max(1, -(-len(rows) // LOOKED_AT))
        self._number = self._looked = 0
        self._table = np.zeros(_TABLE, np.int32)
        self._words: list[npt.NDArray[np.uint32]] = []
        self._counts: list[npt.NDArray[np.int64]] = []
        self._block: list[str] = []
        self._chars = 0

    def see(self, row: Example) -> None:
        """Take a row in."""
        self._number += 1
        if (self._number - 1) % self._every:
            return
        self._looked += 1
        text = _text(row)
        self._block.append(text)
        self._chars += len(text)
        if self._chars >= _BLOCK:
            self._count()

    def _count(self) -> None:
        if not self._block:
            return
        words = words_of(self._block)
        cells = (words.hashes % np.uint64(_TABLE)).astype(np.int64)
        owner = np.repeat(np.arange(len(self._block)), np.diff(words.starts))
        once = np.unique(owner * _TABLE + cells)
        cells, owner = once % _TABLE, once // _TABLE
        np.add.at(self._table, cells, 1)
        self._words.append(cells.astype(np.uint32))
        self._counts.append(np.bincount(owner, minlength=len(self._block)))
        self._block, self._chars = [], 0

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """Rows that are far above the others."""
        self._count()
        if self._looked < _FEWEST_ROWS:
            return
        weight = np.log(self._looked / np.maximum(self._table, 1))
        together = zip(self._words, self._counts, strict=True)
        scores = np.concatenate([_means(weight[cells], counts) for cells, counts in together])
        told = np.isfinite(scores)
        if told.sum() < _FEWEST_ROWS:
            return
        middle = np.median(scores[told])
        spread = 1.4826 * np.median(np.abs(scores[told] - middle))
        # where many are far off, the rows are of two kinds rather than one kind and a few strays
        least = max(middle + _FAR * max(spread, 1e-9), np.quantile(scores[told], 1 - _STRAYS))
        far = np.flatnonzero(told & (scores > least))
        if len(far):
            furthest = (
                self._rows[at * self._every]
                for at in far[np.argsort(-scores[far], kind="stable")][:3].tolist()
            )
            hits = Hits()
            hits.count, hits.shown = len(far), [shown(row, _text(row)) for row in furthest]
            of = "" if self._every == 1 else f" (of {self._looked:,} looked at)"
            message = f"{scope.share(hits.count)}{of} have words that hardly any other row has: do they belong here?"
            yield Oddity("unlike_row", hits, message)


def _means(weights: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The mean weight of each row's words; none (NaN) for a row of few."""
    owner = np.repeat(np.arange(len(counts)), counts)
    sums = np.bincount(owner, weights, minlength=len(counts))
    return np.where(counts >= _FEWEST_WORDS, sums / np.maximum(counts, 1), np.nan)


def _text(row: Example) -> str:
    said = row.expected if row.is_document else f"{row.input_text}\n{row.expected}"
    return said[:_LONGEST]
