"""Contamination: do evaluation texts stand in the training rows, as they are, edited, or inside a longer text?

    found = find_copies(evals, trained)
    found.copied, found.neighbours, found.said()

**Copied** is an evaluation text that a row holds word for word, or that is closer to a row than the rows are to each other:
so close that of clean texts of this kind only one in a hundred is. A **neighbour** shares half of its phrases or letters
with a row, which rows of one kind do by nature. Scores on copied texts flatter the fine-tune; neighbours say that the
evaluation asks what training taught, which may be what is wanted.

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
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from tunewright.data.contamination_scores import (
    PASSAGE,
    SCORED,
    TOLD,
    Detector,
    Floats,
    Found,
    Scored,
    TrainedRows,
)
from tunewright.data.near_shingles import Places, words_of
from tunewright.data.normal import plain_text

Verdict = Literal["copied", "neighbour"]

FALSE_ALARMS = 0.01
"""The share of clean texts that the three scores together may call copied."""
NEIGHBOUR = 0.5
"""From this score on, of phrases or letters, a text is a neighbour."""
FEWEST = 100
"""Stand-ins that calibration needs."""
_ENOUGH = 500
_UNCALIBRATED: dict[Scored, float] = {"passage": 0.5, "phrases": 0.8, "letters": 0.9}
_HIGHEST = 0.99
_PLAINLY = 0.03
_PER_LENGTH, _LEAST_OF_LENGTH = 250, 50
_MOST_LENGTHS = 4
_DETECTS: dict[Detector, str] = {
    "same": "the same words",
    "passage": "share of runs of eight words",
    "phrases": "share of runs of three words",
    "letters": "cosine of runs of four letters",
}


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
    """From which score on a detector says copied."""

    detector: Scored
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
        """The result and the thresholds in words, a sentence each."""
        expected = (
            f"; {self.expected_neighbours:,.0f} would if they were as close to the rows as the rows to each other"
            if self.expected_neighbours is not None
            else ""
        )
        how = (
            f"The thresholds are set by {self.stand_ins:,} of the rows, each looked for in the others, so that about "
            f"{FALSE_ALARMS:.0%} of clean texts pass them."
            if self.stand_ins
            else f"There were fewer than {FEWEST} rows to calibrate on; the thresholds are fixed ones."
        )
        copied = f"{len(self.copied):,} are copied in {self.rows:,} rows that are trained on"
        return [
            f"Of {self.evals:,} evaluation texts, {copied}.",
            f"{len(self.neighbours):,} more have a neighbour there{expected}.",
            how,
            *map(_in_words, self.thresholds),
        ]


def find_copies(evals: Sequence[str], trained: Sequence[str], *, seed: int = 0) -> Contamination:
    """Look for each evaluation text in the rows that are trained on.

    The hits name some rows for each text, the closest; `copied_rows` finds them all. The rows are read in order three
    times, some by index, and none is kept: a sequence that reads a file will do. The seed draws passages of long rows. Equal
    input gives equal results.
    """
    if not evals or not trained:
        return Contamination(
            evals=len(evals), rows=len(trained), hits=(), thresholds=(), stand_ins=0, expected_neighbours=None
        )
    look = _looked(evals, trained, seed)
    return Contamination(
        evals=len(evals),
        rows=len(trained),
        hits=tuple(_hits(look)),
        thresholds=tuple(_told(look.cuts)),
        stand_ins=look.stand_ins,
        expected_neighbours=look.expected,
    )


def copied_rows(evals: Sequence[str], trained: Sequence[str], *, seed: int = 0) -> list[Hit]:
    """Every row that holds a copy, with the evaluation text closest to it: what is to be dropped. By row, each once.

    The thresholds are those of `find_copies`; the rows are read once more.
    """
    if not evals or not trained:
        return []
    look = _looked(evals, trained, seed)
    classes = look.cuts.classes(look.lengths)
    least = {kind: look.cuts.scores[kind][classes] for kind in SCORED}
    best: dict[int, Hit] = {}
    for row, text, detector, score in look.rows.passing(evals, least):
        if row not in best or best[row].score < score:
            best[row] = Hit(eval=text, row=row, detector=detector, score=score, verdict="copied")
    return list(best.values())


class _Cuts(NamedTuple):
    """Scores from which on a text is copied, by its number of words."""

    starts: Places
    """The least number of words of each class of length; the first is 0. (classes,)"""
    scores: dict[Scored, Floats]
    """Infinite where no score is enough. (classes,)"""

    def copied(self, found: Found, lengths: Places, kind: Scored) -> npt.NDArray[np.bool_]:
        return np.greater_equal(found.best[kind].scores, self.scores[kind][self.classes(lengths)])

    def classes(self, lengths: Places) -> Places:
        return np.searchsorted(self.starts, lengths, "right") - 1


class _Looked(NamedTuple):
    """The evaluation texts looked for, and from where on they count as copied."""

    rows: TrainedRows
    found: Found
    lengths: Places
    """Words of each evaluation text."""
    cuts: _Cuts
    stand_ins: int
    expected: float | None


def _looked(evals: Sequence[str], trained: Sequence[str], seed: int) -> _Looked:
    rows = TrainedRows(trained, max(map(len, evals)))
    found = rows.best(evals)
    lengths = _word_counts(evals)
    texts, own = _stand_ins(evals, trained, found, random.Random(seed))
    if len(own) < FEWEST:
        fixed = {kind: np.array([_UNCALIBRATED[kind]]) for kind in SCORED}
        return _Looked(rows, found, lengths, _Cuts(np.zeros(1, np.int64), fixed), 0, None)
    null, null_lengths = rows.best(texts, own), _word_counts(texts)
    cuts = _calibrated(null, null_lengths, lengths)
    return _Looked(rows, found, lengths, cuts, len(own), _expected(cuts, null, null_lengths, lengths))


def _stand_ins(
    evals: Sequence[str], trained: Sequence[str], found: Found, rng: random.Random
) -> tuple[list[str], Places]:
    """The closest row to each evaluation text, each once, and its place; of a longer row, a passage of the text's length.

    Where these are few, the next closest follow.
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
        words = trained[row].split()
        if len(words) > longest:
            size = max(len(evals[at].split()), 1)
            start = rng.randrange(len(words) - size + 1)
            words = words[start : start + size]
        texts.setdefault(plain_text(" ".join(words)), row)
    return list(texts), np.array(list(texts.values()), np.int64)


def _calibrated(null: Found, null_lengths: Places, lengths: Places) -> _Cuts:
    """Cuts that FALSE_ALARMS of clean texts are to pass, a like share by each detector in each class of length."""
    classes = int(np.clip(len(null_lengths) // _PER_LENGTH, 1, _MOST_LENGTHS))
    inner = np.quantile(lengths, np.arange(1, classes) / classes).astype(np.int64) + 1
    cuts = _Cuts(np.unique(np.concatenate(([0], inner))), {})
    own = cuts.classes(null_lengths)
    short = np.append(cuts.starts[1:], np.inf) <= PASSAGE  # texts without a passage
    for kind in SCORED:
        scores = null.best[kind].scores
        inside = [scores[own == at] for at in range(len(cuts.starts))]
        tops = [
            _passed_by(FALSE_ALARMS / len(SCORED), some if len(some) >= _LEAST_OF_LENGTH else scores)
            for some in inside
        ]
        cuts.scores[kind] = np.array([np.inf if top > _HIGHEST else max(top, TOLD[kind]) for top in tops])
    cuts.scores["passage"][short] = np.inf
    return cuts


def _passed_by(share: float, scores: Floats) -> float:
    """The score that so small a share passes, by the middle and the upper tenth of the scores alone.

    On the scale of log-odds the upper half is taken for exponential (Pickands 1975 with shape 0): from the median to the
    ninth decile it thins to a fifth, and goes on as fast. A few copies among the rows do not move it. Where the tail is
    plainly thicker, as it is where scores are few (a text of nine words has two runs of eight), it must be passed itself.
    """
    middle, high = _log_odds(np.quantile(scores, (0.5, 0.9)))
    top = float(1 / (1 + np.exp(-high - (high - middle) / np.log(5) * np.log(0.1 / share))))
    thick = float(np.quantile(scores, 1 - _PLAINLY))
    return top if thick < top else float(np.nextafter(thick, 2))


def _log_odds(scores: Floats) -> Floats:
    held = np.clip(scores, 1 - _HIGHEST, _HIGHEST)
    return np.log(held / (1 - held))


def _expected(cuts: _Cuts, null: Found, null_lengths: Places, lengths: Places) -> float:
    """Neighbours among as many clean texts, class of length by class."""
    copied = np.any([cuts.copied(null, null_lengths, kind) for kind in SCORED], axis=0)
    near = np.any([_is_neighbour(null, kind) for kind in SCORED], axis=0) & ~copied
    own, counts = cuts.classes(null_lengths), np.bincount(cuts.classes(lengths), minlength=len(cuts.starts))
    shares = [near[own == at].mean() if (own == at).any() else near.mean() for at in range(len(cuts.starts))]
    return float(np.dot(shares, counts))


def _is_neighbour(found: Found, kind: Scored) -> npt.NDArray[np.bool_]:
    if kind == "passage":
        return np.zeros(len(found.same), bool)
    return np.greater_equal(found.best[kind].scores, NEIGHBOUR)


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
    yield from sorted(hits, key=lambda hit: hit.eval)


def _told(cuts: _Cuts) -> Iterator[Threshold]:
    ends = [int(start) - 1 for start in cuts.starts[1:]] + [None]
    for kind in SCORED:
        for start, end, score in zip(cuts.starts, ends, cuts.scores[kind], strict=True):
            enough = None if np.isinf(score) else float(score)
            yield Threshold(detector=kind, words_from=int(start), words_to=end, score=enough)


def _in_words(threshold: Threshold) -> str:
    length = (
        f"{threshold.words_from:,} words or more"
        if threshold.words_to is None
        else f"{threshold.words_from:,} to {threshold.words_to:,} words"
    )
    enough = "no score is enough" if threshold.score is None else f"copied from {threshold.score:.2f} on"
    return f"{threshold.detector} ({_DETECTS[threshold.detector]}), texts of {length}: {enough}."


def _word_counts(texts: Sequence[str]) -> Places:
    return np.diff(words_of(texts).starts)
