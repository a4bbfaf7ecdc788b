"""Rows that were tried and not made, as they are written down: why, what stood in them so far, and what a teacher said.

    given_up(cells, "more", 17).line()   →  {"place": "more:17", "reason": "answer: it is blank", "values": {…}, …}

Rows tried are rows made and rows given up. What servers say of a key never reaches a cell (`generate/remote.py`).
"""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tunewright.data.synthetic.columns.column import Cells

FILE = "given_up.jsonl"
"""In the operation's folder, where rows were given up."""
_MOST_CHARS = 20_000
"""Of a value, or of what a teacher said: its beginning tells what it was."""


class GivenUp(NamedTuple):
    """A row that was tried and could not be made; it is none of those that the operation was given."""

    place: str
    """Of the row that it was to be written from, or the operation's name and which of the rows tried it is."""
    source: str
    number: int
    """Which of the rows tried, from 1 on."""
    reason: str
    values: dict[str, Any]
    """Column → value, as far as they were filled."""
    said: tuple[str, ...] = ()
    """What the teacher last said of the column that could not be filled."""

    def line(self) -> dict[str, Any]:
        """What stands in the file."""
        return self._asdict()


def given_up(cells: "Cells", name: str, number: int) -> GivenUp:
    """What is to be written down of a row with a failure; `name` is the operation's."""
    seed = cells.seed
    place = f"{name}:{number}" if seed is None else seed.place
    source = seed.origin.source if seed is not None and seed.origin is not None else name
    values = {column: _plain(value) for column, value in cells.values.items()}
    reason = _text(cells.failure or "")
    return GivenUp(place, source, number, reason, values, tuple(map(_text, filter(None, cells.said))))


def _plain(value: Any) -> Any:
    """The value where it is JSON and short, else the beginning of its text."""
    if isinstance(value, str):
        return _text(value)
    try:
        said = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return _text(type(value).__name__)
    return value if len(said) <= _MOST_CHARS and said == _text(said) else _text(said)


def _text(said: str) -> str:
    """Its beginning, without what is no character."""
    short = said if len(said) <= _MOST_CHARS else said[:_MOST_CHARS] + "…"
    return short.encode("utf-8", "backslashreplace").decode()
