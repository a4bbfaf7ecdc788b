"""mix: rows of several needs in given shares."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tunewright.core.errors import DataError
from tunewright.data.ops.op import OpSpec, Rows, Said, judged
from tunewright.data.ops.sample import drawn


class Mix(OpSpec):
    """Keep of each need as many rows as its share allows: the most there can be without repeating any."""

    op: Literal["mix"] = "mix"
    """Chooses this op."""
    shares: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=2)
    """Of each need, how much of the result its rows are to be: {tickets: 3, general: 1} is three quarters and one."""
    rows: int | None = Field(None, gt=0)
    """How many rows in all, at most."""
    seed: int = 0
    """Seeds the draw."""

    @model_validator(mode="after")
    def _names_its_needs(self) -> Self:
        if set(self.needs) != set(self.shares):
            raise ValueError("shares and needs name other rows; name the same in both")
        return self


def apply(spec: Mix, rows: Rows) -> Iterator[Said]:
    """Draw of each need its part; the rest is dropped. Raises DataError where a need has no rows."""
    empty = next((name for name, given in rows.given.items() if not len(given)), None)
    if empty is not None:
        raise DataError(
            f"{empty} has no rows, and no share of anything is nothing.",
            where="recipe, mix.needs",
            fix="Look at what leads to it (`tunewright data preview`), or take it out of the mix.",
        )
    wanted = counts({name: len(given) for name, given in rows.given.items()}, spec.shares, spec.rows)
    for name, given in rows.given.items():
        chosen = drawn(given, wanted[name], spec.seed)
        for number, row in enumerate(given):
            reason = f"{name} has more than its share" if number not in chosen else None
            yield judged(row, reason)


def counts(there: Mapping[str, int], shares: Mapping[str, float], most: int | None) -> dict[str, int]:
    """How many rows of each, so that the shares hold, none is wanted twice, and there are at most so many.

    Rounded down, and what is left goes to the largest remainders (Hamilton's method).
    """
    whole = sum(shares.values())
    total = int(min(there[name] * whole / share for name, share in shares.items()) + 1e-9)
    total = total if most is None else min(total, most)
    exact = {name: total * share / whole for name, share in shares.items()}
    wanted = {name: min(there[name], int(part + 1e-9)) for name, part in exact.items()}
    for name in sorted(exact, key=lambda name: wanted[name] - exact[name]):
        if sum(wanted.values()) < total and wanted[name] < there[name]:
            wanted[name] += 1
    return wanted
