"""From which score on a text counts as copied, or as meant: cuts that clean texts of the same data set.

What is cut is the score of each detector, for texts of a like number of words; the clean texts are stand-ins, rows that are
looked for in the other rows (contamination.py says which, and why).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.data.contamination_scores import PASSAGE, SCORED, TOLD, Floats, Found, Scored
from tunewright.data.near_shingles import Places

NEIGHBOUR = 0.5
"""From this score on, of phrases or letters, a text is a neighbour."""
_UNCALIBRATED: dict[Scored, float] = {"passage": 0.5, "phrases": 0.8, "letters": 0.9}
_UNCALIBRATED_MEANING, _LEAST_MEANING = 0.95, 0.5
_HIGHEST = 0.99
_PLAINLY = 0.03
_PER_LENGTH, _LEAST_OF_LENGTH = 250, 50
_MOST_LENGTHS = 4


class Cuts(NamedTuple):
    """Scores from which on a text is copied, by its number of words."""

    starts: Places
    """The least number of words of each class of length; the first is 0. (classes,)"""
    scores: dict[Scored, Floats]
    """Infinite where no score is enough. (classes,)"""
    meaning: Floats
    """The same of meaning, from where on a row is a neighbour."""

    def copied(self, found: Found, lengths: Places, kind: Scored) -> npt.NDArray[np.bool_]:
        """Whether each probe of so many words is copied by a detector's word."""
        return np.greater_equal(found.best[kind].scores, self.scores[kind][self.classes(lengths)])

    def classes(self, lengths: Places) -> Places:
        """The class of each number of words."""
        return np.searchsorted(self.starts, lengths, "right") - 1


class Null(NamedTuple):
    """What the detectors say of the stand-ins."""

    words: Found
    meaning: Floats
    """0 where no vectors were asked for."""
    lengths: Places


def fixed() -> Cuts:
    """The cuts where there is too little to calibrate on."""
    return Cuts(
        np.zeros(1, np.int64),
        {kind: np.array([_UNCALIBRATED[kind]]) for kind in SCORED},
        np.array([_UNCALIBRATED_MEANING]),
    )


def calibrated(null: Null, lengths: Places, false_alarms: float) -> Cuts:
    """Cuts that the share `false_alarms` of clean texts is to pass, and as many again by meaning.

    Each detector of words has a like part of it, in each class of length. `lengths` are the words of each evaluation text.
    """
    classes = int(np.clip(len(null.lengths) // _PER_LENGTH, 1, _MOST_LENGTHS))
    inner = np.quantile(lengths, np.arange(1, classes) / classes).astype(np.int64) + 1
    cuts = Cuts(np.unique(np.concatenate(([0], inner))), {}, np.zeros(0))
    own = cuts.classes(null.lengths)

    def cut(scores: Floats, share: float, least: float) -> Floats:
        inside = [scores[own == at] for at in range(len(cuts.starts))]
        tops = [_passed_by(share, some if len(some) >= _LEAST_OF_LENGTH else scores) for some in inside]
        return np.array([np.inf if top > _HIGHEST else max(top, least) for top in tops])

    for kind in SCORED:
        cuts.scores[kind] = cut(null.words.best[kind].scores, false_alarms / len(SCORED), TOLD[kind])
    short = np.append(cuts.starts[1:], np.inf) <= PASSAGE  # texts without a passage
    cuts.scores["passage"][short] = np.inf
    return cuts._replace(meaning=cut(null.meaning, false_alarms, _LEAST_MEANING))


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


def expected_neighbours(cuts: Cuts, null: Null, lengths: Places) -> float:
    """Neighbours among as many clean texts, class of length by class."""
    own, counts = cuts.classes(null.lengths), np.bincount(cuts.classes(lengths), minlength=len(cuts.starts))
    copied = np.any([cuts.copied(null.words, null.lengths, kind) for kind in SCORED], axis=0)
    near = np.any([is_neighbour(null.words, kind) for kind in SCORED], axis=0)
    near = (near | (null.meaning >= cuts.meaning[own])) & ~copied
    shares = [near[own == at].mean() if (own == at).any() else near.mean() for at in range(len(cuts.starts))]
    return float(np.dot(shares, counts))


def is_neighbour(found: Found, kind: Scored) -> npt.NDArray[np.bool_]:
    """Whether each probe shares enough with a row to be its neighbour, by a detector's word."""
    if kind == "passage":
        return np.zeros(len(found.same), bool)
    return np.greater_equal(found.best[kind].scores, NEIGHBOUR)
