"""drop_near_duplicates: of rows that say nearly the same, the best stays.

Rows are near when every part of theirs is: what is asked, what is answered, the rejected answer (data/near.py says what near
is; parts of one or two words have to be equal). Instructions, tools and rating have to be equal. So a question asked
in other words stays where its answer is another one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from tunewright.core.by_place import ByPlace
from tunewright.core.example import Example
from tunewright.data.ops._best import Asked, BestSpec, in_rank, ranks_of
from tunewright.data.ops.op import WHOLE, Rows, Touched, named

if TYPE_CHECKING:
    from tunewright.data.near import Signatures  # it brings numpy

Parts = tuple[str, ...]


class DropNearDuplicates(BestSpec):
    """Of rows that say nearly the same, keep the best."""

    op: Literal["drop_near_duplicates"] = "drop_near_duplicates"
    """Chooses this op."""
    threshold: float = Field(0.7, ge=0.3, le=1)
    """The share of word pairs that two texts have in common from which on they are near; at 0.7 about one word in eleven
    may differ."""
    seed: int = 0
    """Seeds the search for candidates."""


class Looked(NamedTuple):
    """What some rows are compared by."""

    signed: "Signatures"
    ranks: list[float]
    """Which is best, where it is not the first."""


def reads(spec: DropNearDuplicates) -> Mapping[str, frozenset[str]]:
    """The field that says which row is best."""
    return named(field=spec.field)


def touches(spec: DropNearDuplicates, given: frozenset[str]) -> Touched:
    """The whole row but its fields."""
    return WHOLE


def look(spec: DropNearDuplicates) -> Callable[[list[Example]], Looked]:
    """The rows' signatures and ranks. Raises DataError where a row has no number in the field that says which is best."""
    from tunewright.data.near import signatures

    def looked(rows: list[Example]) -> Looked:
        texts = [Asked.of(row) for row in rows]
        return Looked(signatures(texts, threshold=spec.threshold, seed=spec.seed), ranks_of(spec, rows))

    return looked


def judge(spec: DropNearDuplicates, looks: Iterator[Looked], rows: Rows) -> Iterator[str | None]:
    """Keep the head of each group and every row without near ones. Raises DataError as `look` does."""
    from tunewright.data.near import gathered, near_heads

    ranks = list[float]()

    def signed() -> Iterator["Signatures"]:
        for one in looks:
            ranks.extend(one.ranks)
            yield one.signed

    found = gathered(signed(), len(rows), threshold=spec.threshold)
    order = in_rank(spec, ranks, len(rows))
    if ranks:
        found.put_in_order(order)
    heads = near_heads(
        _Compared(rows, order), threshold=spec.threshold, seed=spec.seed, signed=found
    ).tolist()
    del found  # the largest part of all memory, and the rows are still to be gone through
    stays = {order[at]: order[head] for at, head in enumerate(heads) if head != at}
    for number in range(len(rows)):
        head = stays.get(number)
        yield None if head is None else f"nearly the same as {rows[head].place}"


class _Compared(ByPlace[Parts]):
    """The parts that are compared, of the rows in this order."""

    def __init__(self, rows: Rows, order: Sequence[int]) -> None:
        self._rows = rows
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def read(self, place: int) -> Parts:
        return Asked.of(self._rows[self._order[place]])
