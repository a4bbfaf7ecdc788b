"""Strength: how far to go from the base to what was trained.

Between the two, weights give back much of what the fine-tune forgot before they lose what it learnt (WiSE-FT,
arXiv:2109.01903: θ = θ₀ + s (θ₁ − θ₀)). Of a LoRA pair only B is scaled, so that the update is s B A.

`auto` takes the least strength whose dev loss is within one standard error of the best strength's (the one-standard-error
rule; Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2nd ed., section 7.10). The error is that of the
difference, part of dev by part: both strengths saw the same rows.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tunewright.core.events import Emit

_STEP = 0.05
_LEAST = 0.5
"""The strengths tried go down from 1 by steps, to this at most."""
TRIES = 5
"""Strengths that are tried as a rule, before the loss is out of reach: 3 to 6 were seen."""

Weights = Mapping[str, Tensor]
"""Parameters by name."""
Measure = Callable[[], Sequence[float]]
"""The dev loss of each of some equal parts of dev, with the parameters as they stand."""


class Tried(NamedTuple):
    """A strength and its dev loss."""

    strength: float
    loss: float
    error: float
    """The standard error of how far it is from the best one's; 0 of the best itself."""


class Strength(NamedTuple):
    """How far the kept weights go, and the strengths it was chosen from; none where it was given."""

    value: float
    tried: tuple[Tried, ...] = ()

    def words(self) -> str:
        """The choice and its reason, as a sentence without its end."""
        best = min(self.tried, key=lambda one: one.loss)
        own = next(one for one in self.tried if one.strength == self.value)
        return (
            f"strength {self.value:g}: the least that dev cannot tell from the best (dev loss {own.loss:.4f}; best"
            f" {best.loss:.4f} at {best.strength:g}; the difference is known to ± {own.error:.4f})"
        )


def between(start: Weights, end: Weights, strength: float) -> dict[str, Tensor]:
    """The weights that far from `start` to `end`; A stays as trained, for B alone takes the update to and fro."""
    return {
        name: value if ".lora_A." in name else torch.lerp(start[name], value, strength)
        for name, value in end.items()
    }


def put(parameters: Mapping[str, nn.Parameter], weights: Weights) -> None:
    """Set the parameters to the weights."""
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])


def choose(
    parameters: Mapping[str, nn.Parameter], start: Weights, end: Weights, measure: Measure, emit: Emit
) -> Strength:
    """The least strength that dev cannot tell from the best; the parameters are left anywhere.

    Goes down until a loss is out of reach of the best one. A strength without a finite loss is passed over; 1 where none
    has one.
    """
    seen: dict[float, Tensor] = {}
    for number in range(round((1 - _LEAST) / _STEP) + 1):
        strength = round(1 - number * _STEP, 2)
        put(parameters, between(start, end, strength))
        losses = torch.tensor(measure(), dtype=torch.float64)
        emit("train.strength", strength=strength, loss=float(losses.mean()))
        if losses.isfinite().all():
            seen[strength] = losses
            last = told(seen)[-1]
            if last.loss - min(one.loss for one in told(seen)) > last.error:
                break
    tried = told(seen)
    return Strength(least(tried), tuple(tried)) if tried else Strength(1.0)


def told(losses: Mapping[float, Tensor]) -> list[Tried]:
    """What is known of strengths by their losses [parts] on the same parts of dev."""
    if not losses:
        return []
    best = min(losses.values(), key=lambda values: float(values.mean()))
    return [
        Tried(strength, float(values.mean()), _error(values - best)) for strength, values in losses.items()
    ]


def least(tried: Sequence[Tried]) -> float:
    """The least strength whose loss is within one standard error of the best one's."""
    best = min(tried, key=lambda one: one.loss)
    return min(one.strength for one in tried if one.loss - best.loss <= one.error)


def _error(differences: Tensor) -> float:
    """The standard error of their mean."""
    count = len(differences)
    return float(differences.std()) / math.sqrt(count) if count > 1 else 0.0
