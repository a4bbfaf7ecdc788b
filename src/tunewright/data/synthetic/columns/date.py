"""date: a day or a moment between two, or some days after another column's, as an ISO text."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.formula import BadCell

_SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


class DateColumn(ColumnSpec):
    """A day, or a moment, between two, or after another column's."""

    NAMES: ClassVar[tuple[str, ...]] = ("after",)
    KIND: ClassVar[Kind] = "text"

    type: Literal["date"] = "date"
    """Chooses this column."""
    first: date | None = None
    """The earliest day: 2025-01-01."""
    last: date | None = None
    """The latest day; moments reach to its end."""
    after: str | None = None
    """Instead of both: another column with a day or a moment, after which this one is."""
    days: tuple[int, int] = (0, 30)
    """The fewest and the most days after it."""
    to: Literal["day", "hour", "minute", "second"] = "day"
    """How exact it is: a day, 2025-03-01, or a moment, 2025-03-01T14:05:00."""
    workdays: bool = False
    """Monday to Friday alone."""

    @model_validator(mode="after")
    def _goes_forward(self) -> Self:
        if self.after is not None:
            if self.first is not None or self.last is not None:
                raise ValueError(
                    "a date is between first and last, or after another column's: give one of both"
                )
            if not 0 <= self.days[0] <= self.days[1] <= 100_000:
                raise ValueError(f"days ({self.days[0]} to {self.days[1]}) are no days after: [0, 30]")
            return self
        if self.first is None or self.last is None:
            raise ValueError("a date needs first and last, or another column that it comes after")
        if self.first > self.last:
            raise ValueError(f"first ({self.first}) is after last ({self.last})")
        if self.workdays and not any(map(_works, _week(self.first, self.last))):
            raise ValueError(f"there is no workday from {self.first} to {self.last}")
        return self


def each(spec: DateColumn, name: str, means: Desk) -> Callable[[Cells], str]:
    """A day, or a moment of it."""

    def cell(cells: Cells) -> str:
        begin, end = _bounds(spec, cells)
        chance, step = cells.chance(name), timedelta(seconds=_SECONDS[spec.to])
        midnight = datetime.combine(begin.date(), time())
        # to the next whole step; a day has begun at its midnight
        begin = midnight if spec.to == "day" else midnight - (midnight - begin) // step * step
        steps = max(0, (end - begin) // step)
        last = begin + step * steps
        if spec.workdays and not any(map(_works, _week(begin.date(), last.date()))):
            raise BadCell(f"there is no workday from {begin.date()} to {last.date()}")
        moment = begin + step * chance.randint(0, steps)
        while spec.workdays and not _works(moment.date()):
            moment = begin + step * chance.randint(0, steps)
        return moment.date().isoformat() if spec.to == "day" else moment.isoformat()

    return cell


def _bounds(spec: DateColumn, cells: Cells) -> tuple[datetime, datetime]:
    """The first and the last moment. Raises BadCell where the column that it comes after has none."""
    if spec.after is None:
        assert spec.first is not None
        assert spec.last is not None
        return datetime.combine(spec.first, time()), datetime.combine(spec.last, time(23, 59, 59))
    given = cells.values[spec.after]
    try:
        there = datetime.fromisoformat(given).replace(tzinfo=None, microsecond=0)
    except (TypeError, ValueError):
        raise BadCell(f"{spec.after} is {given!r:.40}, no date that it could come after") from None
    if len(given) > len("2025-01-01"):
        return there + timedelta(spec.days[0]), there + timedelta(spec.days[1])
    return there + timedelta(spec.days[0]), there + timedelta(spec.days[1], seconds=86399)


def _week(first: date, last: date) -> Iterator[date]:
    """The days from one to another, seven at most: these have all days of the week."""
    return (first + timedelta(n) for n in range(min(7, (last - first).days + 1)))


def _works(day: date) -> bool:
    return day.weekday() < 5
