"""Label tables: how often each answer occurs, where answers are few; for JSON answers, each field of few values."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example

MOST_LABELS = 200
"""More distinct answers than this are no labels."""
MOST_FIELD_VALUES = 50
"""More distinct values than this, and a JSON field is no enum."""
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


class _Seen(NamedTuple):
    part: str
    example: str
    value: str


def label_tables(parts: dict[str, list[Example]]) -> list[LabelTable]:
    """The tables; none where answers are free text. Documents answer nothing, and have no part in them."""
    parts = {part: [row for row in rows if not row.is_document] for part, rows in parts.items()}
    answers = [(part, example, _object(example.expected)) for part, rows in parts.items() for example in rows]
    if not answers or any(value is None for _, _, value in answers):
        seen = [_Seen(part, example.id, example.expected.strip()) for part, example, _ in answers]
        return _table(None, seen, parts, MOST_LABELS)
    fields: dict[str, list[_Seen]] = {}
    for part, example, value in answers:
        for path, leaf in _leaves(value, ""):
            fields.setdefault(path, []).append(_Seen(part, example.id, leaf))
    tables = []
    for path, seen in fields.items():
        tables += _table(path, [*seen, *_absences(seen, answers, path)], parts, MOST_FIELD_VALUES)
    return tables


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


def _absences(seen: list[_Seen], answers: list[tuple[str, Example, Any]], path: str) -> list[_Seen]:
    """Rows without the field; an item of an array is never missed."""
    if "[]" in path:
        return []
    having = {one.example for one in seen}
    return [_Seen(part, example.id, ABSENT) for part, example, _ in answers if example.id not in having]


def _table(
    field: str | None, seen: list[_Seen], parts: dict[str, list[Example]], most: int
) -> list[LabelTable]:
    counts: dict[str, dict[str, int]] = {}
    first: dict[str, str] = {}
    for one in seen:
        first.setdefault(one.value, one.example)
        row = counts.setdefault(one.value, dict.fromkeys(parts, 0))
        row[one.part] += 1
    few = 0 < len(counts) <= most and len(counts) * ROWS_PER_LABEL <= len(seen)
    if not few or max(map(len, counts)) > _LONGEST:
        return []
    order = sorted(counts, key=lambda value: (-sum(counts[value].values()), value))
    rows = tuple(LabelRow(value=value, counts=counts[value], example=first[value]) for value in order)
    return [LabelTable(field=field, rows=rows)]
