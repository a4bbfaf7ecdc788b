"""JSON that means one thing: one value, no duplicate keys, no NaN or Infinity, no bottomless nesting.

Rows and replies are read with it alike. Python's own reader takes NaN and repeated keys, and nests as deep as a text asks.
"""

import json
import math
from typing import Any

MAX_DEPTH = 64
"""The deepest nesting taken."""


class StrictJsonError(ValueError):
    """Valid or not, this text is not JSON we take; the message says why."""


def parse(text: str) -> Any:
    """The value `text` holds. Raises StrictJsonError."""
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        cut_off = error.pos >= len(text.rstrip())
        place = "at the end" if cut_off else f"at character {error.pos + 1}"
        raise StrictJsonError(f"{error.msg.removesuffix(' at')} {place}") from None
    except RecursionError:
        raise StrictJsonError(f"it is nested more than {MAX_DEPTH} deep") from None
    check_depth(value, text)
    return value


def check_depth(value: Any, text: str) -> None:
    """Raises StrictJsonError if `value`, read from `text`, is nested too deep."""
    if text.count("{") + text.count("[") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        raise StrictJsonError(f"it is nested more than {MAX_DEPTH} deep")


def equal(left: object, right: object) -> bool:
    """Whether two JSON values are the same: numbers by value, true and false never equal to 1 and 0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return left == right


def depth(value: Any) -> int:
    """How many containers lie inside one another; 0 for a plain value. Does not recurse."""
    levels, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        levels += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return levels


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add returns None
        raise StrictJsonError(f"the key {twice!r} stands twice in one object")
    return value


def _constant(name: str) -> Any:
    raise StrictJsonError(f"{name} is not a JSON number")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise StrictJsonError(f"the number {digits[:40]} is too large")
    return number


def _int(digits: str) -> int:
    if len(digits) > 4000:  # Python itself refuses 4,300 digits and more
        raise StrictJsonError(f"a number of {len(digits)} digits is too large")
    return int(digits)


DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int
)
