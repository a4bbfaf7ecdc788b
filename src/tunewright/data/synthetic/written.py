"""Writing rows: blocks of new ones, dealt, filled and made, with an eye on how many fail.

for said in written(task, rows, means): …       Added for each new row, GivenUp for each other that was tried, then Notes
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.generation import BUDGET
from tunewright.data.synthetic.columns import Column
from tunewright.data.synthetic.columns.column import Cells, Desk
from tunewright.data.synthetic.deal import Deal
from tunewright.data.synthetic.diversity import SAMPLE, Portrait, Sampled
from tunewright.data.synthetic.fill import Filler
from tunewright.data.synthetic.formula import BadCell
from tunewright.data.synthetic.given_up import FILE, given_up
from tunewright.data.synthetic.made import example
from tunewright.data.synthetic.plan import order

if TYPE_CHECKING:
    from tunewright.data.ops.op import Said

FIRST, BLOCK = 20, 200
"""New rows that are made at once: few at first, so that a design that fails costs little."""
_TOLD = 3
"""Reasons that are told."""
_SHOWN = 160


class Design(NamedTuple):
    """What rows are made of."""

    columns: Mapping[str, Column]
    parts: Mapping[str, str]
    """input, expected, … → a column's name or a template."""
    onto_seed: bool = False
    """Whether a row is its seed with these parts anew."""


class Order(NamedTuple):
    """What is to be written."""

    design: Design
    name: str
    """The operation's."""
    rows: int | None
    per_row: int | None
    """How many in all, or from each seed."""
    seeds: str | None
    carry: Sequence[str] | None
    teacher: str
    stop_after_failures: float
    seed: int


def written(what: Order, rows: Sequence[Example], means: Desk) -> "Iterator[Said]":
    """The new rows, as they come, and those that were given up.

    Raises DataError where seeds are missing or too many rows fail; and what `means` raise.
    """
    from tunewright.data.ops.op import Added, Note  # the operations stand upon this room

    deal = Deal(what.design.columns, rows, what.seeds, what.seed)
    _need_seeds(deal, what, rows)
    names = order(what.design.columns)
    filler = Filler(
        what.design.columns, names, teacher=what.teacher, seed=what.seed, means=means, owner=what.name
    )
    tally, new, old = _Tally(what), Sampled(what.seed), Sampled(what.seed)
    todo = deal.each(what.per_row) if what.per_row else deal.some(what.rows or 0)
    size = FIRST
    while not filler.used_up and (block := list(islice(todo, size))):
        filler.fill(block)
        for cells in block:
            if (made := _made(cells, what, tally)) is None:
                yield given_up(cells, what.name, tally.tried)
                continue
            new.take(made)
            yield Added(made, cells.seed or made)
        tally.look()
        size = BLOCK
    wanted = what.rows or len(deal.places) * (what.per_row or 0)
    tally.close(unasked=wanted - tally.made - tally.failed - tally.unasked)
    for at in random.Random(what.seed).sample(deal.places, min(SAMPLE, len(deal.places))):
        old.take(rows[at])
    yield from map(Note, [*_deep(deal, rows), *tally.notes(), *filler.same(), *Portrait.of(new, old).notes()])


def _deep(deal: Deal, rows: Sequence[Example]) -> Iterator[str]:
    """That seeds were written by models, where some were."""
    count = sum(1 for at in deal.places if (origin := rows[at].origin) is not None and origin.depth > 0)
    if count:
        yield f"{count:,} of {len(deal.places):,} seeds were themselves written by models or rules."


def _need_seeds(deal: Deal, what: Order, rows: Sequence[Example]) -> None:
    if (there := len(deal.places)) >= deal.wanted:
        return
    among = f" among the {len(rows):,} rows that it takes" if rows else ""
    raise DataError(
        f"there are {there:,} seeds{among}, and a row is written from {deal.wanted:,}.",
        where=f"recipe, {what.name}",
        fix="Look at `seeds` and `needs`, or at what leads to it (`tunewright data preview`).",
    )


def _made(cells: Cells, what: Order, tally: "_Tally") -> Example | None:
    """The example of a filled row; None where it was given up, which is counted."""
    if cells.failure is None:
        try:
            seed = cells.seed if what.design.onto_seed else None
            made = example(cells, what.design.parts, what.name, tally.tried + 1, what.carry, onto=seed)
        except BadCell as bad:
            cells.failure = str(bad)
        else:
            tally.made += 1
            tally.cut.update(cells.cut)
            return made
    tally.give_up(cells.failure or "")
    return None


class _Tally:
    """How many rows were made, and why others were not."""

    def __init__(self, what: Order) -> None:
        self._what = what
        self.made = self.failed = self.unasked = 0
        self._reasons = Counter[str]()
        self._first = dict[str, str]()
        self.cut = Counter[str]()

    @property
    def tried(self) -> int:
        """Rows that were made or given up so far."""
        return self.made + self.failed + self.unasked

    def give_up(self, reason: str) -> None:
        """Count a row that could not be made; one that nobody was asked for is no failure."""
        if reason == BUDGET:
            self.unasked += 1
            return
        self.failed += 1
        kind = reason.partition(":")[0] if ":" in reason[:60] else reason[:60]
        self._reasons[kind] += 1
        self._first.setdefault(kind, reason)

    def look(self) -> None:
        """Raises DataError where more of the rows so far failed than may."""
        if self.made + self.failed >= FIRST:
            self._stop_if_too_many()

    def close(self, unasked: int) -> None:
        """The last look. Raises DataError as `look` does, and where nothing was made."""
        self.unasked += unasked
        if self.failed:
            self._stop_if_too_many()
        if not self.made:
            raise DataError(
                "no row was made: the teacher's budget was used up before.",
                where=f"recipe, {self._what.name}",
                fix="Raise max_calls or max_cost of the teacher, or ask for fewer columns.",
            )

    def _stop_if_too_many(self) -> None:
        done = self.made + self.failed
        if self.failed <= self._what.stop_after_failures * done and self.made:
            return
        kind, count = self._reasons.most_common(1)[0]
        raise DataError(
            f"{self.failed:,} of the first {done:,} rows could not be made, {count:,} of them like this: "
            f"{_short(self._first[kind])}.",
            where=f"recipe, {self._what.name}",
            fix="Mend the column (`tunewright data preview` makes five rows), or raise stop_after_failures.",
        )

    def notes(self) -> Iterator[str]:
        """What there is to be told."""
        if self.failed:
            first = "; ".join(
                f"{n:,} × {_short(self._first[kind])}" for kind, n in self._reasons.most_common(_TOLD)
            )
            yield f"{self.failed:,} of {self.made + self.failed:,} new rows were given up ({FILE} has them): {first}."
        for name, count in sorted(self.cut.items()):
            yield (
                f"{name}: of {count:,} of {self.made:,} new rows the seed was longer than it may be, and only its beginning"
                " was read: cut documents before (`chunk`), or raise `chars`."
            )
        if self.unasked:
            yield f"{self.unasked:,} rows were not asked for: the teacher's budget was used up."


def _short(reason: str) -> str:
    said = " ".join(reason.split()).rstrip(".")
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"
