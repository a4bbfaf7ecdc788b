"""The watch over a run's losses: one far above those before it is a spike, several in a row are a divergence."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import median
from typing import Any, Literal, NamedTuple

_USUAL = 8
"""Losses whose median is usual; fewer say nothing yet."""
_WINDOW = 32
"""Losses whose steps up and down say how much is usual."""
_FAR = 10
"""Median steps above the usual that are far."""
_SHARE = 0.25
"""And at least this share of the run's first loss above it: a run that hardly varies is not called spiky."""
_BACK = 1 / 3
"""After a spike the loss is down again when it is within this share of that distance."""
_AGAIN = 5
"""Steps in a row, the spike's own included, after which the loss will not come back."""


class Look(NamedTuple):
    """What a step's loss is beside those before it."""

    state: Literal["calm", "spike", "high", "diverged"]
    """`high` follows a spike until the loss is down again."""
    usual: float
    """The median of the losses before, not counting spikes; the loss itself where they are too few to say."""


class Watch:
    """Looks at one loss after another; the same losses give the same looks."""

    def __init__(self, losses: Iterable[float] = ()) -> None:
        """A watch that has seen `losses`."""
        self._recent: deque[float] = deque(maxlen=_WINDOW)
        self._first: float | None = None
        self._high = 0
        for loss in losses:
            self.look(loss)

    def look(self, loss: float) -> Look:
        """What the next step's loss is."""
        if self._first is None:
            self._first = abs(loss)
        if len(self._recent) < _USUAL:
            self._recent.append(loss)
            return Look("calm", loss)
        recent = list(self._recent)
        usual = median(recent[-_USUAL:])
        spread = median(abs(after - before) for before, after in pairwise(recent))
        far = max(_FAR * spread, _SHARE * self._first)
        if math.isfinite(loss) and loss <= usual + (_BACK * far if self._high else far):
            self._recent.append(loss)
            self._high = 0
            return Look("calm", usual)
        self._high += 1
        if self._high >= _AGAIN:
            return Look("diverged", usual)
        return Look("spike" if self._high == 1 else "high", usual)


def spike_words(history: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The spikes of a run's history, a sentence each."""
    return tuple(
        f"The loss at step {line['step']} was {_number(line['loss'])}"
        + (f" where {line['usual']:.3g} was usual" if line["usual"] is not None else "")
        + f": look at rows {', '.join(line['rows'])}."
        for line in history
        if line["kind"] == "spike"
    )


def _number(value: float | None) -> str:
    return "no number" if value is None else f"{value:.3g}"
