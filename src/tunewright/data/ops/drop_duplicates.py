"""drop_duplicates: of rows with the same messages, the best stays."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from tunewright.data.ops._best import BestSpec, ranks_of
from tunewright.data.ops.op import WHOLE, Rows, Touched, named

if TYPE_CHECKING:
    from tunewright.data.keyed import Keys  # it brings numpy


class DropDuplicates(BestSpec):
    """Of rows with the same messages, rejected answer and rating (letter case and blanks aside), keep the best."""

    op: Literal["drop_duplicates"] = "drop_duplicates"
    """Chooses this op."""


def reads(spec: DropDuplicates) -> Mapping[str, frozenset[str]]:
    """The field that says which row is best."""
    return named(field=spec.field)


def touches(spec: DropDuplicates, given: frozenset[str]) -> Touched:
    """The whole row but its fields."""
    return WHOLE


def by_keys(spec: DropDuplicates, keys: "Keys", rows: Rows) -> Iterator[str | None]:
    """Drop every row that equals a better one, letter case and blanks aside; of equals the first stays.

    Raises DataError where a row has no number in the field that says which is best.
    """
    from tunewright.data.straddle import first_equal

    first, ranks = first_equal(keys["whole"]).tolist(), ranks_of(spec, rows)
    stays = dict[int, int]()
    for number, rank in enumerate(ranks):
        head = stays.setdefault(first[number], number)
        if rank < ranks[head]:
            stays[first[number]] = number
    for number, group in enumerate(first):
        head = stays.get(group, group)
        yield None if head == number else f"the same as {rows[head].place}"
