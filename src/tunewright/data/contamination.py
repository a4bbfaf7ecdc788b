"""Contamination: do evaluation texts stand in the training rows, as they are, edited, or inside a longer text?

    found = find_copies(evals, trained)
    found.copied, found.neighbours, found.said()
    found = find_copies(evals, trained, embed=embed)    # and what says the same in other words
    both = search(evals, SaidRows(rows))                # all turns of rows; both.rows names every row that is near

**Copied** is an evaluation text that a row holds word for word, or that is closer to a row than the rows are to each other:
so close that of clean texts of this kind only one in a hundred is. A **neighbour** shares half of its phrases or letters
with a row, which rows of one kind do by nature. Scores on copied texts flatter the fine-tune; neighbours say that the
evaluation asks what training taught, which may be what is wanted. With `embed` a row that is closer in meaning than the
rows are to each other is a neighbour, too (`contamination_meaning.py`): never a copy, unless its words prove it.

**The null.** How close is too close hangs on the data: short questions to a bank resemble each other, word problems do not.
So the closest row to each evaluation text is taken out of the rows in turn and looked for in the others, as if it were an
evaluation text (of a long row, a passage as long as the text). These stand-ins are of the evaluation's kind, whatever else
the rows hold; they meet the same rows, as many of them; and a leaked copy among them only tells how close its natural
neighbours are. Were the evaluation clean and of one source with the rows, its texts would score as the stand-ins do, or a
little lower, since rows that are somebody's closest stand where rows are dense: the thresholds err on the side of silence.
Thresholds are set for texts of a like number of words.

**Its holes.** Where more than a tenth of the closest rows stand in the rows twice (a text in several edits, pages
made of the other rows), they raise the threshold: drop near duplicates first. And where natural twins abound, a copy with a
word changed looks as they do and is reported as a neighbour: no threshold can tell the two apart. The rows are named all
the same, and `expected_neighbours` says how many neighbours a clean evaluation would have.
"""

import random
from array import array
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from tunewright.core.by_place import ByPlace
from tunewright.data.contamination_cuts import NEIGHBOUR, Cuts, Null, calibrated, expected_neighbours, fixed
from tunewright.data.contamination_meaning import Embed, Meanings, Near
from tunewright.data.contamination_scores import (
    CLOSEST,
    SCORED,
    Detector,
    Found,
    Passing,
    Scored,
    TrainedRows,
    closeness,
)
from tunewright.data.contamination_turns import Said, asked_in, closest_turn, turns_in
from tunewright.data.near_shingles import Places, words_of
from tunewright.data.normal import plain_text

Verdict = Literal["copied", "neighbour"]

FALSE_ALARMS = 0.01
"""The share of clean texts that the three scores together may call copied."""
FEWEST = 100
"""Stand-ins that calibration needs."""
_ENOUGH = 500
_SURE = 0.99
"""How surely there are more copies than chance makes."""
_DETECTS: dict[Detector, str] = {
    "same": "the same words",
    "passage": "share of runs of eight words",
    "phrases": "share of runs of three words",
    "letters": "cosine of runs of four letters",
    "meaning": "cosine of vectors",
}
_NAMES = tuple(_DETECTS)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hit(_Frozen):
    """One evaluation text and one of the rows that a detector finds closest to it."""

    eval: int
    """Its place among the evaluation texts, from 0."""
    row: int
    """The row's place, from 0."""
    detector: Detector
    score: float
    """Between 0 and 1."""
    verdict: Verdict


class Threshold(_Frozen):
    """From which score on a detector says copied; of `meaning`, neighbour."""

    detector: Scored | Literal["meaning"]
    words_from: int
    words_to: int | None
    """Of evaluation texts with so many words, both included; None is no limit."""
    score: float | None
    """None where clean texts reach any score."""


class Contamination(_Frozen):
    """What was found."""

    evals: int
    rows: int
    hits: tuple[Hit, ...]
    """By evaluation text."""
    thresholds: tuple[Threshold, ...]
    stand_ins: int
    """Rows that the thresholds were calibrated on; 0 where there were too few and fixed ones were used."""
    expected_neighbours: float | None
    """How many neighbours there would be if the evaluation were as close to the rows as they are to each other; None
    without calibration."""

    @property
    def copied(self) -> tuple[int, ...]:
        """The evaluation texts that are copied, in order."""
        return tuple(sorted({hit.eval for hit in self.hits if hit.verdict == "copied"}))

    @property
    def neighbours(self) -> tuple[int, ...]:
        """The evaluation texts that have a neighbour and are not copied, in order."""
        return tuple(sorted({hit.eval for hit in self.hits} - set(self.copied)))

    def said(self) -> list[str]:
        """The result, and the thresholds, in words: a sentence each."""
        expected = (
            f"; {self.expected_neighbours:,.0f} would if they were as close to the rows as the rows to each other"
            if self.expected_neighbours is not None
            else ""
        )
        how = (
            f"The thresholds are set by {self.stand_ins:,} of the rows, each looked for in the others, so that about "
            f"{FALSE_ALARMS:.0%} of clean texts pass them."
            if self.stand_ins
            else f"Fewer than {FEWEST} rows are close to the texts, too few to calibrate on; the thresholds are fixed ones."
        )
        is_are, has = (
            ("is" if len(self.copied) == 1 else "are"),
            ("has" if len(self.neighbours) == 1 else "have"),
        )
        copied = f"{len(self.copied):,} {is_are} copied in {self.rows:,} rows that are trained on"
        return [
            f"Of {self.evals:,} evaluation texts, {copied}.",
            f"{len(self.neighbours):,} more {has} a neighbour there{expected}.",
            how,
            *self._thresholds_said(),
        ]

    def _thresholds_said(self) -> Iterator[str]:
        """One sentence for all lengths of text, where there are thresholds."""
        kinds = dict.fromkeys(cut.detector for cut in self.thresholds)
        each = [
            f"{kind} ({_DETECTS[kind]}), {_range_of([cut.score for cut in self.thresholds if cut.detector == kind])}"
            for kind in kinds
        ]
        if each:
            yield f"By the length of texts, the least score is: {'; '.join(each)}."


class ByRow(NamedTuple):
    """Of each row that holds a copy or is near, the text that it is closest to: arrays alike in length, by row.

    A copy goes before what means the same, and that before what shares phrases or letters. Memory: 26 bytes a row.
    """

    rows: "array[int]"
    evals: "array[int]"
    scores: "array[float]"
    detectors: bytearray
    """Places in `_DETECTS`."""
    copied: bytearray
    """1 of a copy."""

    @classmethod
    def made(cls, found: Iterable[Passing]) -> Self:
        """Of what was found in the order of the rows, some of them more than once."""
        made = cls(array("q"), array("q"), array("d"), bytearray(), bytearray())
        for _, several in groupby(found, lambda one: one.row):
            best = max(several, key=closeness)
            made.rows.append(best.row)
            made.evals.append(best.probe)
            made.scores.append(best.score)
            made.detectors.append(_NAMES.index(best.detector))
            made.copied.append(best.copied)
        return made

    def hits(self) -> Iterator[Hit]:
        """Each row's own."""
        for row, text, score, detector, copied in zip(*self, strict=True):
            verdict: Verdict = "copied" if copied else "neighbour"
            yield Hit(eval=text, row=row, detector=_NAMES[detector], score=score, verdict=verdict)


class Search(NamedTuple):
    """What one search found: for the texts, and for the rows."""

    found: Contamination
    """The hits name some rows for each text, the closest."""
    rows: ByRow
    """All rows that are near a text, or hold a copy."""


def find_copies(
    evals: Sequence[str], trained: Sequence[Said], *, embed: Embed | None = None, seed: int = 0
) -> Contamination:
    """Look for each evaluation text in the rows that are trained on; with `embed`, which makes vectors, by meaning too.

    A row is a text, or several turns (`contamination_turns.py`): each is looked at for itself; by meaning, the first. The
    hits name some rows for each text, the closest; `search` finds them all. The rows are read in order three times, some by
    index, and none is kept: a sequence that reads a file will do. The seed draws passages of long rows. Equal input gives
    equal results.
    """
    if not evals or not trained:
        return _nothing(len(evals), len(trained))
    return _contamination(_looked(evals, trained, seed, embed))


def search(
    evals: Sequence[str], trained: Sequence[Said], *, embed: Embed | None = None, seed: int = 0
) -> Search:
    """The same as `find_copies`, and every row that holds a copy or is near: what is to be dropped, or looked at.

    The rows are read once more.
    """
    if not evals or not trained:
        return Search(_nothing(len(evals), len(trained)), ByRow.made(()))
    look = _looked(evals, trained, seed, embed)
    classes = look.cuts.classes(look.lengths)
    copied = {kind: look.cuts.scores[kind][classes] for kind in SCORED}
    near: dict[Scored, float] = {"passage": np.inf, "phrases": NEIGHBOUR, "letters": NEIGHBOUR}
    meant = look.meanings.of_rows(look.cuts.meaning[classes]) if look.meanings else iter(())
    by_meaning = (Passing(one.row, one.eval, "meaning", one.score, copied=False) for one in meant)
    words = look.rows.passing(evals, copied, near)
    rows = ByRow.made(merge(words, by_meaning, key=lambda one: one.row))
    return Search(_contamination(look), rows)


def beyond_chance(copied: int, evals: int) -> bool:
    """Whether more of the texts are called copied than of as many clean ones, of which one in a hundred is, or two."""
    from scipy.stats import binom

    return copied > float(binom.ppf(_SURE, evals, 2 * FALSE_ALARMS))


def _nothing(evals: int, rows: int) -> Contamination:
    return Contamination(
        evals=evals, rows=rows, hits=(), thresholds=(), stand_ins=0, expected_neighbours=None
    )


def _contamination(look: "_Looked") -> Contamination:
    return Contamination(
        evals=len(look.lengths),
        rows=look.total,
        hits=tuple(_hits(look)),
        thresholds=tuple(_told(look)),
        stand_ins=look.stand_ins,
        expected_neighbours=look.expected,
    )


class _Looked(NamedTuple):
    """The evaluation texts looked for, and from where on they count as copied."""

    rows: TrainedRows
    total: int
    """Of the rows, how many there are."""
    found: Found
    meanings: Meanings | None
    lengths: Places
    """Words of each evaluation text."""
    cuts: Cuts
    stand_ins: int
    expected: float | None


def _looked(evals: Sequence[str], trained: Sequence[Said], seed: int, embed: Embed | None) -> _Looked:
    rows, total = TrainedRows(trained, max(map(len, evals))), len(trained)
    found = rows.best(evals)
    lengths = _word_counts(evals)
    texts, own = _stand_ins(evals, trained, found, random.Random(seed))
    meanings = Meanings(_Asked(trained), evals, texts, own, embed) if embed else None
    if len(own) < FEWEST:
        return _Looked(rows, total, found, meanings, lengths, fixed(), 0, None)
    null = Null(rows.best(texts, own), meanings.null if meanings else np.zeros(len(own)), _word_counts(texts))
    cuts = calibrated(null, lengths, FALSE_ALARMS)
    expected = expected_neighbours(cuts, null, lengths)
    return _Looked(rows, total, found, meanings, lengths, cuts, len(own), expected)


class _Asked(ByPlace[str]):
    """What each row asks."""

    def __init__(self, rows: Sequence[Said]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[str]:
        return map(asked_in, self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, place: int) -> str:
        return asked_in(self._rows[place])


def _stand_ins(
    evals: Sequence[str], trained: Sequence[Said], found: Found, rng: random.Random
) -> tuple[list[str], Places]:
    """The closest row to each evaluation text, each once, and its place; of a longer row, a passage of the text's length.

    Of a row of several turns the one that shares most words with the text. Where these are few, the next closest follow.
    """
    longest = max(len(text.split()) for text in evals)
    first: dict[int, int] = {}
    for at, row in enumerate(found.best["letters"].rows.tolist()):
        if row >= 0:
            first.setdefault(row, at)
    close = found.close["letters"]
    rank = np.arange(len(close.probes)) - np.searchsorted(close.probes, close.probes)
    for place in np.argsort(rank, kind="stable").tolist():
        if len(first) >= _ENOUGH:
            break
        first.setdefault(int(close.rows[place]), int(close.probes[place]))
    texts: dict[str, int] = {}
    for row, at in first.items():
        words = closest_turn(turns_in(trained[row]), evals[at]).split()
        if len(words) > longest:
            size = max(len(evals[at].split()), 1)
            start = rng.randrange(len(words) - size + 1)
            words = words[start : start + size]
        texts.setdefault(plain_text(" ".join(words)), row)
    return list(texts), np.array(list(texts.values()), np.int64)


def _hits(look: _Looked) -> Iterator[Hit]:
    found, cuts = look.found, look.cuts
    hits = [
        Hit(eval=at, row=row, detector="same", score=1, verdict="copied")
        for at, row in enumerate(found.same.tolist())
        if row >= 0
    ]
    for kind in SCORED:
        enough = cuts.scores[kind][cuts.classes(look.lengths)]
        for at, row, score in zip(*(part.tolist() for part in found.close[kind]), strict=True):
            if score >= enough[at]:
                hits.append(Hit(eval=at, row=row, detector=kind, score=score, verdict="copied"))
            elif kind != "passage" and score >= NEIGHBOUR:
                hits.append(Hit(eval=at, row=row, detector=kind, score=score, verdict="neighbour"))
    if look.meanings:
        known = {(hit.eval, hit.row) for hit in hits if hit.verdict == "copied"}
        near = look.meanings.of_texts(cuts.meaning[cuts.classes(look.lengths)], CLOSEST)
        hits += [_meant(one) for one in near if (one.eval, one.row) not in known]
    yield from sorted(hits, key=lambda hit: hit.eval)


def _meant(near: Near) -> Hit:
    return Hit(eval=near.eval, row=near.row, detector="meaning", score=near.score, verdict="neighbour")


def _told(look: _Looked) -> Iterator[Threshold]:
    cuts = look.cuts
    ends = [int(start) - 1 for start in cuts.starts[1:]] + [None]
    meaning = [("meaning", cuts.meaning)] if look.meanings else []
    for kind, some in [*cuts.scores.items(), *meaning]:
        for start, end, score in zip(cuts.starts, ends, some, strict=True):
            enough = None if np.isinf(score) else float(score)
            yield Threshold(detector=kind, words_from=int(start), words_to=end, score=enough)


def _range_of(scores: Sequence[float | None]) -> str:
    """From the lowest threshold to the highest; one of None lets nothing pass."""
    some = sorted({f"{score:.2f}" for score in scores if score is not None})
    ends = " to ".join(dict.fromkeys((some[0], some[-1]))) if some else "none is enough"
    return f"{ends} (of some lengths none is enough)" if some and None in scores else ends


def _word_counts(texts: Sequence[str]) -> Places:
    return np.diff(words_of(texts).starts)
