"""Fields of a recipe: what its operations read of rows' fields, held against the rows before anything runs.

    check_fields(nodes, {"tickets": rows})      # FieldsError: no row has a field 'langauge' …. Did you mean 'language'?

An operation says what it reads and writes (data/ops/op.py). What one row has is a field: whether each row has it, only the
operation sees. Rows are read until every name is found, mostly the first; all of them where one is not there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tunewright.core.errors import DataError, Problem, ProblemsError
from tunewright.core.example import Example
from tunewright.data.names import did_you_mean, listed
from tunewright.data.recipe import Node

_FIRST = 200
"""Rows of each source that are looked at before all of any."""
_MOST = 50_000
"""More different names than rows have columns: what is no table has any name."""
_EXPRESSIONS = ("keep", "set", "seeds")
"""Settings that ask for fields in an expression, which may do without."""
Known = frozenset[str] | None
"""Names of fields that rows may have; None: whatever name."""


class FieldsError(DataError, ProblemsError):
    """Operations read fields that none of their rows has; carries every one."""


class _Missing(NamedTuple):
    """A field that an operation reads and none of its rows has."""

    node: Node
    setting: str
    name: str
    known: frozenset[str]


def check_fields(nodes: Sequence[Node], sources: Mapping[str, Sequence[Example]]) -> None:
    """Hold what operations read against their sources' rows, and against what others write on the way.

    `sources` are all rows, of each source that the nodes stand on. Raises FieldsError with every field that an operation
    reads and none of its rows has.
    """
    seen: dict[str, Known] = {name: frozenset() if len(rows) else None for name, rows in sources.items()}
    missing = list(_missing(nodes, seen))
    for name, rows in _looks(sources):
        if not missing:
            return
        seen[name] = _names(rows, seen[name], {one.name for one in missing})
        missing = list(_missing(nodes, seen))
    if missing:
        raise FieldsError([_problem(one, nodes) for one in missing])


def _looks(sources: Mapping[str, Sequence[Example]]) -> Iterator[tuple[str, Iterable[Example]]]:
    """The first rows of each, then all: a field that each row of the last has is found without reading the others."""
    for name, rows in sources.items():
        yield name, islice(rows, _FIRST)
    yield from sources.items()


def _names(rows: Iterable[Example], known: Known, wanted: set[str]) -> Known:
    """The names that are known and those of these rows, read up to where the wanted ones are among them."""
    if known is None or wanted <= known:
        return known
    found = set(known)
    for row in rows:
        if not row.fields.keys() <= found:
            found |= row.fields.keys()
            if len(found) > _MOST:
                return None
            if wanted <= found:
                break
    return frozenset(found)


def _missing(nodes: Sequence[Node], sources: Mapping[str, Known]) -> Iterator[_Missing]:
    made = dict(sources)
    for node in nodes:
        known = _together(made[need] for need in node.needs)
        made[node.id] = None if known is None else node.fields(known)
        if known is None:
            continue
        for setting, names in node.reads.items():
            yield from (_Missing(node, setting, name, known) for name in sorted(names - known))


def _together(several: Iterable[Known]) -> Known:
    found = frozenset[str]()
    for names in several:
        if names is None:
            return None
        found |= names
    return found


def _problem(missing: _Missing, nodes: Sequence[Node]) -> Problem:
    node, setting, name, known = missing
    called = f"{node.id!r}" if node.id == node.spec.op else f"{node.id!r} ({node.spec.op})"
    has = f"they have {listed(sorted(known))}" if known else "they have none"
    later = next((one for one in nodes if name in (one.fields(frozenset()) or ())), None)
    if later is None:
        may_ask = setting.partition(".")[0] in _EXPRESSIONS
        fix = did_you_mean(name, known) or (
            f"Ask `{name} is defined` first, where it may be missing." if may_ask else "Name one of these."
        )
    elif later == node:
        fix = "It writes that field itself: read it in an operation behind it."
    else:
        fix = f"{later.id!r} writes it: put that before {node.id!r}, where its rows come through it."
    message = f"no row that {called} takes has a field {name!r}; {has}."
    return Problem(message, f"recipe.{node.number}.{setting}", fix)
