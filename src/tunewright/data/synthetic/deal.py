"""Dealing seeds out: which new rows are made, and from which rows each is written."""

import random
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import count as numbers

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.synthetic.columns import Column, ReplyColumn, SeedColumn
from tunewright.data.synthetic.columns.column import Cells
from tunewright.data.synthetic.formula import BadCell, expression


class Deal:
    """The seeds among given rows, dealt out to new ones."""

    def __init__(
        self, columns: Mapping[str, Column], rows: Sequence[Example], seeds: str | None, draw: int
    ) -> None:
        """`seeds` is an expression over rows that says which of them are seeds; none: all are."""
        found = {name: column for name, column in columns.items() if isinstance(column, SeedColumn)}
        self.from_one = from_one_seed(columns)
        """Whether each new row is written from one row as a whole."""
        self._further = {name: column.count for name, column in found.items() if column.count is not None}
        self._rows, self._draw = rows, draw
        self.places = array(
            "q", (at for at, row in enumerate(rows) if is_seed(row, seeds)) if found or self.from_one else ()
        )
        """Where the seeds stand among the rows."""

    @property
    def wanted(self) -> int:
        """The least number of seeds that the columns need."""
        return max([int(self.from_one), *(count + int(self.from_one) for count in self._further.values())])

    def each(self, copies: int) -> Iterator[Cells]:
        """So many new rows from each seed, in the seeds' order; what is drawn for one goes by its seed and no other."""
        seen = dict[str, int]()
        for at in self.places:
            seed = self._rows[at]
            seen[seed.id] = seen.get(seed.id, 0) + 1
            for copy in range(copies):
                yield self._cells(f"{seed.id}:{seen[seed.id]}:{copy}", at)

    def some(self, count: int) -> Iterator[Cells]:
        """So many new rows; the seeds come in a drawn order, all of them before one comes again."""
        order = list[int]()
        for number in range(count):
            if self.from_one and not order:
                order = list(self.places)
                random.Random(f"{self._draw} {number}").shuffle(order)
            yield self._cells(f"{number}", order.pop() if self.from_one else None)

    def _cells(self, key: str, at: int | None) -> Cells:
        further = {
            name: [self._rows[place] for place in self._others(f"{self._draw} {name} {key}", count, at)]
            for name, count in self._further.items()
        }
        seed = None if at is None else self._rows[at]
        return Cells(key, seed, further, draw=self._draw)

    def _others(self, key: str, count: int, but: int | None) -> list[int]:
        """So many different seeds, without one."""
        chance, chosen = random.Random(key), dict[int, None]()
        for _ in numbers():
            if len(chosen) == min(count, len(self.places) - (but is not None)):
                return list(chosen)
            if (place := chance.choice(self.places)) != but:
                chosen[place] = None
        raise AssertionError("numbers do not end")


def from_one_seed(columns: Mapping[str, Column]) -> bool:
    """Whether each new row is written from one row as a whole."""
    return any(
        isinstance(column, ReplyColumn) or (isinstance(column, SeedColumn) and column.count is None)
        for column in columns.values()
    )


def is_seed(row: Example, seeds: str | None) -> bool:
    """Whether an expression over a row says that it is a seed. Raises DataError where it has no value for the row."""
    if seeds is None:
        return True
    from tunewright.data.ops._expression import names  # the operations stand upon this room

    try:
        written = (
            {"depth": row.origin.depth, "teacher": row.origin.teacher}
            if row.origin
            else {"depth": 0, "teacher": ""}
        )
        return bool(expression(seeds).of({**names(row), **written}))
    except BadCell as bad:
        raise DataError(
            f"of {row.place} there is no value ({bad}).",
            where="recipe, generate.seeds",
            fix="Ask `name is defined` first, where not every row has it.",
        ) from None
