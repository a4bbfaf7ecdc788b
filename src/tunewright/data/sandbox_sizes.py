"""What operators, methods and filters of a template would make, told before they make it: what a number alone would make too
large is refused.

    refuse_large("*", "a", 10**10, most=WORK)     raises TooMuch
"""

import re
from collections.abc import Mapping
from typing import Any

from jinja2.utils import Namespace

WORK = 100_000_000
"""Characters, list items and the like that a rendering may read and make in all."""
STEPS = 200_000
"""Turns of loops, calls and filters that it may take."""
SECONDS = 10.0
"""Of the processor, where all else is within bounds: comparing long texts in a loop."""
SLOW = {"urlize": 10, "wordwrap": 3}
"""Filters that take so many times as long for a character as others."""
_ITEM = 8
"""What an item of a list counts: its bytes there."""
_OBJECT = 200
"""What a namespace counts besides: its bytes, and the time to look into it."""
_MOST_BITS = 100_000
"""Of a whole number that arithmetic makes."""
_MOST_WIDTH = 1_000_000
"""Of what filters pad and cut to."""
_PER_FIELD = 400
"""Characters that a field of a format may make of a number: more than the largest float has."""
_TEXTS, _LISTS = (str, bytes), (list, tuple, set, frozenset)
"""Looked up far quicker than unions."""
_WIDTHS = frozenset(
    {"batch", "center", "filesizeformat", "indent", "slice", "tojson", "truncate", "wordwrap"}
)
_BETWEEN = frozenset({"indent", "join", "urlize", "wordwrap"})
"""Filters that put one text between pieces of another."""
_SPREAD = frozenset({"batch", "join", "list", "slice", "sort", "rsplit", "split", "splitlines"})
"""Filters and methods that make a list of a text's pieces."""
_WIDE = re.compile(r"[%)][-#0 +.\d*]*\d{7,}(?:\.[\d*]*)?[hlL]?[diouxXeEfFgGcrsa]")
"""A field with a width, after its sign or its name, of a length that nothing shown has."""
_WIDE_FIELD = re.compile(r"\d{7,}")


class TooMuch(ValueError):
    """A template takes more than it may."""

    def __init__(self, what: str = "") -> None:
        bounds = f"{STEPS:,} steps, {WORK:,} characters in all, {SECONDS:g} seconds"
        super().__init__(what or f"it takes more than a template may for one row ({bounds})")


def size(value: Any, most: int) -> int:
    """The characters in a value, however it nests, and the bytes of its items; counting ends past `most`."""
    if isinstance(value, str | bytes):
        return len(value)
    found, open_ = 0, [value]
    while open_ and found <= most:
        one = open_.pop()
        if isinstance(one, _TEXTS):
            found += len(one)
        elif isinstance(one, int):
            found += one.bit_length() // 3  # its digits, where it is shown
        elif isinstance(one, _LISTS):
            open_ += one
        elif isinstance(one, dict):
            open_ += [*one.keys(), *one.values()]
        elif isinstance(one, Namespace):
            open_ += one._Namespace__attrs.values()
            found += _OBJECT
        found += _ITEM
    return found


def refuse_large(operator: str, left: Any, right: Any, most: int) -> None:
    """Raises TooMuch for a product or a power that would be too large."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        if bits > _MOST_BITS and abs(left) > 1:
            raise TooMuch(f"{operator} makes a number of more than {_MOST_BITS:,} bits")
    elif operator == "*":
        several, times = (right, left) if isinstance(left, int) else (left, right)
        if isinstance(several, str | bytes | list | tuple) and isinstance(times, int):
            one = 1 if isinstance(several, str | bytes) else _ITEM
            _refuse_product(one * len(several), times, most)


def _refuse_product(one: int, other: int, most: int) -> None:
    if one * other > most:
        raise TooMuch


def refuse_wide(text: str, given: Any, most: int) -> None:
    """Raises TooMuch for a format with a width past all bounds, written or given, or that shows much many times."""
    values = given if isinstance(given, tuple) else (given,)
    if _WIDE.search(text) or ("*" in text and any(isinstance(one, int) and one > most for one in values)):
        raise TooMuch
    again = (size(one, most) for one in values) if "%(" in text else ()  # one with a name may stand often
    _refuse_product(text.count("%"), max(_PER_FIELD, *again, 0), most)


def refuse_wide_field(spec: str) -> None:
    """Raises TooMuch for what a field of `format` says of its width, where that is past all bounds."""
    if _WIDE_FIELD.search(spec):
        raise TooMuch


def refuse_method(obj: Any, given: tuple[Any, ...], most: int) -> None:
    """Raises TooMuch for a text's method that would make too much."""
    method = getattr(obj, "__wrapped__", obj)
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if isinstance(owner, str):
        _refuse_of_text(owner, name, given, most)
    elif isinstance(owner, bytes | int):
        _refuse_numbers(given, most)


def _refuse_of_text(owner: str, name: str, given: tuple[Any, ...], most: int) -> None:
    if name in ("format", "format_map"):
        _refuse_product(owner.count("{"), _PER_FIELD, most)
        return  # its fields are counted as they are made
    _refuse_numbers(given, most)
    if name in _SPREAD:
        _refuse_product(len(owner), _ITEM, most)
    if name == "replace" and len(given) > 1:
        _refuse_replace(owner, given, most)
    elif name == "join" and given and hasattr(given[0], "__len__"):
        _refuse_product(len(owner), len(given[0]), most)
    elif name == "translate" and given and isinstance(given[0], dict):
        longest = max((len(one) for one in given[0].values() if isinstance(one, str)), default=0)
        _refuse_product(len(owner), longest, most)


def refuse_filter(name: str, value: Any, given: tuple[Any, ...], most: int) -> None:
    """Raises TooMuch for a filter that would make too much."""
    if name in _WIDTHS:
        _refuse_numbers(given, _MOST_WIDTH)
    if name in _SPREAD and isinstance(value, str):
        _refuse_product(len(value), _ITEM, most)
    if name in ("indent", "tojson") and (widths := [one for one in given if isinstance(one, int)]):
        _refuse_product(max(widths), _depths(value, most) if name == "tojson" else _lines(value), most)
    elif name == "round":
        _refuse_numbers(given, _MOST_WIDTH // 1000)
    elif name == "sum" and any(isinstance(one, list | tuple) for one in given):
        _refuse_product(_lines(value), size(value, most), most)
    elif name == "format":
        refuse_wide(str(value), given, most)
    elif name == "replace" and len(given) > 1:
        _refuse_replace(str(value), given, most)
    if name in _BETWEEN and (texts := [len(one) for one in given if isinstance(one, str)]):
        _refuse_product(max(texts), len(value) if hasattr(value, "__len__") else 1, most)


def _lines(value: Any) -> int:
    """The lines of a text, or the items of a list."""
    return str(value).count("\n") + 1 if not isinstance(value, list | tuple) else len(value)


def _depths(value: Any, most: int) -> int:
    """How deep each item of a value lies, all together; counting ends past `most`."""
    found, open_ = 0, [(value, 1)]
    while open_ and found <= most:
        one, depth = open_.pop()
        found += depth
        if isinstance(one, Mapping | list | tuple):
            open_ += [(part, depth + 1) for part in (one.values() if isinstance(one, Mapping) else one)]
    return found


def _refuse_numbers(given: tuple[Any, ...], most: int) -> None:
    if any(isinstance(one, int) and abs(one) > most for one in given):
        raise TooMuch


def _refuse_replace(text: str, given: tuple[Any, ...], most: int) -> None:
    old, new = str(given[0]), str(given[1])
    _refuse_product(text.count(old), len(new), most)
