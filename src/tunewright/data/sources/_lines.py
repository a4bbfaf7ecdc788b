"""How long the lines of a file are, looked up before it is read by lines: a line is held whole."""

import codecs
from pathlib import Path

from tunewright.data.rows import BadFile

LINE = 64 * 2**20
"""The most bytes of a line."""
BY_LINE = frozenset({"csv", "tsv", "jsonl", "chat", "traces", "mbox"})
"""The formats that are read line by line."""
_BLOCK = 2**20


class Lines:
    """Sees a file's bytes block by block."""

    def __init__(self) -> None:
        self._open = 0

    def see(self, block: bytes) -> None:
        """The next bytes, far fewer than LINE. Raises BadFile where a line is too long."""
        first = block.find(b"\n")
        if self._open + (first if first >= 0 else len(block)) > LINE:
            raise BadFile(
                f"it has a line of more than {LINE:,} bytes.", fix="Write one row a line, or set format:."
            )
        self._open = self._open + len(block) if first < 0 else len(block) - block.rfind(b"\n") - 1


def check_lines(path: Path, name: str, encoding: str) -> None:
    """Raises BadFile where a line of a file in format `name` is too long; no more of it is read than tells so."""
    if name not in BY_LINE or name == "mbox" or path.stat().st_size <= LINE:  # mails have their own bounds
        return
    wide, lines = _wide(encoding), Lines()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            try:
                lines.see(wide.decode(block).encode("utf-8", "replace") if wide else block)
            except UnicodeError:
                return  # told when the file is read


def _wide(encoding: str) -> codecs.IncrementalDecoder | None:
    """The decoder of an encoding in which a byte may look like a line's end and be half a character."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:  # told when the file is read
        return None
    return codecs.getincrementaldecoder(name)("replace") if name.startswith(("utf-16", "utf-32")) else None
