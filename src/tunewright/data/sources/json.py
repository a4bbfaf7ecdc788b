"""JSON: one array of row objects; a row's number is its place in the array."""

import re
from collections.abc import Generator
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from tunewright.core.strict_json import DECODER, MAX_DEPTH, StrictJsonError, check_depth
from tunewright.data.names import listed
from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources.jsonl import kind_of
from tunewright.data.text import read_text

_RAW = 2000
_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def read(path: Path, encoding: str) -> Table:
    """Open a JSON file; it is read whole, its rows are parsed one by one. Raises BadFile."""
    text = read_text(path, encoding)
    at = _skip(text, 0)
    if at < len(text) and text[at] != "[":
        raise _not_an_array(text, at)
    return Table(None, _rows(text, at))


def _rows(text: str, at: int) -> Generator[Row | Reject, None, None]:
    if at == len(text):
        return
    at, number = _skip(text, at + 1), 0
    while text[at : at + 1] != "]" or number:
        number += 1
        row, end = _row(text, at, number)
        yield row
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            raise _broken_at(text, at, f"after row {number} comes neither ',' nor ']'")
        at = _skip(text, at + 1)
    after = _skip(text, at + 1)
    if after < len(text):
        raise _broken_at(text, after, "something follows the array")


def _row(text: str, at: int, number: int) -> tuple[Row | Reject, int]:
    try:
        value, end = DECODER.raw_decode(text, at)
        check_depth(value, text[at:end])
    except JSONDecodeError as error:
        raise _broken_at(text, error.pos, f"row {number}: {error.msg}") from None
    except StrictJsonError as error:
        end = _end(text, at)
        return Reject(number, f"not JSON: {error}", text[at:end][:_RAW]), end
    except RecursionError:
        end = _end(text, at)
        return Reject(number, f"not JSON: it is nested more than {MAX_DEPTH} deep", text[at:end][:_RAW]), end
    if isinstance(value, dict):
        return Row(number, value), end
    return Reject(number, f"not an object: it is {kind_of(value)}", text[at:end][:_RAW]), end


def _end(text: str, at: int) -> int:
    """Where the value that begins at `at` ends, by its brackets alone."""
    if text[at] not in "[{":
        return next((found.start() for found in re.compile(r"[,\]\s]").finditer(text, at)), len(text))
    level = 0
    for token in _TOKEN.finditer(text, at):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if level == 0:
            return token.end()
    raise _broken_at(text, at, "the value that begins here is never closed")


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _broken_at(text: str, at: int, what: str) -> BadFile:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return BadFile(
        f"the JSON is broken at column {column}: {what}.",
        line=line,
        fix="Mend the file, or write one row a line (JSONL): there a broken row is set aside alone.",
    )


def _not_an_array(text: str, at: int) -> BadFile:
    try:
        value, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return BadFile("the file holds no array of rows.", fix="Write the rows as [{…}, {…}].")
    if text[_skip(text, end) :]:
        return BadFile("the file holds one JSON value after another, not an array.", fix="Set format: jsonl.")
    return BadFile(
        f"the file holds {kind_of(value)}, not an array of rows.{_inside(value)}",
        fix="Write the rows as [{…}, {…}].",
    )


def _inside(value: Any) -> str:
    lists = [key for key, part in value.items() if isinstance(part, list)] if isinstance(value, dict) else []
    return f" Arrays stand under {listed(lists)}." if lists else ""
