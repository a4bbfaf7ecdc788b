"""number: a draw from a distribution, perhaps one that goes with another number column.

Every number is made from a standard normal draw z through the distribution's quantile function at Φ(z). One that
`follows` another at correlation r takes z = r·z′ + √(1 − r²)·e, so that each keeps its own distribution (a Gaussian copula:
Nelsen, "An Introduction to Copulas", §2.3; Spearman's rank correlation is then (6/π)·arcsin(r/2)).
"""

import math
from collections.abc import Callable
from decimal import Decimal
from statistics import NormalDist
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk

_NORMAL = NormalDist()
_EDGE = 1e-12
"""How near to 0 and 1 a probability may come: beyond that the quantiles of a normal are infinite."""


class NumberColumn(ColumnSpec):
    """A number."""

    NAMES: ClassVar[tuple[str, ...]] = ("follows",)
    KIND: ClassVar[Kind] = "number"

    type: Literal["number"] = "number"
    """Chooses this column."""
    distribution: Literal["uniform", "normal", "log_normal"] = "uniform"
    """uniform wants `low` and `high`; normal wants `mean` and `spread`; log_normal is one of which the logarithm is
    normal, and wants them too, as its median and the standard deviation of its logarithm."""
    low: float | None = Field(None, allow_inf_nan=False)
    """The least value."""
    high: float | None = Field(None, allow_inf_nan=False)
    """The greatest value."""
    mean: float | None = Field(None, allow_inf_nan=False)
    """The middle."""
    spread: float | None = Field(None, gt=0, allow_inf_nan=False)
    """How far values lie from the middle."""
    decimals: int = Field(0, ge=0, le=12)
    """Digits after the point; 0 makes whole numbers."""
    follows: str | None = None
    """Another number column that it goes with."""
    correlation: float = Field(0.8, ge=-1, le=1)
    """How closely it follows: 1 all the way, 0 not at all, below 0 the other way round."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        wanted = ("low", "high") if self.distribution == "uniform" else ("mean", "spread")
        for setting in wanted:
            if getattr(self, setting) is None:
                raise ValueError(f"a {self.distribution} number needs {setting}")
        if self.distribution == "uniform" and not (self.mean is None and self.spread is None):
            raise ValueError("a uniform number has low and high, and neither mean nor spread")
        if self.distribution == "log_normal" and self.mean is not None and self.mean <= 0:
            raise ValueError("the mean of a log_normal number is above 0")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        least, most = self._steps()
        if least > most:
            what = f"number with {self.decimals} decimals" if self.decimals else "whole number"
            raise ValueError(f"there is no {what} from {self.low:g} to {self.high:g}: give more decimals")
        return self

    def _steps(self) -> tuple[float, float]:
        """The least and the greatest value, counted in steps of the last decimal; infinite where there is no bound."""
        unit = Decimal(10) ** self.decimals
        least = -math.inf if self.low is None else math.ceil(Decimal(repr(self.low)) * unit)
        return least, math.inf if self.high is None else math.floor(Decimal(repr(self.high)) * unit)

    def drawn(self, share: float) -> int | float:
        """The value below which a share of all values lies, rounded to the decimals, within the bounds still."""
        least, most = self._steps()
        if self.distribution == "uniform":  # each step as often as any other, those at the ends too
            step = min(int(least) + math.floor(share * (int(most) - int(least) + 1)), int(most))
        else:
            step = round(Decimal(repr(self.quantile(share))).scaleb(self.decimals))
            step = int(min(max(step, least), most))
        return step if self.decimals == 0 else float(Decimal(step).scaleb(-self.decimals))

    def quantile(self, share: float) -> float:
        """The value below which a share of all values lies, within `low` and `high`."""
        if self.distribution == "uniform":
            low, high = self.low or 0.0, self.high or 0.0
            return low + share * (high - low)
        normal, change = self._normal()
        lowest = 0.0 if self.low is None else normal.cdf(change(self.low))
        highest = 1.0 if self.high is None else normal.cdf(change(self.high))
        inside = min(max(lowest + share * (highest - lowest), _EDGE), 1 - _EDGE)
        value = normal.inv_cdf(inside)
        value = math.exp(value) if self.distribution == "log_normal" else value
        least = -math.inf if self.low is None else self.low
        return min(max(value, least), math.inf if self.high is None else self.high)

    def _normal(self) -> tuple[NormalDist, Callable[[float], float]]:
        mean, spread = self.mean or 0.0, self.spread or 1.0
        if self.distribution == "normal":
            return NormalDist(mean, spread), float
        return NormalDist(math.log(mean), spread), lambda value: math.log(value) if value > 0 else -1e300


def each(spec: NumberColumn, name: str, means: Desk) -> Callable[[Cells], int | float]:
    """A number, rounded; the draw behind it is kept for those that follow it."""

    def cell(cells: Cells) -> int | float:
        own = _NORMAL.inv_cdf(min(max(cells.chance(name).random(), _EDGE), 1 - _EDGE))
        if spec.follows is not None and spec.follows in cells.scores:
            share = math.sqrt(1 - spec.correlation**2)
            own = spec.correlation * cells.scores[spec.follows] + share * own
        cells.scores[name] = own
        return spec.drawn(_NORMAL.cdf(own))

    return cell
