"""The order in which columns are filled, and what is wrong with them as a whole.

order({"answer": Text(prompt="{{ topic }}"), "topic": Category(values=["a"])})  →  ["topic", "answer"]
"""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from tunewright.data.names import did_you_mean, listed
from tunewright.data.synthetic.columns import CategoryColumn, Column, NumberColumn, SubcategoryColumn
from tunewright.data.synthetic.formula import GIVEN
from tunewright.data.synthetic.made import FROM

_NAME = re.compile(r"[A-Za-z_]\w*")
OWN = frozenset({"turns", "chars", "source"})
"""What every row has of its own; no column may be called so."""
_JINJA = frozenset(
    [
        "self",
        "super",
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "for",
    ]
)


def faults(columns: Mapping[str, Column]) -> list[str]:
    """What is wrong with columns, a sentence each: names that are none, that no column has, that lead in a circle."""
    found = [*_names(columns)]
    for name, column in columns.items():
        for setting, asked in column.reads().items():
            found += [_unknown(name, setting, one, columns) for one in sorted(asked - columns.keys())]
        found += _kinds(name, column, columns)
    return found or _circle(columns)


def order(columns: Mapping[str, Column]) -> list[str]:
    """The columns' names, each after those that it reads, otherwise as they were written. They must be without faults."""
    left, done = list(columns), list[str]()
    while left:
        name = next(name for name in left if _needs(columns[name]) <= set(done))
        left.remove(name)
        done.append(name)
    return done


def _needs(column: Column) -> set[str]:
    return set().union(*column.reads().values())


def _names(columns: Mapping[str, Column]) -> Iterator[str]:
    for name in columns:
        if not _NAME.fullmatch(name):
            yield f"{name!r} is no name for a column: letters, digits and _, and no digit first"
        elif name in GIVEN | _JINJA:
            yield f"{name!r} means something in Jinja, and can name no column"
        elif name == FROM:
            yield f"{name!r} is the field with the places of the rows that a new one was shown: give the column another name"
        elif name in OWN:
            yield f"every row has a {name} of its own: give the column {name!r} another name"


def _unknown(name: str, setting: str, asked: str, columns: Mapping[str, Column]) -> str:
    others = [other for other in columns if other != name]
    hint = did_you_mean(asked, others) or f"There are {listed(others)}."
    return f"{name}: its {setting} reads {asked!r}, which is no column. {hint}"


def _kinds(name: str, column: Column, columns: Mapping[str, Column]) -> Iterator[str]:
    """Columns that can only go by another one of some type."""
    if isinstance(column, NumberColumn) and not isinstance(
        columns.get(column.follows or ""), NumberColumn | None
    ):
        yield f"{name}: it follows {column.follows!r}, which is no number"
    if isinstance(column, SubcategoryColumn) and isinstance(above := columns.get(column.of), CategoryColumn):
        missing = [str(value) for value in above.values if str(value) not in column.values]
        if missing:
            yield f"{name}: it has nothing below {missing[0]!r} of {column.of}"


def _circle(columns: Mapping[str, Column]) -> list[str]:
    try:
        TopologicalSorter({name: _needs(column) for name, column in columns.items()}).prepare()
    except CycleError as error:
        ring = error.args[1]
        return [f"{' → '.join(reversed(ring))}: these columns wait for one another"]
    return []
