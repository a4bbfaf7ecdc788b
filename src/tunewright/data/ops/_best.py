"""Which row of a group stays: settings and order of the operations that keep the best of rows that say the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import dropwhile
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.core.message import tools_of
from tunewright.data.names import listed
from tunewright.data.normal import instructions_key
from tunewright.data.ops.op import OpSpec, Rows, Said, judged


class BestSpec(OpSpec):
    """What operations have that keep the best of a group."""

    keep: Literal["first", "longest_answer", "highest", "lowest"] = "first"
    """Which row of a group stays: the first, the one with the longest answer, or the one with the highest or lowest
    number in `field`."""
    field: str | None = None
    """The field that `highest` and `lowest` go by."""

    @model_validator(mode="after")
    def _a_field_to_go_by(self) -> Self:
        if (self.keep in ("highest", "lowest")) != (self.field is not None):
            raise ValueError("keep: highest and keep: lowest need a `field`, and the others take none")
        return self


class Asked(NamedTuple):
    """A row as it is compared."""

    alike: str
    """Hash of what has to be equal: instructions, who asks, tools, rating."""
    question: str
    """All turns before the answer, without instructions where there are others."""
    answer: str
    rejected: str

    @classmethod
    def of(cls, example: Example) -> Self:
        """What is compared of an example; of a document its text is the answer."""
        turns = list(dropwhile(lambda message: message.instructs, example.prompt)) or list(example.prompt)
        asker = turns[0].role if turns else None
        alike = _alike(instructions_key(example), asker, tools_of(example.messages), example.desirable)
        asked = "\n".join(message.said for message in turns)
        return cls(alike, asked, example.expected, example.rejected or "")


@lru_cache(maxsize=256)
def _alike(instructions: str, asker: str | None, tools: str | None, desirable: bool) -> str:
    return hash_value([instructions, asker, tools, desirable])


def best_first(spec: BestSpec, rows: Rows) -> Sequence[int]:
    """The rows' numbers, the best first; of equals the first.

    Raises DataError where a row has no number in the field that says which is best.
    """
    return in_rank(spec, ranks_of(spec, rows), len(rows))


def ranks_of(spec: BestSpec, rows: Iterable[Example]) -> list[float]:
    """What the order goes by, the smallest first; nothing where the first row is the best. Raises DataError."""
    return [] if spec.keep == "first" else [_rank(spec, row) for row in rows]


def in_rank(spec: BestSpec, ranks: Sequence[float], count: int) -> Sequence[int]:
    """The numbers of so many rows, the best first; of equals the first."""
    return range(count) if spec.keep == "first" else sorted(range(count), key=ranks.__getitem__)


def without(rows: Rows, stays: Mapping[int, int], what: str) -> Iterator[Said]:
    """Every row in its order; those that another one `stays` for are dropped as `what` that one."""
    for number, row in enumerate(rows):
        head = stays.get(number)
        yield judged(row, None if head is None else f"{what} {rows[head].place}")


def _rank(spec: BestSpec, example: Example) -> float:
    """The smaller, the better."""
    if spec.keep == "longest_answer":
        return -len(example.expected)
    value = example.fields.get(spec.field or "")
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        name: str = spec.op  # type: ignore[attr-defined]
        raise DataError(
            f"the row {example.place} has no number in the field {spec.field!r}; its fields are {listed(example.fields)}.",
            where=f"recipe.{name}.field",
            fix="Name a field that holds a number in every row, or keep: first.",
        )
    return -value if spec.keep == "highest" else value
