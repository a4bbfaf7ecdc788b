"""What the templates draw: plain tables, tables with a drawn column, bar tables. Cells are ready to show."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from tunewright.report.plots import bar
from tunewright.report.text import clip, fact

_ROWS = 40
"""The most rows of a table that came from outside."""
_CELL = 160
"""The most characters of one of its cells."""


class Table(NamedTuple):
    """A table of text; `numeric` are the columns set to the right. The first column holds the row's name."""

    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numeric: frozenset[int] = frozenset()


class PlotRow(NamedTuple):
    """One row of an interval plot."""

    name: str
    svg: Markup
    value: str
    span: str
    note: str = ""
    strong: bool = False


class Plot(NamedTuple):
    """A table whose middle column is drawn."""

    caption: str
    label: str
    drawn: str
    number: str
    rows: list[PlotRow]
    axis: Markup


class BarRow(NamedTuple):
    """One value with its bar."""

    name: str
    svg: Markup
    value: str


class Bars(NamedTuple):
    """Counts as bars, as wide as their share of the largest."""

    caption: str
    rows: list[BarRow]


def bars(caption: str, counts: Mapping[str, float]) -> Bars:
    """Counts as bars, in the order given; the rest summed up where there are too many, with a bar as wide as the widest."""
    items = list(counts.items())
    largest = max((number for _, number in items), default=0) or 1
    if len(items) > _ROWS:
        rest = items[_ROWS - 1 :]
        items = [*items[: _ROWS - 1], (f"{len(rest):,} others", sum(number for _, number in rest))]
    return Bars(
        caption,
        [
            BarRow(
                clip(name, _CELL),
                bar(min(max(number, 0) / largest, 1), f"{name}: {fact(number)}"),
                fact(number),
            )
            for name, number in items
        ],
    )


def table_of(caption: str, rows: Sequence[Any]) -> Table:
    """A table of rows from outside: mappings (their keys become the head) or plain values."""
    shown = [row if isinstance(row, Mapping) else {"": row} for row in rows[:_ROWS]]
    head = tuple(dict.fromkeys(str(key) for row in shown for key in row))
    numeric = frozenset(
        column
        for column, name in enumerate(head)
        if column
        and all(
            isinstance(row.get(name, 0), int | float) and not isinstance(row.get(name), bool) for row in shown
        )
    )
    cells = [tuple(clip(fact(row.get(name)) if name in row else "", _CELL) for name in head) for row in shown]
    more = f" (the first {_ROWS} of {len(rows):,})" if len(rows) > _ROWS else ""
    return Table(caption + more, tuple(_title(name) for name in head), cells, numeric)


def split_facts(values: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[Table], list[Bars]]:
    """A summary's single facts, its lists of rows as tables, its counts by name as bars; empty values are left out."""
    facts: list[tuple[str, str]] = []
    tables: list[Table] = []
    charts: list[Bars] = []
    for name, value in values.items():
        if isinstance(value, Mapping) and value and all(_is_number(number) for number in value.values()):
            charts.append(bars(_title(name), {str(key): number for key, number in value.items()}))
        elif isinstance(value, Mapping) and value and all(isinstance(row, Mapping) for row in value.values()):
            tables.append(table_of(_title(name), [{_title(name): key, **row} for key, row in value.items()]))
        elif isinstance(value, list | tuple) and value and all(isinstance(row, Mapping) for row in value):
            tables.append(table_of(_title(name), value))
        elif value not in (None, "", [], {}, ()):
            facts.append((_title(name), clip(fact(value), 600)))
    return facts, tables, charts


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _title(name: str) -> str:
    return str(name).replace("_", " ")
