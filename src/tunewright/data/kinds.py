"""Kinds of values, as columns have them: what all values of one are.

kind_of([1, 2])            "list"
together("text", "any")    "any"
"""

from typing import Any, Literal

Kind = Literal["text", "number", "boolean", "list", "object", "conversation", "document", "any"]
"""Of values: what all of them are, `any` where they differ or nobody knows; of rows: what their turns are."""


def kind_of(value: Any) -> Kind:
    """The kind of a JSON value; null has none, and is `any`."""
    if value is None:
        return "any"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "object"


def together(*kinds: Kind) -> Kind:
    """What values are of which some are of each of these kinds."""
    return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else "any"
