"""Columns of a recipe's rows: which an operation takes, reads, adds, changes and takes away, and of what kind each is.

    given = columns_of(rows)                  # (Column("messages", "conversation"), Column("label", "text"), …)
    passed(node, given).made                  # what its rows will have
    passed(node, given, columns_of(made))     # what they have, where it was worked
    completed(given, rows, columns_of(made))  # with what is rare, and a look at some of the rows missed

An operation says what it touches (data/ops/op.py); of rows that are there, kinds are seen.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tunewright.core.example import Example
from tunewright.data.examples import chunks, evenly, from_lines
from tunewright.data.kinds import Kind, kind_of
from tunewright.data.kinds import together as alike
from tunewright.data.ops._expression import OWN
from tunewright.data.ops.op import DESIRABLE, MESSAGES, REJECTED, Touched
from tunewright.data.recipe import Node

LOOKED = 1000
"""Rows in which columns are looked for, evenly drawn from all."""

_EVERY = frozenset({MESSAGES, "input", "expected"})
"""What every row has, besides its fields."""
_PARTS: Mapping[str, Kind] = {REJECTED: "text", DESIRABLE: "boolean"}
"""What a row may have beside its turns."""


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
    """What it may write anew, in rows that have it."""
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
            _take(turns, REJECTED, _PARTS[REJECTED])
        if row.rated:
            _take(turns, DESIRABLE, _PARTS[DESIRABLE])
        for name, value in row.fields.items():
            blank.setdefault(name, "any")
            if value is not None:
                _take(kinds, name, kind_of(value))
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
    return _sorted(Column(name, kind, is_field) for (name, is_field), kind in found.items())


def completed(columns: Columns, rows: Sequence[Example], others: Columns) -> Columns:
    """The columns, and those of `others` that the rows have, too, though a look at LOOKED of them missed it.

    Each is looked for in all lines of a file, of which only those are read as rows that have its name as a key.
    """
    known = {_key(column) for column in columns}
    missing = {_key(column): _as_key(column.name) for column in others if _key(column) not in known}
    if len(rows) <= LOOKED or not missing:
        return columns
    found = list[Column]()
    for lines in chunks(rows):
        if not missing:
            break
        if not any(name in lines for name in missing.values()):
            continue
        for line in lines.splitlines(keepends=True):
            if any(name in line for name in missing.values()):
                there = columns_of(from_lines(line, "rows"))
                found += [column for column in there if _key(column) in missing]
                missing = {key: name for key, name in missing.items() if key not in map(_key, there)}
    return _sorted((*columns, *found))


def _key(column: Column) -> tuple[str, bool]:
    return column.name, column.is_field


def _as_key(name: str) -> bytes:
    """A name as it stands before its value in a line."""
    return (json.dumps(name, ensure_ascii=False) + ":").encode("utf-8", "surrogatepass")


def named(node: Node) -> Columns:
    """What an operation's settings name that not every row has, so that it may be looked for."""
    own = _EVERY | (OWN - _PARTS.keys())
    names = [name for name in passed(node, None).reads if name not in own]
    return _sorted(Column(name, "any", is_field=name not in _PARTS) for name in names)


def passed(node: Node, given: Columns | None, seen: Columns | None = None) -> Passed:
    """What becomes of the columns `given` in an operation; `seen` are those of the rows that it made, if it did."""
    names = frozenset(column.name for column in given or () if column.is_field)
    own = frozenset(column.name for column in given or () if not column.is_field)
    touched = node.touches(names)
    beside, changes = touched.beside, touched.changes
    if given is not None:
        beside, changes = beside & own, changes & {*_EVERY, *names, *own}
    reads = _in_order(touched.reads | beside)
    if seen is None or given is None:
        adds = _said(node, touched, names, own)
        made = None if given is None else _sorted((*(_written(column, touched) for column in given), *adds))
        new = {column.name for column in adds}
        return Passed(given, reads, adds, _in_order(changes - new), (), made, False)
    adds = tuple(_added(node, touched, given, seen))
    left = {column.name for column in seen if column.is_field}
    removes = (names & touched.removes) - left if seen else frozenset[str]()  # of no row nothing can be told
    return Passed(given, reads, adds, _in_order(changes - removes), tuple(sorted(removes)), seen, True)


def _said(node: Node, touched: Touched, names: frozenset[str], own: frozenset[str]) -> Columns:
    """What an operation adds to rows with these fields and parts, by its settings; nothing where it may be anything."""
    if (may_have := node.fields(names)) is None:
        return ()
    parts = (Column(name, _PARTS[name], is_field=False) for name in sorted(touched.adds - own))
    new = sorted(may_have - names)
    return (*parts, *(Column(name, touched.kinds.get(name, "any")) for name in new))


def _added(node: Node, touched: Touched, given: Columns, seen: Columns) -> Iterator[Column]:
    """What it added to rows, of what its settings say that it may."""
    known = {_key(column) for column in given}
    may_have = node.fields(frozenset(column.name for column in given if column.is_field))
    for column in seen:
        may = touched.adds if not column.is_field else may_have
        if _key(column) not in known and (may is None or column.name in may):
            yield column


def _written(column: Column, touched: Touched) -> Column:
    """A column as it is behind an operation that writes it in all rows, or in those that it adds."""
    if not (column.is_field or column.name == MESSAGES) or column.name not in touched.kinds:
        return column
    kind = touched.kinds[column.name]
    return column._replace(kind=kind if column.name in touched.changes else alike(kind, column.kind))


def _sorted(columns: Iterable[Column]) -> Columns:
    """What every row may have first, then fields, each as they come."""
    return tuple(sorted(columns, key=lambda column: column.is_field))


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """What every row has first, then fields."""
    return tuple(sorted(names, key=lambda name: (name != MESSAGES, name not in OWN, name)))


def _take(kinds: dict[Any, Kind], name: object, kind: Kind) -> None:
    """Note that one more value is of that kind."""
    kinds[name] = alike(kinds.get(name, kind), kind)
