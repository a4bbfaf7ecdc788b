"""Which rows are to be reviewed, and in what order.

queue = choose(rows, reviews, Selection(where="chars > 2000", rows=50), by="ann")
"""

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from tunewright.core.errors import DataError, UserError
from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.core.spec import Spec
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops._expression import Expression, checked
from tunewright.data.review.decision import Drawn, key_of
from tunewright.data.review.standing import Reviews, Standing


class Selection(Spec):
    """Which rows a reviewer wants to see; what is left out asks for nothing."""

    rows: int | None = Field(None, gt=0)
    """The most rows."""
    row: tuple[str, ...] = ()
    """Just these, reviewed or not: places (tickets.csv:12), or examples' ids."""
    of: str | None = None
    """An operation before the review: the rows that it changed."""
    where: str | None = None
    """An expression as `filter` takes it: the rows of which it is true."""
    finding: str | None = None
    """A kind of finding of the audit (secret, contradiction, …), or `any`: the rows that it is about."""
    lowest: str | None = None
    """A field with numbers: the rows with the lowest first."""
    second: bool = False
    """The rows that others reviewed and you did not: what two people judge tells how far they agree."""
    disagreed: bool = False
    """The rows that reviewers judged differently."""
    again: bool = False
    """Reviewed rows as well, behind the others."""
    in_order: bool = False
    """In the order in which they stand, not drawn at random."""
    seed: int = 0
    """Seeds the draw."""

    @field_validator("where")
    @classmethod
    def _is_jinja(cls, where: str | None) -> str | None:
        return where if where is None else checked(where)

    @property
    def draws(self) -> bool:
        """Whether its rows are drawn at random out of all, and speak for the others."""
        chosen = (self.of, self.where, self.finding, self.lowest)
        by_hand = self.row or self.second or self.disagreed or self.in_order
        return chosen == (None,) * len(chosen) and not by_hand


class Chosen(NamedTuple):
    """The rows of a queue."""

    numbers: Sequence[int]
    """Their places among all rows, in the order of the queue."""
    why: Mapping[int, str]
    """Why a row is here, where that is more than the draw."""
    drawn: Drawn
    rows: int
    """All rows that were looked at."""
    reviewed: int
    """Those of them that somebody reviewed."""


Why = Callable[[int, Example], str | None]
"""Why the row of that number is chosen; None: it is not."""


def choose(
    rows: Sequence[Example], reviews: Reviews, selection: Selection, *, by: str, further: Sequence[Why] = ()
) -> Chosen:
    """The rows that a selection takes; `further` are choices that need more than a row to be made.

    Raises UserError where no row has the field that is asked for, DataError where the expression has no value.
    """
    asks = [*further, *_asks(selection)]
    order, numbers, why = list[tuple[bool, float]](), array("q"), dict[int, str]()
    reviewed, fields = 0, dict[str, None]()
    for number, row in enumerate(rows):
        standing = reviews.on(row)
        reviewed += standing.decision is not None
        told = _named_why(row, selection) if selection.row else _standing_why(standing, selection, by)
        if told is None:
            continue
        reasons = [told] if told else []
        for ask in asks:
            if (reason := ask(number, row)) is None:
                break
            reasons.append(reason)
        else:
            value = _number(row, selection.lowest)
            fields |= dict.fromkeys(row.fields)
            if value is None:
                continue
            if selection.lowest:
                reasons.append(f"{selection.lowest} {value:g}")
            drawn = number if selection.in_order else _draw(selection.seed, row)
            order.append(
                (standing.decision is not None and selection.again, value if selection.lowest else drawn)
            )
            numbers.append(number)
            if reasons:
                why[number] = "; ".join(reasons)
    if selection.lowest and not numbers and fields:
        _no_field(selection.lowest, fields)
    if selection.row and not numbers:
        fix = "Name its file and line (tickets.csv:12), or an example's id; `tunewright data why` tells what became of it."
        raise UserError(f"no row to review is {listed(selection.row)}", where="--row", fix=fix)
    ranked = sorted(range(len(numbers)), key=order.__getitem__)[: selection.rows]
    taken = array("q", (numbers[at] for at in ranked))
    kept = {number: why[number] for number in taken if number in why}
    return Chosen(taken, kept, "random" if selection.draws else "chosen", len(rows), reviewed)


def _asks(selection: Selection) -> list[Why]:
    if selection.where is None:
        return []
    source = selection.where
    holds = Expression(source, "--where")

    def why(number: int, row: Example) -> str | None:
        value = holds(row)
        if isinstance(value, str):
            said = f"{source!r} is the text {value[:40]!r} for {row.place}, neither true nor false"
            raise DataError(said, where="--where", fix=f'Compare it: {source} == "true".')
        return f"where {source}" if value else None

    return [why]


def _named_why(row: Example, selection: Selection) -> str | None:
    """Whether a row is named by its place or its id."""
    return "named" if row.place in selection.row or row.id in selection.row else None


def _standing_why(standing: Standing, selection: Selection, by: str) -> str | None:
    """Whether a row is asked for by how it stands, and why; None: it is not."""
    if selection.disagreed and not selection.second:
        said = ", ".join(f"{name or 'somebody'}: {one.verdict}" for name, one in standing.by.items())
        return f"judged differently ({said})" if standing.disagreed else None
    if selection.second:
        others = [name for name in standing.by if name != by]
        if not others or by in standing.by or (selection.disagreed and not standing.disagreed):
            return None
        return "reviewed by others, differently" if selection.disagreed else "reviewed by somebody else"
    if standing.decision is None:
        return "equal rows were judged differently" if standing.doubtful else ""
    return "reviewed before" if selection.again else None


def _number(row: Example, field: str | None) -> float | None:
    """The field's number, 0 where none is asked for, None where the row has none."""
    if field is None:
        return 0.0
    value: Any = row.fields.get(field)
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number  # "nan" is no place in an order


def _no_field(field: str, fields: Mapping[str, None]) -> None:
    raise UserError(
        f"no row that is left to review has a number in the field {field!r}; its fields are {listed(fields)}",
        where="--lowest",
        fix=did_you_mean(field, fields) or "Name a field with numbers, as `quality` writes.",
    )


def _draw(seed: int, row: Example) -> float:
    """The row's place in the draw, from 0 to 1: the same whatever the other rows are."""
    return int(hash_value([seed, *key_of(row)])[:13], 16) / 16**13
