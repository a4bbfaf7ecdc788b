"""drop_near_duplicates: of rows that say nearly the same, the best stays.

Rows are near when every part of theirs is: what is asked, what is answered, the rejected answer (data/near.py says what near
is; parts of one or two words have to be equal). Instructions, tools and rating have to be equal. So a question asked
in other words stays where its answer is another one.
"""

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.core.message import tools_of
from tunewright.data.names import listed
from tunewright.data.normal import instructions_key
from tunewright.data.ops.op import OpSpec, Rows, Said, judged

Parts = tuple[str, ...]


class DropNearDuplicates(OpSpec):
    """Of rows that say nearly the same, keep the best."""

    op: Literal["drop_near_duplicates"] = "drop_near_duplicates"
    """Chooses this op."""
    threshold: float = Field(0.7, ge=0.3, le=1)
    """The share of word pairs that two texts have in common from which on they are near; at 0.7 about one word in eleven
    may differ."""
    keep: Literal["first", "longest_answer", "highest", "lowest"] = "first"
    """Which row of a group stays: the first, the one with the longest answer, or the one with the highest or lowest
    number in `field`."""
    field: str | None = None
    """The field that `highest` and `lowest` go by."""
    seed: int = 0
    """Seeds the search for candidates."""

    @model_validator(mode="after")
    def _a_field_to_go_by(self) -> Self:
        if (self.keep in ("highest", "lowest")) != (self.field is not None):
            raise ValueError("keep: highest and keep: lowest need a `field`, and the others take none")
        return self


def apply(spec: DropNearDuplicates, rows: Rows) -> Iterator[Said]:
    """Keep the head of each group and every row without near ones.

    Raises DataError where a row has no number in the field that says which is best.
    """
    from tunewright.data.near import near_heads

    ranks = [] if spec.keep == "first" else [_rank(spec, row) for row in rows]
    order = sorted(range(len(ranks)), key=ranks.__getitem__) if ranks else range(len(rows))
    heads = near_heads(_Compared(rows, order), threshold=spec.threshold, seed=spec.seed).tolist()
    stays = {order[at]: order[head] for at, head in enumerate(heads) if head != at}
    for number, row in enumerate(rows):
        head = stays.get(number)
        yield judged(row, None if head is None else f"nearly the same as {rows[head].place}")


def _rank(spec: DropNearDuplicates, example: Example) -> float:
    """The smaller, the better; of equals the first row is."""
    if spec.keep == "longest_answer":
        return -len(example.expected)
    value = example.fields.get(spec.field or "")
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise DataError(
            f"the row {example.place} has no number in the field {spec.field!r}; its fields are {listed(example.fields)}.",
            where="recipe.drop_near_duplicates.field",
            fix="Name a field that holds a number in every row, or keep: first.",
        )
    return -value if spec.keep == "highest" else value


class _Compared(ByPlace[Parts]):
    """The parts that are compared, of the rows in this order."""

    def __init__(self, rows: Rows, order: Sequence[int]) -> None:
        self._rows = rows
        self._order = order

    def __iter__(self) -> Iterator[Parts]:
        in_order = isinstance(self._order, range)  # much quicker to read than row by row
        return map(_parts, self._rows if in_order else (self._rows[number] for number in self._order))

    def __len__(self) -> int:
        return len(self._order)

    def read(self, place: int) -> Parts:
        return _parts(self._rows[self._order[place]])


def _parts(example: Example) -> Parts:
    turns = list(dropwhile(lambda message: message.instructs, example.prompt)) or list(example.prompt)
    asker = turns[0].role if turns else None
    alike = [instructions_key(example), asker, tools_of(example.messages), example.desirable]
    asked = "\n".join(message.said for message in turns)
    return (hash_value(alike), asked, example.expected, example.rejected or "")
