"""sample: a seeded random sample, of all rows or of each kind of them, in the order the rows had or in a drawn one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json, hash_value
from tunewright.data.ops.op import Dropped, Kept, OpSpec, Rows, Said, Touched, judged, named

LABEL = "label"
"""Stands for the answer, where no row has a field of that name."""
MOST_STRATA = 1000
"""More different values are no strata."""


class Sample(OpSpec):
    """Keep a seeded random sample, put rows into a seeded random order, or both."""

    op: Literal["sample"] = "sample"
    """Chooses this op."""
    rows: int | None = Field(None, gt=0)
    """How many rows to keep."""
    share: float | None = Field(None, gt=0, lt=1)
    """Or which share of them: 0.1 keeps a tenth."""
    stratify_by: str | None = None
    """A field of few values, or `label` for the answer: each value keeps its share of the rows, and one row where
    there are as many rows to keep as values."""
    shuffle: bool = False
    """Whether the rows come in a drawn order, rather than in the one that they had; alone, all of them."""
    seed: int = 0
    """Seeds the draw."""

    @model_validator(mode="after")
    def _draws(self) -> Self:
        if self.rows is not None and self.share is not None:
            raise ValueError("rows and share are two ways to say how many: give one")
        if self.rows is None and self.share is None:
            if not self.shuffle:
                raise ValueError("it has nothing to do: give rows, share or shuffle")
            if self.stratify_by is not None:
                raise ValueError("stratify_by says of which values rows are kept: give rows or share, too")
        return self


def reads(spec: Sample) -> Mapping[str, frozenset[str]]:
    """The field whose values are the strata; `label` may be the answer."""
    return named(stratify_by=None if spec.stratify_by == LABEL else spec.stratify_by)


def touches(spec: Sample, given: frozenset[str]) -> Touched:
    """Of turns, the answer where it is the stratum."""
    by_answer = spec.stratify_by == LABEL and LABEL not in given
    by_field = {LABEL} if spec.stratify_by == LABEL else set[str]()
    return Touched(frozenset({"expected"} if by_answer else by_field))


def apply(spec: Sample, rows: Rows) -> Iterator[Said]:
    """Keep the examples whose hash with the seed is smallest: a row's chance does not hang on the row order.

    Raises DataError where there are too many strata, or a row has none.
    """
    draws = _draws(rows, spec.seed)
    chosen = _chosen(spec, rows, draws)
    if not spec.shuffle:
        for number, row in enumerate(rows):
            yield judged(row, None if number in chosen else _NOT_DRAWN)
        return
    for number, row in enumerate(rows):
        if number not in chosen:
            yield Dropped(row, _NOT_DRAWN)
    # an order of its own: by the draw itself, rows of rare strata would stand later
    order = sorted(chosen, key=lambda number: hash_value(["order", draws[number][0]]))
    for number in order:
        yield Kept(rows[number])


_NOT_DRAWN = "not drawn"


def _chosen(spec: Sample, rows: Rows, draws: Sequence[tuple[str, int]]) -> set[int]:
    """The numbers of the rows that stay."""
    total = len(draws)
    count = spec.rows if spec.rows is not None else total
    if spec.share is not None:
        count = max(1, int(spec.share * total + 0.5))
    if spec.stratify_by is None:
        return _first(draws, count)
    strata = dict[str, list[tuple[str, int]]]()
    for draw, value in zip(draws, _values(rows, spec.stratify_by), strict=True):
        strata.setdefault(value, []).append(draw)
        if len(strata) > MOST_STRATA:
            raise DataError(
                f"{spec.stratify_by!r} has more than {MOST_STRATA:,} different values.",
                where="recipe, sample.stratify_by",
                fix="Name a field with few values, or leave it out.",
            )
    wanted = counts({value: len(found) for value, found in strata.items()}, count)
    return set().union(*(_first(found, wanted[value]) for value, found in strata.items()))


def _values(rows: Rows, field: str) -> Iterator[str]:
    """The stratum of each row. Raises DataError for a row without the field."""
    answers = field == LABEL and not any(LABEL in row.fields for row in rows)
    for row in rows:
        if answers:
            yield row.expected.strip()
        elif field in row.fields:
            yield canonical_json(row.fields[field])
        else:
            raise DataError(
                f"the row {row.place} has no field {field!r}, by which rows are drawn.",
                where="recipe, sample.stratify_by",
                fix="Name a field of every row, or `label` for the answer.",
            )


def counts(there: Mapping[str, int], total: int) -> dict[str, int]:
    """How many rows of each stratum are kept, of so many in all.

    Each has its share rounded down, what is left goes to the largest remainders (Hamilton's method); of equals to one
    that would have none, then to the larger, then by name. Where there are rows enough, one that has none even so takes
    one from the largest, which misses it least.
    """
    whole = sum(there.values())
    total = min(total, whole)
    wanted = {value: number * total // whole for value, number in there.items()}
    by_rest = sorted(
        there, key=lambda one: (-(there[one] * total % whole), wanted[one] > 0, -there[one], one)
    )
    for value in by_rest[: total - sum(wanted.values())]:
        wanted[value] += 1
    if total >= len(there):
        for value in [value for value in by_rest if wanted[value] == 0]:
            wanted[max(wanted, key=lambda one: (wanted[one], one))] -= 1
            wanted[value] = 1
    return wanted


def drawn(rows: Sequence[Example], count: int, seed: int) -> set[int]:
    """The numbers of the `count` rows whose hash with the seed is smallest."""
    return _first(_draws(rows, seed), count)


def _draws(rows: Sequence[Example], seed: int) -> list[tuple[str, int]]:
    """What each row is drawn by, and its number. Equal rows draw apart."""
    seen: Counter[str] = Counter()
    draws = []
    for number, row in enumerate(rows):
        seen[row.id] += 1
        draws.append((hash_value([seed, row.id, seen[row.id]]), number))
    return draws


def _first(draws: Sequence[tuple[str, int]], count: int) -> set[int]:
    return {number for _, number in sorted(draws)[:count]}
