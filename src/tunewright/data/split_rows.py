"""What the split goes by, of each row a few bytes: what it asks, its group, stratum and time."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json, hash_text
from tunewright.data.examples import Examples, from_lines
from tunewright.data.inputs import SIZE, Digests, digests
from tunewright.data.keyed import Keys, asked_by, keys_in, look, take
from tunewright.data.moments import moment_of
from tunewright.data.names import did_you_mean, listed
from tunewright.data.parts import PARTS, part_named
from tunewright.data.spec import SplitSpec
from tunewright.data.workers import MANY_ROWS, Workers

LABEL = "label"
"""The stratum that is the answer, where rows have no such field."""
_SOME = 5000
_LONG = 64
"""Characters of a stratum's name that are kept; of a longer one its hash is, so that answers do not fill the memory."""
_COLUMNS = ("groups", "parts", "times")
_NONE = b"\0" * SIZE


class Facts(NamedTuple):
    """Of each row, in order."""

    keys: Keys
    """What an audit compares them by, too."""
    asked: Digests
    """Equal where the same is asked."""
    groups: Digests
    """A hash of its value of `group_by`; empty for a blank or none."""
    parts: npt.NDArray[np.int8]
    """Which of PARTS the column names; none without a column."""
    times: npt.NDArray[np.float64]
    """Seconds since 1970, of `by_time`."""
    strata: npt.NDArray[np.int64]
    """Which of `stratum_names` it is in."""
    stratum_names: tuple[str, ...]

    @property
    def ids(self) -> npt.NDArray[np.bytes_]:
        """Each row's id."""
        found: npt.NDArray[np.bytes_] = self.keys["id"]
        return found


class _Some(NamedTuple):
    """The same of some rows, to be put together. Plain values: it may come from another process."""

    keys: bytes
    groups: bytes
    parts: bytes
    times: bytes
    strata: tuple[str, ...]
    labels: tuple[str, ...]
    """Of a stratum that is the answer: what to go by where no row has such a field."""
    has: frozenset[str]
    """Fields that a row has, of those gone by."""


def facts_of(examples: Sequence[Example], spec: SplitSpec, workers: int = 1) -> Facts:
    """What the split goes by. Raises DataError where a field is not there or says nothing that can be read."""
    columns = {name: bytearray() for name in _COLUMNS}
    joined, known = bytearray(), take(examples)
    strata, labels, has = list[str](), list[str](), set[str]()
    needed = known is None or any((spec.column, spec.by_time, spec.stratify_by, spec.group_by))
    for one in _looked(examples, spec, workers, known is None) if needed else ():
        joined += one.keys  # no list of pieces: joined, it would take twice the memory
        for what, column in columns.items():
            column += getattr(one, what)
        strata += one.strata
        labels += one.labels
        has |= one.has
    for name, where in ((spec.group_by, "group_by"), (spec.stratify_by, "stratify_by")):
        if name and len(examples) and name not in has and (where, name) != ("stratify_by", LABEL):
            _need_field(examples[0], name, f"split.{where}")
    if spec.stratify_by == LABEL and LABEL not in has:
        strata = labels
    names = tuple(sorted(set(strata)))
    number = {name: at for at, name in enumerate(names)}
    keys = keys_in(joined) if known is None else known
    return Facts(
        keys,
        asked_by(keys),
        digests(columns["groups"]),
        np.frombuffer(columns["parts"], np.int8),
        np.frombuffer(columns["times"], np.float64),
        np.array([number[name] for name in strata], np.int64),
        names,
    )


def _looked(examples: Sequence[Example], spec: SplitSpec, workers: int, keyed: bool) -> Iterator[_Some]:
    if isinstance(examples, Examples):
        look = partial(_look_at_lines, spec.model_dump_json(), keyed)
        with Workers(workers if len(examples) >= MANY_ROWS else 1) as started:
            yield from started.each(look, examples.chunks())
    else:
        for begin in range(0, len(examples), _SOME):
            yield _look(spec, examples[begin : begin + _SOME], keyed)


def _look_at_lines(spec: str, keyed: bool, lines: bytes) -> _Some:
    return _look(SplitSpec.model_validate_json(spec), from_lines(lines, "rows"), keyed)


def _look(spec: SplitSpec, rows: Sequence[Example], keyed: bool) -> _Some:
    """What the spec goes by, and no more; the keys where they are not known."""
    column, time, stratum = spec.column, spec.by_time, spec.stratify_by
    names = {name for name in (spec.group_by, stratum) if name}
    return _Some(
        look(rows) if keyed else b"",
        b"".join(_group(row, spec.group_by) for row in rows) if spec.group_by and not column else b"",
        bytes(_part(row, column) for row in rows) if column else b"",
        np.array([_time(row, time) for row in rows], np.float64).tobytes() if time else b"",
        _names(canonical_json(row.fields.get(stratum)) for row in rows) if stratum else (),
        _names(row.expected for row in rows) if stratum == LABEL else (),
        frozenset(name for row in rows for name in names & row.fields.keys()),
    )


def _group(row: Example, name: str) -> bytes:
    value = row.fields.get(name)
    if value is None or value == "":  # a blank ties no rows together
        return _NONE
    return bytes.fromhex(hash_text(canonical_json(value)))


def _names(values: Iterable[str]) -> tuple[str, ...]:
    """The names of strata; equal ones are one string."""
    once: dict[str, str] = {}
    short = (value if len(value) <= _LONG else hash_text(value) for value in values)
    return tuple(once.setdefault(name, name) for name in short)


def _part(row: Example, column: str) -> int:
    _need_field(row, column, "split.column")
    value = row.fields[column]
    part = part_named(value)
    if part is None:
        raise DataError(
            f"the column {column!r} says {value!r}; a part is train, dev (or validation) or test.",
            where=row.place,
            fix="Rename the parts in the data, or leave split.column out and split by shares.",
        )
    return PARTS.index(part)


def _time(row: Example, name: str) -> float:
    _need_field(row, name, "split.by_time")
    value: Any = row.fields[name]
    moment = moment_of(value)
    if moment is None:
        shown = "null" if value is None else repr(value)[:60]
        raise DataError(
            f"split.by_time goes by the field {name!r}, and here it is {shown}: no date.",
            where=row.place,
            fix="Write dates as 2026-03-25 or 2026-03-25T10:00:00Z (ISO 8601), as mails do, or as Unix seconds.",
        )
    return moment


def _need_field(example: Example, name: str, where: str) -> None:
    if name not in example.fields:
        hint = did_you_mean(name, example.fields)
        raise DataError(
            f"the row {example.place} has no field {name!r}; its fields are {listed(example.fields)}.",
            where=where,
            fix=hint or "Name a column of the sources (input and expected are none).",
        )
