"""The watch over a run's losses: one far above those before it is a spike, several in a row are a divergence."""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Literal, NamedTuple

REHEARSAL = "rehearsal_loss"
"""The mean that is the loss of general rows beside a preference method's (train/methods/_rehearsed.py)."""
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

    state: Literal["calm", "spike", "high", "diverged", "broken"]
    """`high` follows a spike until the loss is down again; `broken`: the loss or the gradient is no number."""
    usual: float
    """The lowest that the running median of the losses has been; the loss itself where they are too few to say."""


class Watch:
    """Looks at one loss after another; the same losses give the same looks."""

    def __init__(self, losses: Iterable[float | None] = ()) -> None:
        """A watch that has seen `losses`."""
        self._recent: deque[float] = deque(maxlen=_WINDOW)
        self._first: float | None = None
        self._lowest = math.inf
        self._high = 0
        for loss in losses:
            self.look(loss)

    def look(self, loss: float | None, norm: float = 0.0) -> Look:
        """What the next step's loss is, whose gradient has the norm `norm`; none for a step that says nothing of it."""
        if not (math.isfinite(loss or 0.0) and math.isfinite(norm)):
            return Look("broken", self._lowest)
        if loss is None:
            return Look("calm", self._lowest)
        if self._first is None:
            self._first = abs(loss)
        if len(self._recent) < _USUAL:
            self._recent.append(loss)
            return Look("calm", loss)
        recent = list(self._recent)
        self._lowest = min(self._lowest, median(recent[-_USUAL:]))
        spread = median(abs(after - before) for before, after in pairwise(recent))
        far = max(_FAR * spread, _SHARE * self._first)
        if loss <= self._lowest + (_BACK * far if self._high else far):
            self._recent.append(loss)
            self._high = 0
            return Look("calm", self._lowest)
        self._high += 1
        if self._high >= _AGAIN:
            return Look("diverged", self._lowest)
        return Look("spike" if self._high == 1 else "high", self._lowest)


def watched(loss: float, means: Mapping[str, Any]) -> float | None:
    """What of a step's loss is watched: the method's part. None where general rows beside it are all there is.

    They stand in some steps and not in others, and would look like spikes. `means` are those shown beside the loss.
    """
    own = loss - means.get(REHEARSAL, 0.0)
    return None if REHEARSAL in means and own == 0.0 else own


def trouble(step: int, loss: float, norm: float, look: Look, rows: list[str]) -> dict[str, Any]:
    """A spike, a divergence or a broken step as a line of the history."""
    return {
        "kind": "trouble",
        "step": step,
        "state": look.state,
        "loss": loss if math.isfinite(loss) else None,
        "grad_norm": norm if math.isfinite(norm) else None,
        "usual": look.usual if math.isfinite(look.usual) else None,
        "rows": rows,
    }


def words(line: Mapping[str, Any]) -> str:
    """A line of trouble as a sentence without its end."""
    if line["loss"] is None:
        seen = "the loss is no number"
    elif line["grad_norm"] is None:
        seen = "the gradient is no number"
    else:
        usual = "" if line["usual"] is None else f" where {line['usual']:.3g} was usual"
        seen = f"the loss is {line['loss']:.3g}{usual}"
    what = {"spike": "A spike", "diverged": "Training diverged", "broken": "Training broke down"}[
        line["state"]
    ]
    return f"{what} at step {line['step']}: {seen}, rows {', '.join(line['rows'])}"


def rising(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last trouble is of a loss that has not come down since it spiked; `lines` are all troubles."""
    last = lines[-1]
    return last["state"] == "diverged" or any(
        line["state"] == "spike" and last["step"] - line["step"] < _AGAIN for line in lines[:-1]
    )
