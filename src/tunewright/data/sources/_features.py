"""What `datasets` writes beside the columns of Parquet and Arrow files: numbers that are names of classes, and media.

A label that is a number in the file is its class's name to whoever reads it: 3 means nothing where `card_arrival` does.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any

from tunewright.data.rows import BadFile, BadRow, Reject, Row

_KEY = b"huggingface"
_MEDIA = {
    "Image": "pictures",
    "Audio": "sounds",
    "Video": "films",
    "Pdf": "PDF files",
    "Nifti": "scans",
    "Mesh": "shapes",
}
_DEEP = 32
_RAW = 2000


def class_names(metadata: Mapping[bytes, bytes] | None, columns: tuple[str, ...]) -> dict[str, Any]:
    """Column → feature of the columns that hold numbers of classes. Raises BadFile where one holds no texts or numbers."""
    try:
        said = json.loads((metadata or {}).get(_KEY, b"{}"))
        features = said["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(features, dict):
        return {}
    found = {}
    for column in columns:
        feature = features.get(column)
        kinds = _kinds(feature)
        if media := next((kind for kind in kinds if kind in _MEDIA), None):
            raise BadFile(
                f"the column {column[:60]!r} holds {_MEDIA[media]}, and only texts are read.",
                fix="Save the data set without it: remove_columns of `datasets` does.",
            )
        if "ClassLabel" in kinds:
            found[column] = feature
    return found


def with_names(
    rows: Generator[Row | Reject, None, None], features: dict[str, Any]
) -> Generator[Row | Reject, None, None]:
    """The rows, with classes' names in place of their numbers in these columns."""
    with closing(rows):
        for row in rows:
            if isinstance(row, Reject):
                yield row
                continue
            try:
                told = {name: named(row.values[name], feature) for name, feature in features.items()}
                yield row._replace(values={**row.values, **told})
            except BadRow as bad:
                yield Reject(row.number, str(bad), repr(row.values)[:_RAW])


def named(value: Any, feature: Any) -> Any:
    """A value with its classes' names in place of their numbers. Raises BadRow for a number that is none's."""
    if value is None or not isinstance(feature, dict | list):
        return value
    if isinstance(feature, list):
        return [named(part, feature[0]) for part in value] if feature and isinstance(value, list) else value
    kind = feature.get("_type")
    if kind == "ClassLabel":
        return _name(value, feature.get("names"))
    inner = feature.get("feature") if isinstance(kind, str) else feature
    if isinstance(value, list):
        return [named(part, inner) for part in value]
    if isinstance(value, dict) and isinstance(inner, dict):
        return {key: _within(part, inner.get(key)) for key, part in value.items()}
    return value


def _within(value: Any, feature: Any) -> Any:
    """A member; a sequence of objects is stored as an object of lists."""
    plain = isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and isinstance(value, list)
    return [named(part, feature) for part in value] if plain else named(value, feature)


def _name(value: Any, names: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool) or not isinstance(names, list):
        return value
    if value == -1:  # how `datasets` writes that there is none
        return None
    if not 0 <= value < len(names):
        raise BadRow(f"bad label: {value} is none of the {len(names)} classes that the file names")
    return names[value]


def _kinds(feature: Any, depth: int = 0) -> set[str]:
    """The types that a feature and what lies in it have."""
    if depth > _DEEP:
        return set()
    if isinstance(feature, list):
        return set().union(*(_kinds(part, depth + 1) for part in feature))
    if not isinstance(feature, dict):
        return set()
    kind = feature.get("_type")
    own = {kind} if isinstance(kind, str) else set()
    passed = {"_type", "names"} if kind == "ClassLabel" else {"_type"}  # a member may be called `names`, too
    return own.union(*(_kinds(part, depth + 1) for name, part in feature.items() if name not in passed))
