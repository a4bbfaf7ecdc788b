"""balance: no answer (or value of a field) has many more rows than another.

What is frequent is drawn from, what is rare may be repeated. A model trained on uneven rows prefers the frequent answer
where it is unsure, which is right where the traffic is as uneven: balance where the file is not what will be asked
(`tunewright data coverage FILE --against TRAFFIC` tells), or where each answer counts alike.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json
from tunewright.data.names import listed
from tunewright.data.ops._drawn import standing, times_each
from tunewright.data.ops.op import Note, OpSpec, Rows, Said, Touched, named
from tunewright.data.repeats import REPEAT

VERSION = "2"
MOST_VALUES = 1000
"""More different ones are no labels."""


class Balance(OpSpec):
    """Draw from frequent answers (or values of a field), and repeat rows of rare ones."""

    op: Literal["balance"] = "balance"
    """Chooses this op."""
    field: str | None = None
    """The field whose values are balanced; left out, the answers."""
    most: int | None = Field(None, ge=1)
    """The most rows that a value keeps."""
    ratio: float | None = Field(None, ge=1)
    """The most rows that a value keeps, as a multiple of the rarest value's (after repeating): 1 makes all equal."""
    least: int | None = Field(None, ge=1)
    """Repeat rows of values that have fewer, up to so many. Repetitions are kept out of dev and test."""
    repeats: int = Field(4, ge=2, le=100)
    """A row stands so many times at most: up to four passes teach nearly as much as new rows would (arXiv:2305.16264)."""
    seed: int = 0
    """Seeds the draw."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.most is None and self.ratio is None and self.least is None:
            raise ValueError("it has nothing to do: give most, ratio or least")
        if self.most is not None and self.least is not None and self.least > self.most:
            raise ValueError(f"least ({self.least}) is above most ({self.most})")
        return self


def reads(spec: Balance) -> Mapping[str, frozenset[str]]:
    """The field whose values are balanced."""
    return named(field=spec.field)


def writes(spec: Balance, given: frozenset[str]) -> frozenset[str]:
    """The mark of rows that stand again."""
    return frozenset({REPEAT} if spec.least is not None else ())


def touches(spec: Balance, given: frozenset[str]) -> Touched:
    """Of turns, the answer alone."""
    return Touched(frozenset({"expected"} if spec.field is None else ()), kinds={REPEAT: "object"})


def apply(spec: Balance, rows: Rows) -> Iterator[Said]:
    """Rows of each value, so many as the bounds allow. Raises DataError where there are too many values, or no such
    field."""
    ids: dict[str, list[str]] = {}
    for row in rows:
        ids.setdefault(_value(spec, row), []).append(row.id)
        if len(ids) > MOST_VALUES:
            raise DataError(
                f"there are more than {MOST_VALUES:,} different {'answers' if spec.field is None else 'values'}.",
                where="recipe.balance.field",
                fix="Name a field with few values, or balance by nothing: sample draws from all rows.",
            )
    wanted = counts({value: len(found) for value, found in ids.items()}, spec)
    times = {value: iter(times_each(found, wanted[value], spec.seed)) for value, found in ids.items()}
    for row in rows:
        value = _value(spec, row)
        yield from standing(row, next(times[value]), f"{_shown(value)} has more than its share")
    if short := [value for value in wanted if spec.least is not None and wanted[value] < spec.least]:
        named = ", ".join(f"{_shown(value)} {wanted[value]}" for value in short[:5])
        whose = "one value has" if len(short) == 1 else f"{len(short):,} values have"
        yield Note(f"{whose} fewer than {spec.least:,} rows even so: {named}.")


def counts(there: dict[str, int], spec: Balance) -> dict[str, int]:
    """How many rows of each value are to stand."""
    wanted = Counter(there)
    if spec.least is not None:
        for value, number in there.items():
            wanted[value] = max(number, min(spec.least, spec.repeats * number))
    bounds = [spec.most] if spec.most is not None else []
    if spec.ratio is not None and wanted:
        bounds.append(max(1, round(spec.ratio * min(wanted.values()))))
    most = min(bounds, default=None)
    return {value: number if most is None else min(number, most) for value, number in wanted.items()}


def _value(spec: Balance, row: Example) -> str:
    """What the row is counted under."""
    if spec.field is None:
        return row.expected.strip()
    if spec.field not in row.fields:
        raise DataError(
            f"the row {row.place} has no field {spec.field!r}; its fields are {listed(row.fields)}.",
            where="recipe.balance.field",
            fix="Name a field of every row, or leave it out: then answers are balanced.",
        )
    value = row.fields[spec.field]
    return value if isinstance(value, str) else canonical_json(value)


def _shown(value: str) -> str:
    text = " ".join(value.split()) or "(blank)"
    return text if len(text) <= 60 else f"{text[:57]}…"
