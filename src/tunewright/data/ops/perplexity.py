"""perplexity: how unlikely the base finds each answer; both tails may go.

The perplexity is exp of the mean negative log-likelihood of an answer's tokens under the project's base, before any
training, with the prompt as it would be trained. Both ends are worth a look. Very high: another language, broken
encoding, noise, an answer that has nothing to do with its question. Very low: boilerplate, what the question says
already, what the base knows by heart; there is little to learn from it. Rows of the middle taught best where it was
measured (Marion et al. 2023, "When Less is More", arXiv:2309.04564). A task that is new to the base is unlikely as a
whole, and better for it: so bounds go by the rows themselves (`keep_share`) rather than by a number from elsewhere.
"""

from array import array
from collections.abc import Iterator
from itertools import islice
from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.data.ops._scored import ShareSpec, best
from tunewright.data.ops.op import Dropped, Kept, Means, Rows, Said, Touched

USES = ("base",)
_SOME = 256
"""Rows that are measured at once."""


class Perplexity(ShareSpec):
    """Tell how unlikely the base finds each answer, and drop the tails."""

    op: Literal["perplexity"] = "perplexity"
    """Chooses this op."""
    least: float | None = Field(None, ge=1)
    """Drop rows below this perplexity: the base says them already."""
    most: float | None = Field(None, ge=1)
    """Drop rows above it."""
    tails: Literal["both", "high", "low"] = "both"
    """Which rows `keep_share` leaves out: half of them at each end, or all at one."""
    field: str = Field("perplexity", min_length=1)
    """The field that the perplexity is written to."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.least is not None and self.most is not None and self.least >= self.most:
            raise ValueError(f"least ({self.least:g}) is not below most ({self.most:g})")
        return self


def writes(spec: Perplexity, given: frozenset[str]) -> frozenset[str]:
    """The field with the perplexity."""
    return frozenset({spec.field})


def touches(spec: Perplexity, given: frozenset[str]) -> Touched:
    """The answer below its question."""
    return Touched(changes=writes(spec, given), kinds={spec.field: "number"})


def apply(spec: Perplexity, rows: Rows, means: Means) -> Iterator[Said]:
    """Every row with its perplexity, or dropped with it. Raises what `means.perplexities` raises."""
    values, given = array("d"), iter(rows)
    while some := list(islice(given, _SOME)):
        values.extend(means.perplexities(some))
    inside = [
        at for at, value in enumerate(values) if (spec.least or 1) <= value <= (spec.most or float("inf"))
    ]
    stays = best(_inwards(spec, values, inside), spec.keep_share, inside)
    bounded = set(inside)
    for at, row in enumerate(rows):
        value = float(f"{values[at]:.6g}")
        if at in stays:
            yield Kept(row.model_copy(update={"fields": {**row.fields, spec.field: value}}), row)
        elif at in bounded:
            yield Dropped(row, f"not in the {_named(spec)} {spec.keep_share:.0%}: perplexity {value:,.4g}")
        else:
            yield Dropped(row, f"perplexity {value:,.4g}")


def _named(spec: Perplexity) -> str:
    return {"both": "middle", "high": "likeliest", "low": "unlikeliest"}[spec.tails]


def _inwards(spec: Perplexity, values: "array[float]", inside: list[int]) -> "array[float]":
    """A score for each row that is the higher the further it is from the tails that go; 0 where it does not count."""
    scores = array("d", bytes(8 * len(values)))
    for rank, at in enumerate(sorted(inside, key=values.__getitem__)):
        scores[at] = {"both": min(rank, len(inside) - 1 - rank), "high": -rank, "low": rank}[spec.tails]
    return scores
