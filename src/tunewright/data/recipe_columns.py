"""Columns of a recipe's rows: which an operation takes, reads, adds, changes and takes away, and of what kind each is.

    given = columns_of(rows)                  # (Column("messages", "conversation"), Column("label", "text"), …)
    passed(node, given).made                  # what its rows will have
    passed(node, given, columns_of(made))     # what they have, where it was worked

An operation says what it touches (data/ops/op.py); of rows that are there, kinds are seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tunewright.core.example import Example
from tunewright.data.examples import evenly
from tunewright.data.ops._expression import OWN
from tunewright.data.ops.op import MESSAGES, Kind
from tunewright.data.recipe import Node

LOOKED = 1000
"""Rows in which columns are looked for, evenly drawn from all."""

_EVERY = frozenset({MESSAGES, "input", "expected"})
"""What every row has, besides its fields."""


class Column(NamedTuple):
    """A column of rows."""

    name: str
    kind: Kind
    is_field: bool = True
    """Whether it is a field; else it is what every row may have (`messages`, `rejected`, `desirable`)."""


Columns = tuple[Column, ...]


class Passed(NamedTuple):
    """What becomes of columns in an operation."""

    given: Columns | None
    """Of the rows that it takes; None where that is not known."""
    reads: tuple[str, ...]
    """What it looks at: `messages` are all turns; `input`, `expected` and others are as expressions name them."""
    adds: Columns
    changes: tuple[str, ...]
    """What it may write anew."""
    removes: tuple[str, ...]
    made: Columns | None
    """Of the rows that it makes."""
    is_seen: bool
    """Whether `made` was looked for in rows that it made; else it is what its settings say."""


def columns_of(rows: Sequence[Example]) -> Columns:
    """What rows have, by LOOKED of them: turns first, then fields as they are met. Nulls tell no kind."""
    turns, kinds, blank = dict[str, Kind](), dict[str, Kind](), dict[str, Kind]()
    for row in evenly(rows, LOOKED):
        _take(turns, MESSAGES, "document" if row.is_document else "conversation")
        if row.rejected is not None:
            _take(turns, "rejected", "text")
        if row.rated:
            _take(turns, "desirable", "boolean")
        for name, value in row.fields.items():
            blank.setdefault(name, "any")
            if value is not None:
                _take(kinds, name, _kind(value))
    own = (Column(name, kind, is_field=False) for name, kind in turns.items())
    return (*own, *(Column(name, kind) for name, kind in (blank | kinds).items()))


def together(several: Iterable[Columns | None]) -> Columns | None:
    """What the rows of several needs have; None where one is not known."""
    found = dict[tuple[str, bool], Kind]()
    for columns in several:
        if columns is None:
            return None
        for column in columns:
            _take(found, (column.name, column.is_field), column.kind)
    every = [Column(name, kind, is_field) for (name, is_field), kind in found.items()]
    return tuple(sorted(every, key=lambda column: column.is_field))


def passed(node: Node, given: Columns | None, seen: Columns | None = None) -> Passed:
    """What becomes of the columns `given` in an operation; `seen` are those of the rows that it made."""
    names = frozenset(column.name for column in given or () if column.is_field)
    touched, may_have = node.touches(names), node.fields(names)
    there = (
        touched.changes if given is None else touched.changes & {*_EVERY, *(column.name for column in given)}
    )
    if seen is None or given is None:
        new = sorted((may_have or frozenset()) - names)
        adds = tuple(Column(name, touched.kinds.get(name, "any")) for name in new)
        made = None if given is None else (*(_written(column, touched.kinds) for column in given), *adds)
        return Passed(given, _in_order(touched.reads), adds, _in_order(there - {*new}), (), made, False)
    fields = {column.name: column for column in seen if column.is_field}
    adds = tuple(
        column
        for name, column in fields.items()
        if name not in names and (may_have is None or name in may_have)
    )
    removes = (names & touched.changes) - fields.keys()
    reads, changes = _in_order(touched.reads), _in_order(there - removes)
    return Passed(given, reads, adds, changes, tuple(sorted(removes)), seen, True)


def _written(column: Column, kinds: Mapping[str, Kind]) -> Column:
    """The column as it is where an operation writes values of these kinds."""
    return column._replace(kind=kinds[column.name]) if column.is_field and column.name in kinds else column


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """What every row has first, then fields."""
    return tuple(sorted(names, key=lambda name: (name != MESSAGES, name not in OWN, name)))


def _take(kinds: dict[Any, Kind], name: object, kind: Kind) -> None:
    """Note that one more value is of that kind."""
    kinds[name] = kind if kinds.get(name, kind) == kind else "any"


def _kind(value: Any) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
