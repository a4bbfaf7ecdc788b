"""A first JSON Schema from example values: their types, their keys, enums where few texts come back again and again."""

from collections.abc import Sequence
from typing import Any

MOST_CHOICES = 12
"""Distinct texts up to which a field is an enum."""
TIMES_EACH = 5
"""How often a choice stands on average before the texts are taken for an enum."""
MOST_KEYS = 100
"""Keys from which an object is taken for a table of whatever keys, not a record."""


def infer_schema(values: Sequence[Any]) -> dict[str, Any]:
    """A JSON Schema (2020-12) that accepts every one of `values`. Keys that all objects have are required.

    It says no more than the values do: no patterns, no bounds. Closed: keys that were never seen are refused.
    """
    kinds = list(dict.fromkeys(_kind(value) for value in values))
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    if not kinds:
        return {}
    schema: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    if kinds == ["string"]:
        schema |= _choices(values)
    schema |= _record([value for value in values if isinstance(value, dict)])
    items = [item for value in values if isinstance(value, list) for item in value]
    if items:
        schema["items"] = infer_schema(items)
    return schema


def _record(objects: list[dict[str, Any]]) -> dict[str, Any]:
    if not objects:
        return {}
    keys = list(dict.fromkeys(key for value in objects for key in value))
    if len(keys) > MOST_KEYS:
        return {"additionalProperties": infer_schema([item for value in objects for item in value.values()])}
    required = [key for key in keys if all(key in value for value in objects)]
    return {
        "properties": {key: infer_schema([value[key] for value in objects if key in value]) for key in keys},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _choices(texts: Sequence[str]) -> dict[str, Any]:
    found = list(dict.fromkeys(texts))
    if 1 < len(found) <= MOST_CHOICES and len(texts) >= TIMES_EACH * len(found):
        return {"enum": sorted(found)}
    return {}


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in (
        (bool, "boolean"),
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (dict, "object"),
    ):
        if isinstance(value, kind):
            return name
    return "array"
