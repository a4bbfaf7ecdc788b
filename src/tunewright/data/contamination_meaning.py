"""Which rows mean what a text asks, in whatever words: the detector of contamination that goes by vectors.

    look = Meanings(rows, evals, stand_ins, own, embed)
    look.null                      # the closest row's cosine, of each stand-in: what the cuts are set by
    look.of_texts(cuts, 5)         # of each evaluation text the closest rows that reach its cut
    look.of_rows(cuts)             # every row that reaches a text's cut, with the closest text

Finds what is said in other words or in another order, as far as the vectors know: `words` learns from the texts at hand and
knows few synonyms, an encoder knows many. Misses a text inside a longer one, whose vector is that of the whole, and takes
texts that differ in a number or a name for one. So a row that it finds is a neighbour, never a copy by this alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.by_place import ByPlace
from tunewright.data.contamination_scores import same_words
from tunewright.data.near_shingles import Hashes

if TYPE_CHECKING:
    from tunewright.data.embedding_words import Vectors

MOST = 200_000
"""Rows whose vectors are held, at most."""
_ROWS, _PROBES = 4096, 2048
"""Cosines that are held at once: 32 MB."""
_ROUNDING = 1e-5
"""What rounding may take from the cosine of equal texts."""

Floats = npt.NDArray[np.float64]
Embed = Callable[[Sequence[str]], "Vectors"]
"""Texts (n) in, float32 (n, d) out, each of length 1 or 0."""


class Near(NamedTuple):
    """A row that is close enough to an evaluation text."""

    row: int
    eval: int
    score: float


class _Block(NamedTuple):
    """Some probes and some rows."""

    row: int
    """The place of its first row."""
    probe: int
    cosines: "Vectors"
    """(probes, rows)"""


class Meanings:
    """The rows, evaluation texts and stand-ins as vectors. Memory: 4 · d bytes for each."""

    def __init__(
        self,
        rows: Sequence[str],
        evals: Sequence[str],
        stand_ins: Sequence[str],
        own: npt.NDArray[np.int64],
        embed: Embed,
    ) -> None:
        """`own` is the row that each stand-in, a row or a passage of one, was taken from."""
        vectors = embed(_Together((rows, evals, stand_ins)))
        self._rows, self._evals, drawn = np.split(vectors, np.cumsum((len(rows), len(evals))))
        self.null = self._closest(drawn, own, same_words(stand_ins), same_words(rows))
        """Of each stand-in the highest cosine with any row, its own and those of the same words aside. (stand-ins,)"""

    def of_texts(self, cuts: Floats, most: int) -> Iterator[Near]:
        """Of each evaluation text the rows whose cosine reaches its cut, the closest `most`; by text."""
        scores = np.zeros((len(self._evals), most), np.float32)
        rows = np.full((len(self._evals), most), -1)
        for block in self._blocks(self._evals):
            part = slice(block.probe, block.probe + len(block.cosines))
            both = np.hstack((scores[part], _reaching(block.cosines, cuts[part])))
            places = np.arange(block.row, block.row + block.cosines.shape[1])
            which = np.hstack((rows[part], np.broadcast_to(places, block.cosines.shape)))
            best = np.argsort(-both, 1, kind="stable")[:, :most]
            scores[part], rows[part] = (np.take_along_axis(one, best, 1) for one in (both, which))
        for text, at in np.argwhere(scores > 0).tolist():
            yield Near(int(rows[text, at]), text, _rounded(scores[text, at]))

    def of_rows(self, cuts: Floats) -> Iterator[Near]:
        """Every row whose cosine with an evaluation text reaches that text's cut, with the closest text; by row."""
        scores, texts = np.zeros(len(self._rows), np.float32), np.zeros(len(self._rows), np.int64)
        for block in self._blocks(self._evals):
            reaching = _reaching(block.cosines, cuts[block.probe : block.probe + len(block.cosines)])
            part = slice(block.row, block.row + reaching.shape[1])
            first = reaching.argmax(0)
            top = reaching[first, np.arange(reaching.shape[1])]
            texts[part] = np.where(top > scores[part], block.probe + first, texts[part])
            scores[part] = np.maximum(top, scores[part])
        for row in np.flatnonzero(scores).tolist():
            yield Near(row, int(texts[row]), _rounded(scores[row]))

    def _closest(
        self, probes: "Vectors", own: npt.NDArray[np.int64], words: Hashes, of_rows: Hashes
    ) -> Floats:
        best = np.zeros(len(probes))
        for block in self._blocks(probes):
            cosines, part = block.cosines, slice(block.probe, block.probe + len(block.cosines))
            rows = np.arange(block.row, block.row + cosines.shape[1])
            cosines[(own[part, None] == rows) | (words[part, None] == of_rows[rows])] = 0
            best[part] = np.maximum(best[part], cosines.max(1, initial=0))
        return best

    def _blocks(self, probes: "Vectors") -> Iterator[_Block]:
        for row in range(0, len(self._rows), _ROWS):
            for probe in range(0, len(probes), _PROBES):
                one, other = probes[probe : probe + _PROBES], self._rows[row : row + _ROWS]
                yield _Block(row, probe, one @ other.T)


class _Together(ByPlace[str]):
    """Sequences of texts, one after the other."""

    def __init__(self, parts: Sequence[Sequence[str]]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[str]:
        for part in self._parts:
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def read(self, place: int) -> str:
        for part in self._parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise AssertionError("the place was looked at before")


def _reaching(cosines: "Vectors", cuts: Floats) -> "Vectors":
    """The cosines that reach their probe's cut, 0 in place of the others. (probes, rows)"""
    return np.where(cosines >= np.maximum(cuts - _ROUNDING, _ROUNDING)[:, None], cosines, np.float32(0))


def _rounded(score: np.float32) -> float:
    """Without what the order of sums leaves in the last digits."""
    return float(min(round(float(score), 5), 1))
