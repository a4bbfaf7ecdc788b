"""JSONL: one JSON object a line; blank lines are passed over."""

from collections.abc import Generator
from pathlib import Path

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.rows import Reject, Row, Table
from tunewright.data.text import broken, text_lines

_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a JSONL file; every row may have its own columns. Raises BadFile while reading."""
    return Table(None, _rows(path, encoding))


def _rows(path: Path, encoding: str) -> Generator[Row | Reject, None, None]:
    for number, line in enumerate(text_lines(path, encoding, newline="\n"), 1):
        if not line.strip():
            continue
        reason = broken(line, encoding)
        if reason is None:
            try:
                value = parse(line)
            except StrictJsonError as error:
                reason = f"not JSON: {error}"
            else:
                if isinstance(value, dict):
                    yield Row(number, value)
                    continue
                reason = f"not an object: the line holds {kind_of(value)}"
        yield Reject(number, reason, line[:_RAW])


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
