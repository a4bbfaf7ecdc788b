"""Files of reviews: JSONL, one decision a line, appended one at a time and never rewritten, so that they can be committed.

append(path, decision)
read(path)          # a last line that was cut off is left out; any other wrong line is told with its number
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.errors import DataError
from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.files import shown_name, source_paths
from tunewright.data.review.decision import Decision, wrong

LONGEST = 1 << 24
"""Bytes of a line: files may come from strangers."""
_LONGEST_WORD = 5
"""Characters of JSON's longest words (false) and marks (\\u00e4), but one: these are wrong at their begin when cut off."""
_FIX = "Mend or take out the line; the others stand."


def read(path: Path, name: str | None = None) -> list[Decision]:
    """The decisions of a file, none where there is no such file; `name` is what messages call it.

    Raises DataError with the line's place for a line that is no decision, OSError.
    """
    if not path.exists():
        return []
    return [decision_of(value, where) for where, value in rows(path, name or path.name, torn=True)]


def read_all(root: Path, pattern: str) -> list[Decision]:
    """The decisions of the files that a pattern below the project's folder takes, one file after the other."""
    if (root / pattern).is_dir():
        raise DataError(
            "this is a folder", where=pattern, fix=f"Name its files: {pattern.rstrip('/')}/*.jsonl."
        )
    return [one for path in source_paths(root, pattern) for one in read(path, shown_name(path, root))]


def rows(path: Path, name: str, *, torn: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """The (place, JSON object) of each line; a last one that was cut off may be `torn`. Raises DataError, OSError."""
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(LONGEST + 1):
            number += 1
            where = f"{name}:{number}"
            if len(line) > LONGEST:
                raise DataError(f"the line is longer than {LONGEST:,} bytes", where=where, fix=_FIX)
            if not line.strip():
                continue
            try:
                yield where, _value(line.removeprefix(b"\xef\xbb\xbf"), where)
            except DataError:
                if not (torn and _cut_off(line)):
                    raise
                return


class Span(NamedTuple):
    """Where in a file something was written, in bytes; a `begin` that is not where one left the file: others wrote too."""

    begin: int
    end: int


def append(path: Path, *decisions: Decision) -> Span:
    """Write decisions down behind the others, for good before this returns. Raises OSError, and DataError for a decision
    with more than a line may have, of which nothing is written.

    What a cut-off append left of a line is taken off first. Several reviewers may append to one file: one after the other.
    """
    text = b"".join(map(_line, decisions))
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        _lock(descriptor)  # the half line of another who is writing is not a cut-off one; closing lets go
        begin = os.lseek(descriptor, 0, os.SEEK_END)
        text = _ended(descriptor) + text
        while text:
            text = text[os.write(descriptor, text) :]
        os.fsync(descriptor)
        return Span(begin, os.lseek(descriptor, 0, os.SEEK_END))
    finally:
        os.close(descriptor)


def _line(decision: Decision) -> bytes:
    line = (json.dumps(decision.plain(), ensure_ascii=False) + "\n").encode()
    if len(line) > LONGEST:
        raise DataError(
            f"the decision takes {len(line):,} bytes, and a line of reviews at most {LONGEST:,}",
            where=decision.place,
            fix="Reject the row, and mend its source.",
        )
    return line


def _lock(descriptor: int) -> None:
    """Wait until nobody else appends."""
    if sys.platform != "win32":
        import fcntl

        # some network file systems have no locks; appending works there as well
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def decision_of(value: dict[str, Any], where: str) -> Decision:
    """The decision that a line holds. Raises DataError: one sentence on the first thing that is wrong."""
    try:
        return Decision.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise DataError(f"this is no decision ({wrong(error)})", where=where, fix=_FIX) from None


def _value(line: bytes, where: str) -> dict[str, Any]:
    if line.startswith((b"<<<<<<<", b"=======", b">>>>>>>")):
        fix = "Keep the lines of both sides and take the marks out: decisions stand side by side."
        raise DataError("this is the mark of a merge that was not finished", where=where, fix=fix)
    try:
        value = parse(line.decode())
    except (StrictJsonError, UnicodeDecodeError) as error:
        raise DataError(f"the line is not JSON ({error})", where=where, fix=_FIX) from None
    if not isinstance(value, dict):
        raise DataError("the line is not a JSON object", where=where, fix=_FIX)
    return value


def _ended(descriptor: int) -> bytes:
    """What has to stand before the next line: an end for a last line that has none. One that was cut off is taken off."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    begin = max(0, size - LONGEST)
    os.lseek(descriptor, begin, os.SEEK_SET)
    last = os.read(descriptor, size - begin).rpartition(b"\n")[2]
    if last and len(last) < LONGEST and _cut_off(last):
        os.ftruncate(descriptor, size - len(last))
        return b""
    return b"\n" if last else b""


def _cut_off(line: bytes) -> bool:
    """Whether it is what an append of ours left that was cut off, and not something that a person wrote last."""
    if line.endswith(b"\n") or not line.startswith(b"{"):
        return False
    text = line.decode(errors="ignore")  # half a sign at the end
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Unterminated string") or error.pos >= len(text) - _LONGEST_WORD
    except RecursionError:
        pass
    return False
