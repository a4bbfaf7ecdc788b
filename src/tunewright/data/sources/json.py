"""JSON: one array of row objects, of any length; a row's number is its place in the array.

The file is read through a window (_window.py), so that one row at a time is held, of 64 MiB at most.
"""

import re
from collections.abc import Generator
from contextlib import closing
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from tunewright.core.strict_json import DECODER, MAX_DEPTH, StrictJsonError, check_depth
from tunewright.data.names import listed
from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._window import Window
from tunewright.data.sources.jsonl import kind_of

_RAW = 2000
_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
"""A text, a bracket, or the quote of a text that never ends."""
_LEVELS = {"[": 1, "{": 1, "]": -1, "}": -1}
_AFTER = re.compile(r"[,\]\s]")
_CUT = 16
"""Where a window's end cuts a value, Python's reader stumbles over it fewer characters before: -Infinity, \\ud83d\\ude00."""


def read(path: Path, encoding: str) -> Table:
    """Open a JSON file. Raises BadFile, also while reading."""
    with closing(Window(path, encoding)) as window:
        if _next(window) not in ("[", ""):
            raise _not_an_array(window)
    return Table(None, _rows(path, encoding))


def _rows(path: Path, encoding: str) -> Generator[Row | Reject, None, None]:
    with closing(Window(path, encoding)) as window:
        if not _next(window):
            return
        number, sign = 0, _next(window, step=1)
        while sign != "]" or number:
            number += 1
            yield _row(window, number)
            sign = _next(window)
            if sign == "]":
                break
            if sign != ",":
                raise _broken_at(window, window.at, f"after row {number} comes neither ',' nor ']'")
            sign = _next(window, step=1)
        if _next(window, step=1):
            raise _broken_at(window, window.at, "something follows the array")


def _next(window: Window, step: int = 0) -> str:
    """Go over so many characters and the blanks behind them, to the character that is given; blank at the file's end."""
    window.at += step
    while True:
        blank = _BLANK.match(window.text, window.at)
        window.at = blank.end() if blank else window.at
        if window.at < len(window.text) or not window.more("a blank"):
            return window.text[window.at : window.at + 1]


def _row(window: Window, number: int) -> Row | Reject:
    """The row that begins here; reading then stands behind it."""
    what = f"row {number}"
    try:
        value, end = _decoded(window, what)
        check_depth(value, window.text[window.at : end])
        why = None if isinstance(value, dict) else f"not an object: it is {kind_of(value)}"
    except JSONDecodeError as error:
        raise _broken_at(window, error.pos, f"{what}: {error.msg}") from None
    except StrictJsonError as error:
        end, why = _closed(window, what), f"not JSON: {error}"
    except RecursionError:
        end, why = _closed(window, what), f"not JSON: it is nested more than {MAX_DEPTH} deep"
    window.check(what, end)
    begin, window.at = window.at, end
    return Row(number, value) if why is None else Reject(number, why, window.text[begin:end][:_RAW])


def _decoded(window: Window, what: str) -> tuple[Any, int]:
    """The value that begins here, and where it ends. Raises JSONDecodeError, StrictJsonError, RecursionError."""
    while True:
        try:
            value, end = DECODER.raw_decode(window.text, window.at)
        except JSONDecodeError as error:
            if not _may_be_cut(window, error) or not window.more(what):
                raise
        except StrictJsonError:  # a window's end may cut the number that it tells of
            if _end(window.text, window.at) is not None or not window.more(what):
                raise
        else:  # a number may go on
            if window.text[window.at] in '[{"' or _AFTER.search(window.text, end) or not window.more(what):
                return value, end


def _may_be_cut(window: Window, error: JSONDecodeError) -> bool:
    """Whether more of the file may mend what is wrong with a value."""
    return error.msg.startswith("Unterminated") or error.pos > len(window.text) - _CUT


def _end(text: str, at: int) -> int | None:
    """Where the value that begins at `at` ends, by its brackets alone; None where that is beyond the text."""
    if text[at] not in "[{":
        found = _AFTER.search(text, at)
        return found.start() if found else None
    level = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] == '"':
            return None
        level += _LEVELS.get(token[0], 0)
        if level == 0:
            return token.end()
    return None


def _closed(window: Window, what: str) -> int:
    """Where the value that begins here ends. Raises BadFile for brackets that none closes."""
    while (end := _end(window.text, window.at)) is None:
        if not window.more(what):
            if window.text[window.at] in "[{":
                raise _broken_at(window, window.at, "the value that begins here is never closed")
            return len(window.text)
    return end


def _broken_at(window: Window, at: int, what: str) -> BadFile:
    line, column = window.place(at)
    return BadFile(
        f"the JSON is broken at column {column}: {what}.",
        line=line,
        fix="Mend the file, or write one row a line (JSONL): there a broken row is set aside alone.",
    )


def _not_an_array(window: Window) -> BadFile:
    """What a file holds whose first character opens no array, as far as that can be read."""
    fix = "Write the rows as [{…}, {…}]."
    try:
        value, window.at = _decoded(window, "the value")
    except (ValueError, RecursionError):
        return BadFile("the file holds no array of rows.", fix=fix)
    except BadFile as why:  # too long, or bytes that are no text
        return BadFile(f"the file holds no array of rows: {why.message}", line=why.line, fix=why.fix)
    if _next(window):
        return BadFile("the file holds one JSON value after another, not an array.", fix="Set format: jsonl.")
    return BadFile(f"the file holds {kind_of(value)}, not an array of rows.{_inside(value)}", fix=fix)


def _inside(value: Any) -> str:
    lists = [key for key, part in value.items() if isinstance(part, list)] if isinstance(value, dict) else []
    return f" Arrays stand under {listed(lists)}." if lists else ""
