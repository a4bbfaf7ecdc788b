"""The log of replies: whole batches, one a line, so that a cut-off run goes on where it was.

The first line says what the replies answer; a log of other questions is begun anew. A batch counts when its line is
whole: what a kill left of one is cut away.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunewright.core.generation import Reply


class ReplyLog:
    """The replies of one variant to one suite, batch by batch."""

    def __init__(self, path: Path, key: str, sizes: Sequence[int]) -> None:
        """`key` names the questions, `sizes` are the batches' sizes. Opens the log, or makes it."""
        self._path = path
        self.kept: list[list[Reply]] = []
        """The batches already answered, in order."""
        whole = self._read(key, sizes)
        if whole:
            os.truncate(path, whole)
        else:
            path.write_text(_line({"replies_to": key}), encoding="utf-8")

    def append(self, replies: Sequence[Reply]) -> None:
        """Add a batch; it is on disk when this returns."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(_line(list(replies)))
            stream.flush()
            os.fsync(stream.fileno())

    def _read(self, key: str, sizes: Sequence[int]) -> int:
        """Read the whole batches; returns the length of what is whole, in bytes."""
        if not self._path.exists():
            return 0
        with self._path.open("rb") as stream:
            head = stream.readline()
            if head != _line({"replies_to": key}).encode():
                return 0
            whole = len(head)
            for size in sizes:
                line = stream.readline()
                batch = _batch(line, size)
                if batch is None:
                    break
                self.kept.append(batch)
                whole += len(line)
        return whole


def _batch(line: bytes, size: int) -> list[Reply] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        rows = json.loads(line)
        replies = [Reply(*row) for row in rows]
    except (ValueError, TypeError):
        return None
    return replies if len(replies) == size else None


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"
