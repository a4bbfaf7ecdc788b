"""Label tables: the values that answers take, or the fields of JSON answers, and how often each part has them.

labels = Labels(("train", "dev"))
labels.add("train", answers_of(rows))        # some rows at a time
labels.tables()

What has too many values to be a label is let go as soon as that shows: no more is held than tables could show.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example

MOST_LABELS = 200
"""More distinct answers than this are no labels."""
MOST_FIELD_VALUES = 50
"""More distinct values than this, and a JSON field is no enum."""
MOST_FIELDS = 5000
"""Fields that are looked at: the first. JSON whose keys are values has as many as it has rows."""
ROWS_PER_LABEL = 2
"""Labels repeat: at least this many rows for each, on average."""
RARE = 5
"""A label with fewer training rows is rare."""
_LONGEST = 100
ABSENT = "(absent)"


class LabelRow(BaseModel):
    """One value and how often each part has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str
    counts: dict[str, int]
    example: str
    """The id of one row that has it."""


class LabelTable(BaseModel):
    """The values of the answer, or of one field of JSON answers (`order.items[].sku`), the most frequent first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str | None
    rows: tuple[LabelRow, ...]


@dataclass
class Values:
    """The values of one field, or of the answer, in some rows: how often each stands, and the first row that has it."""

    most: int
    counts: dict[str, int] | None = field(default_factory=dict)
    """None where there are too many, or too long ones, to be labels."""
    first: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    """Rows that have one at least."""
    without: str | None = None
    """The first row that has none."""

    def take(self, value: str, example: str, times: int = 1) -> None:
        """Count a value of a row."""
        if self.counts is None:
            return
        self.first.setdefault(value, example)
        self.counts[value] = self.counts.get(value, 0) + times
        if len(self.counts) > self.most or len(value) > _LONGEST:
            self.counts, self.first = None, {}


@dataclass
class Answers:
    """What some rows answer. Plain values: it may come from another process."""

    rows: int = 0
    """Documents answer nothing, and are not counted."""
    first: str = ""
    """The id of the first of them."""
    whole: Values = field(default_factory=lambda: Values(MOST_LABELS))
    fields: dict[str, Values] | None = field(default_factory=dict)
    """None where an answer is no JSON object."""


def answers_of(rows: Iterable[Example]) -> Answers:
    """What these rows answer."""
    found = Answers()
    for row in rows:
        if row.is_document:
            continue
        found.first = found.first or row.id
        found.rows += 1
        found.whole.take(row.expected.strip(), row.id)
        value = None if found.fields is None else _object(row.expected)
        if value is None:
            found.fields = None
        else:
            _take_fields(found, value, row.id)
    return found


def _take_fields(found: Answers, value: dict[str, Any], example: str) -> None:
    fields: dict[str, Values] = found.fields or {}
    has = set()
    for path, leaf in _leaves(value, ""):
        if path not in fields:
            if len(fields) >= MOST_FIELDS:
                continue
            fields[path] = Values(MOST_FIELD_VALUES, without=found.first if found.rows > 1 else None)
        fields[path].take(leaf, example)
        has.add(path)
    for path in has:
        fields[path].rows += 1
    for path in fields.keys() - has:
        fields[path].without = fields[path].without or example
    found.fields = fields


class Labels:
    """The tables of rows that come some at a time, by part."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = tuple(parts)
        self._rows = dict.fromkeys(self._parts, 0)
        self._first = ""
        self._whole = _Table(None, MOST_LABELS, self._parts)
        self._fields: dict[str, _Table] | None = {}

    def add(self, part: str, some: Answers) -> None:
        """Take in what some rows of a part answer; parts and rows come in order."""
        if not some.rows:
            return
        began, self._first = bool(self._first), self._first or some.first
        self._rows[part] += some.rows
        self._whole.add(part, some.whole)
        if some.fields is None or self._fields is None:
            self._fields = None
            return
        for path, values in some.fields.items():
            if path not in self._fields:
                if len(self._fields) >= MOST_FIELDS:
                    continue
                self._fields[path] = _Table(path, MOST_FIELD_VALUES, self._parts)
                self._fields[path].without = self._first if began else None
            self._fields[path].add(part, values)
        for path in self._fields.keys() - some.fields.keys():
            self._fields[path].without = self._fields[path].without or some.first

    def tables(self) -> list[LabelTable]:
        """The tables; none where answers are free text."""
        if not any(self._rows.values()) or self._fields is None:
            return self._whole.table({})
        return [table for field in self._fields.values() for table in field.table(self._rows)]


def label_tables(parts: Mapping[str, Sequence[Example]]) -> list[LabelTable]:
    """The tables of rows that are at hand."""
    labels = Labels(tuple(parts))
    for part, rows in parts.items():
        labels.add(part, answers_of(rows))
    return labels.tables()


class _Table:
    """The values of the answer, or of one field."""

    def __init__(self, path: str | None, most: int, parts: Sequence[str]) -> None:
        self._path = path
        self._most = most
        self._parts = parts
        self._counts: dict[str, dict[str, int]] | None = {}
        self._first: dict[str, str] = {}
        self._rows = dict.fromkeys(parts, 0)
        self.without: str | None = None

    def add(self, part: str, values: Values) -> None:
        self._rows[part] += values.rows
        self.without = self.without or values.without
        if self._counts is None or values.counts is None:
            self._counts, self._first = None, {}
            return
        for value, times in values.counts.items():
            self._first.setdefault(value, values.first[value])
            self._counts.setdefault(value, dict.fromkeys(self._parts, 0))[part] += times
        if len(self._counts) > self._most:
            self._counts, self._first = None, {}

    def table(self, rows: dict[str, int]) -> list[LabelTable]:
        """The table, where it is one; `rows` says how many rows a part has, of which some may lack the field."""
        if self._counts is None:
            return []
        counts = {value: dict(of) for value, of in self._counts.items()}
        absent = {part: number - self._rows[part] for part, number in rows.items()}
        first = dict(self._first)
        if any(absent.values()) and "[]" not in (self._path or ""):  # an item of an array is never missed
            own = counts.setdefault(ABSENT, dict.fromkeys(self._parts, 0))
            counts[ABSENT] = {part: own[part] + absent[part] for part in self._parts}
            first.setdefault(ABSENT, self.without or "")
        seen = sum(sum(of.values()) for of in counts.values())
        if not 0 < len(counts) <= self._most or len(counts) * ROWS_PER_LABEL > seen:
            return []
        order = sorted(counts, key=lambda value: (-sum(counts[value].values()), value))
        shown = tuple(LabelRow(value=value, counts=counts[value], example=first[value]) for value in order)
        return [LabelTable(field=self._path, rows=shown)]


def _object(answer: str) -> dict[str, Any] | None:
    if not answer.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, f"{path}[]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)
