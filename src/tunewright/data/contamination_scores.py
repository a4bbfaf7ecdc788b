"""How much of a text stands in each of many others, by detectors that each miss what another finds.

- `same`: the words are the same, one for one. Misses any edit, and a text inside another.
- `passage`: the share of the text's runs of eight words that stand in the row. Finds long texts inside documents for
  certain; misses texts of fewer words, and every eighth word changed defeats it.
- `phrases`: the share of its runs of three words, the rare ones weighing more. Finds short texts inside documents and
  takes some edits; misses texts of two words, and three words in ten changed defeat it.
- `letters`: the cosine of runs of four letters, the rare ones weighing more (TF-IDF). Takes many edits, misspellings and
  inflections; misses a short text inside a long one.

The weight of a run is the logarithm of how rare it is among the rows (Spärck Jones 1972, "A statistical interpretation of
term specificity"). Of a row each turn is read for itself; those much longer than the texts looked for, in overlapping
windows. Memory is bounded by the texts looked for, not by the rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.data.contamination_turns import Said, turns_in
from tunewright.data.near_shingles import (
    Hashes,
    Places,
    Shingles,
    Words,
    letters_of,
    mixed,
    shingles_of,
    words_of,
)

Scored = Literal["passage", "phrases", "letters"]
Detector = Literal["same", "passage", "phrases", "letters", "meaning"]
"""The last one is data/contamination_meaning.py."""
SCORED: tuple[Scored, ...] = ("passage", "phrases", "letters")
PASSAGE, PHRASE, LETTERS = 8, 3, 4
"""Words in a passage, words in a phrase, letters in a run."""
COMMON = 0.1
"""A run that stands in more than this share of the rows weighs nothing, in sets of a thousand rows or more."""
CLOSEST = 5
"""Rows that each detector tells of a text, the closest."""
TOLD: dict[Scored, float] = {"passage": 0.2, "phrases": 0.3, "letters": 0.4}
"""The least scores that are told."""
_WINDOW_CHARS = 400
_SAMPLE = 20_000
_BLOCK_TEXTS, _BLOCK_CHARS = 2048, 1 << 19
_PROBES = 4096
_PENDING = 1 << 19
_STEP = np.uint64(0x9E3779B97F4A7C15)
_ID_BITS = np.uint64(40)
_TABLE = np.uint64((1 << 20) - 1)

Floats = npt.NDArray[np.float64]


class Best(NamedTuple):
    """For each probe its highest score in any row, and that row; row -1 where nothing is shared."""

    scores: Floats
    rows: Places


class Close(NamedTuple):
    """Rows that share enough with a probe: CLOSEST at most for each, by probe, the closest first."""

    probes: Places
    rows: Places
    scores: Floats


class Found(NamedTuple):
    """What the detectors say of each probe."""

    same: Places
    """The first row with the same words, or -1."""
    best: dict[Scored, Best]
    close: dict[Scored, Close]


class Passing(NamedTuple):
    """A row that holds a copy, or is near."""

    row: int
    probe: int
    detector: Detector
    score: float
    copied: bool


class _Read(NamedTuple):
    """Some texts, or windows of texts, with their runs."""

    rows: Places
    """The row that each was cut from."""
    same: Hashes
    """Equal for the same words; of a window it is of no use, see `whole`."""
    whole: npt.NDArray[np.bool_]
    runs: dict[Scored, tuple[Places, Hashes]]
    """(text, run) of each run, each once."""


class TrainedRows:
    """Rows to look into. Each look reads them all, in order."""

    def __init__(self, rows: Sequence[Said], longest: int) -> None:
        """`longest` is how many characters the longest probe has; the rows are sampled for how rare runs are."""
        self._rows = rows
        self._stride = max(longest, _WINDOW_CHARS)
        step = max(1, len(rows) // _SAMPLE)
        self._sampled = 0
        self._counts = {kind: np.zeros(int(_TABLE) + 1) for kind in SCORED}
        for read in self._reads(
            enumerate(rows) if step == 1 else ((at, rows[at]) for at in range(0, len(rows), step))
        ):
            self._sampled += len(read.rows)
            for kind, (_, runs) in read.runs.items():
                self._counts[kind] += np.bincount(_slots(runs), minlength=int(_TABLE) + 1)

    def best(self, probes: Sequence[str], own: Places | None = None) -> Found:
        """What the detectors find of each probe; there is one at least.

        With `own`, the row that each probe was taken from is left out, and so is every row with the same words.
        """
        found = []
        for start in range(0, len(probes), _PROBES):
            part = slice(start, start + _PROBES)
            found.append(self._best(probes[part], None if own is None else own[part], start))
        return Found(
            np.concatenate([group.same for group in found]),
            {
                kind: Best(*map(np.concatenate, zip(*(one.best[kind] for one in found), strict=True)))
                for kind in SCORED
            },
            {
                kind: Close(*map(np.concatenate, zip(*(one.close[kind] for one in found), strict=True)))
                for kind in SCORED
            },
        )

    def _best(self, probes: Sequence[str], own: Places | None, offset: int) -> Found:
        read = _read(probes, np.arange(len(probes)), np.ones(len(probes), bool))
        looks = {kind: _Look(kind, len(probes), *read.runs[kind], self._weights(kind)) for kind in SCORED}
        same = np.full(len(probes), -1)
        for block in self._reads(enumerate(self._rows)):
            first = _first_equal(read.same, block.same, block.whole)
            same = np.where((same < 0) & (first >= 0), block.rows[first], same)
            out = [] if own is None else _equal(own, block.rows) + _equal(read.same, block.same)
            for kind, look in looks.items():
                hits = look.shared(*block.runs[kind], len(block.rows))
                self._leave_out(hits, out)
                look.take(hits, block.rows)
        return Found(
            same,
            {kind: look.best() for kind, look in looks.items()},
            {kind: look.close(offset) for kind, look in looks.items()},
        )

    def passing(
        self, probes: Sequence[str], copied: Mapping[Scored, Floats], near: Mapping[Scored, float]
    ) -> Iterator[Passing]:
        """Every row that holds a probe's words or in which a probe's score reaches its `copied`, or `near`.

        With the closest probe, a copy before what is near. In the order of the rows; of a row of several turns or
        windows, once for each that does.
        """
        read = _read(probes, np.arange(len(probes)), np.ones(len(probes), bool))
        looks = {kind: _Look(kind, len(probes), *read.runs[kind], self._weights(kind)) for kind in SCORED}
        for block in self._reads(enumerate(self._rows)):
            best: dict[int, Passing] = {}
            for kind, look in looks.items():
                hits = look.shared(*block.runs[kind], len(block.rows))
                scores = _rounded(hits.data)
                copies = scores >= np.repeat(copied[kind], np.diff(hits.indptr))
                passing = np.flatnonzero(copies | (scores >= near[kind]))
                owner = np.searchsorted(hits.indptr, passing, "right") - 1
                texts, scores, copies = hits.indices[passing], scores[passing], copies[passing]
                order = np.lexsort((owner, -scores, ~copies, texts))
                for at in order[np.unique(texts[order], return_index=True)[1]].tolist():
                    text = int(texts[at])
                    row, probe = int(block.rows[text]), int(owner[at])
                    found = Passing(row, probe, kind, float(scores[at]), bool(copies[at]))
                    if text not in best or closeness(best[text]) < closeness(found):
                        best[text] = found
            first = _first_equal(block.same, read.same, np.ones(len(probes), bool))
            for text in np.flatnonzero((first >= 0) & block.whole).tolist():
                best[text] = Passing(int(block.rows[text]), int(first[text]), "same", 1.0, copied=True)
            yield from (best[text] for text in sorted(best))

    def _weights(self, kind: Scored) -> Floats:
        """The weight of each slot of the table."""
        if kind == "passage":
            return np.ones(len(self._counts[kind]))
        counts = self._counts[kind]
        weights = np.log((self._sampled + 1) / (np.minimum(counts, self._sampled) + 1)) + 1e-3
        if self._sampled >= 1000:
            weights[counts > COMMON * self._sampled] = 0
        return weights

    @staticmethod
    def _leave_out(hits: Any, pairs: list[tuple[int, int]]) -> None:
        for probe, text in pairs:
            inside = slice(hits.indptr[probe], hits.indptr[probe + 1])
            hits.data[inside][hits.indices[inside] == text] = 0

    def _reads(self, numbered: Iterable[tuple[int, Said]]) -> Iterator[_Read]:
        for texts, rows, whole in self._windows(numbered):
            yield _read(texts, np.array(rows), np.array(whole))

    def _windows(
        self, numbered: Iterable[tuple[int, Said]]
    ) -> Iterator[tuple[list[str], list[int], list[bool]]]:
        """Turns, long ones in windows of two strides: whatever is no longer than a stride stands whole in one of them."""
        texts: list[str] = []
        rows: list[int] = []
        whole: list[bool] = []
        chars = 0
        for row, text in ((row, text) for row, said in numbered for text in turns_in(said)):
            one = len(text) <= 2 * self._stride
            for start in [0] if one else range(0, len(text) - self._stride, self._stride):
                texts.append(text[start : start + 2 * self._stride])
                rows.append(row)
                whole.append(one)
                chars += len(texts[-1])
                if len(texts) == _BLOCK_TEXTS or chars >= _BLOCK_CHARS:
                    yield texts, rows, whole
                    texts, rows, whole, chars = [], [], [], 0
        if texts:
            yield texts, rows, whole


class _Look:
    """One detector on its way through the rows."""

    def __init__(self, kind: Scored, probes: int, texts: Places, runs: Hashes, weights: Floats) -> None:
        from scipy.sparse import csr_array

        self._cosine = kind == "letters"
        self._weights = weights**2 if self._cosine else weights
        weight = self._weights[_slots(runs)]
        total = np.bincount(texts, weight, probes)
        weight = np.divide(weight, np.maximum(np.sqrt(total) if self._cosine else total, 1e-9)[texts])
        texts, runs, weight = texts[weight > 0], runs[weight > 0], weight[weight > 0]
        self._known, columns = np.unique(runs, return_inverse=True)
        self._slots = np.zeros(int(_TABLE) + 1, bool)
        self._slots[_slots(self._known)] = True
        self._probes = csr_array(
            (weight.astype(np.float32), (texts, columns)), shape=(probes, len(self._known))
        )
        self._scores = np.zeros(probes)
        self._rows = np.full(probes, -1)
        self._bars = np.full(probes, np.nextafter(TOLD[kind], 0))
        self._close = Close(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        self._new: list[Close] = []

    def shared(self, texts: Places, runs: Hashes, count: int) -> Any:
        """The scores of all probes in these texts, as a sparse array. (probes, count)"""
        from scipy.sparse import csr_array

        scale = np.ones(count)
        if self._cosine:
            scale = 1 / np.sqrt(np.maximum(np.bincount(texts, self._weights[_slots(runs)], count), 1e-9))
        likely = self._slots[_slots(runs)]
        texts, runs = texts[likely], runs[likely]
        columns = np.searchsorted(self._known, runs)
        known = columns < len(self._known)
        known[known] = self._known[columns[known]] == runs[known]
        texts, columns = texts[known], columns[known]
        held = csr_array((scale[texts].astype(np.float32), (columns, texts)), shape=(len(self._known), count))
        return self._probes @ held

    def take(self, hits: Any, rows: Places) -> None:
        """Keep what is better than all before, and what is close."""
        counts = np.diff(hits.indptr)
        close = np.flatnonzero(hits.data > np.repeat(self._bars, counts))
        owner = np.searchsorted(hits.indptr, close, "right") - 1
        self._new.append(Close(owner, rows[hits.indices[close]], hits.data[close]))
        if sum(len(new.rows) for new in self._new) > _PENDING:
            self._sort_out()
        probes = np.flatnonzero(counts)
        if not len(probes):
            return
        best = np.maximum.reduceat(hits.data, hits.indptr[probes])
        equal = np.flatnonzero(hits.data == np.repeat(best, counts[probes]))
        owner = np.searchsorted(hits.indptr, equal, "right") - 1
        place = np.full(len(counts), len(rows))
        np.minimum.at(place, owner, hits.indices[equal])
        better = best > self._scores[probes]
        self._scores[probes[better]] = best[better]
        self._rows[probes[better]] = rows[place[probes[better]]]

    def _sort_out(self) -> None:
        """Of what is close keep the closest rows of each probe, each row once; only closer ones are taken from then on."""
        probes, rows, scores = map(np.concatenate, zip(self._close, *self._new, strict=True))
        self._new = []
        order = np.lexsort((-scores, rows, probes))
        probes, rows, scores = probes[order], rows[order], scores[order]
        other = np.ones(len(rows), bool)
        other[1:] = (probes[1:] != probes[:-1]) | (rows[1:] != rows[:-1])
        probes, rows, scores = probes[other], rows[other], scores[other]
        order = np.lexsort((rows, -scores, probes))
        probes, rows, scores = probes[order], rows[order], scores[order]
        rank = np.arange(len(probes)) - np.searchsorted(probes, probes, "left")
        self._close = Close(*(part[rank < CLOSEST] for part in (probes, rows, scores)))
        full = rank == CLOSEST - 1
        self._bars[probes[full]] = scores[full]

    def close(self, offset: int) -> Close:
        self._sort_out()
        return Close(self._close.probes + offset, self._close.rows, _rounded(self._close.scores))

    def best(self) -> Best:
        return Best(_rounded(self._scores), self._rows)


def closeness(found: Passing) -> tuple[bool, bool, float]:
    """What is nearer sorts higher: a copy before what means the same, and that before what shares phrases or letters."""
    return found.copied, found.detector == "meaning", found.score


def _read(texts: Sequence[str], rows: Places, whole: npt.NDArray[np.bool_]) -> _Read:
    words = words_of(texts)
    passages = shingles_of(words, PASSAGE)
    runs: dict[Scored, tuple[Places, Hashes]] = {
        "passage": _each_once(passages),
        "phrases": _each_once(shingles_of(words, PHRASE)),
        "letters": _each_once(letters_of(words.plain, LETTERS)),
    }
    return _Read(rows, _same(words, passages), whole, runs)


def _same(words: Words, passages: Shingles) -> Hashes:
    """One hash of all words of each text; of the text as it stands where it has none."""
    counts = np.diff(words.starts)
    within = np.arange(words.starts[-1]) - np.repeat(words.starts[:-1], counts)
    powers = np.multiply.accumulate(np.full(int(counts.max(initial=0)) + 1, _STEP, np.uint64))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(words.hashes * powers[within], dtype=np.uint64)))
    same = sums[words.starts[1:]] - sums[words.starts[:-1]]
    return np.where(counts, mixed(same), passages.hashes[passages.starts[:-1]])


def same_words(texts: Iterable[str]) -> Hashes:
    """A hash of each text's words, equal for those of which `same` says that they are. (n,)"""
    left = iter(texts)
    found = [np.zeros(0, np.uint64)]
    while block := list(islice(left, _BLOCK_TEXTS)):
        words = words_of(block)
        found.append(_same(words, shingles_of(words, PASSAGE)))
    return np.concatenate(found)


def _each_once(shingles: Shingles) -> tuple[Places, Hashes]:
    """(text, run), a run that a text repeats once; 40 bits of the hash name the run."""
    texts = np.repeat(np.arange(len(shingles.starts) - 1, dtype=np.uint64), np.diff(shingles.starts))
    both = np.sort(texts << _ID_BITS | shingles.hashes >> np.uint64(64 - 40))
    both = both[np.concatenate(([True], both[1:] != both[:-1]))[: len(both)]]
    return (both >> _ID_BITS).astype(np.int64), both & ((np.uint64(1) << _ID_BITS) - np.uint64(1))


def _rounded(scores: Floats) -> Floats:
    """Without what the order of sums leaves in the last digits, so that a whole is 1."""
    return np.minimum(np.round(np.asarray(scores, np.float64), 5), 1)


def _first_equal(probes: Hashes, texts: Hashes, eligible: npt.NDArray[np.bool_]) -> Places:
    """For each probe the place of the first eligible text with the same value, or -1."""
    places = np.flatnonzero(eligible)
    if not len(places):
        return np.full(len(probes), -1)
    values, first = np.unique(texts[places], return_index=True)
    at = np.minimum(np.searchsorted(values, probes), len(values) - 1)
    return np.where(values[at] == probes, places[first[at]], -1)


def _equal(probes: npt.NDArray[Any], texts: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """(place among the probes, place among the texts) of equal values, by text."""
    order = np.argsort(probes, kind="stable")
    begins, ends = (np.searchsorted(probes[order], texts, side) for side in ("left", "right"))
    return [
        (int(probe), text)
        for text in np.flatnonzero(begins < ends).tolist()
        for probe in order[begins[text] : ends[text]]
    ]


def _slots(runs: Hashes) -> Places:
    return (runs & _TABLE).astype(np.int64)
