"""Ratings of an answer, as people and files write them."""

from typing import Any

from tunewright.data.rows import BadRow

_RATINGS = {
    **dict.fromkeys(("true", "1", "1.0", "yes", "good", "up", "+1", "👍"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "bad", "down", "-1", "-1.0", "👎"), False),
}


def is_rating(value: Any) -> bool:
    """Whether a value is a rating."""
    return _word(value) in _RATINGS


def read_rating(value: Any, column: str) -> bool:
    """Whether the answer was rated good. Raises BadRow for what is no rating."""
    if not is_rating(value):
        said = "null" if value is None else repr(str(value)[:40])
        raise BadRow(f"bad rating: {column!r} says {said}; it is true or false, 1 or 0, good or bad")
    return _RATINGS[_word(value)]


def _word(value: Any) -> str:
    return str(value).strip().casefold()
