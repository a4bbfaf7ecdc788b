"""A text file read through a window: what is not yet read of it is held, and more where that does not suffice.

window = Window(path, "utf-8")
window.text, window.at      the part that is held, and where reading stands in it; what lies before may be let go
window.more("row 3")        hold more: twice as much, so that a long row is looked at a few times only
"""

from pathlib import Path

from tunewright.data.rows import BadFile
from tunewright.data.sources._lines import LINE
from tunewright.data.text import text_blocks


class Window:
    """Begins before the file's first character. Close it."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.text, self.at = "", 0
        self._blocks = text_blocks(path, encoding)
        self._line, self._column = 1, 1  # of the text's first character

    def more(self, what: str) -> bool:
        """Hold more of the file; False at its end. Raises BadFile where `what` begins at `at` and is too long, and where
        the bytes are no text.
        """
        self.check(what, len(self.text))
        held = self.text[self.at :]
        pieces, size = [held], 0
        while size <= len(held) and (block := next(self._blocks, "")):
            pieces.append(block)
            size += len(block)
        if size == 0:
            return False
        self._line, self._column = self.place(self.at)
        self.text, self.at = "".join(pieces), 0
        return True

    def check(self, what: str, end: int) -> None:
        """Raises BadFile where `what`, which lies from `at` to `end`, is too long."""
        if end - self.at <= LINE // 4:  # a character is four bytes at most
            return
        if len(self.text[self.at : end].encode("utf-8", "surrogatepass")) > LINE:
            line = self.place(self.at)[0]
            raise BadFile(f"{what} has more than {LINE:,} bytes.", line=line, fix="Cut it into smaller ones.")

    def place(self, at: int) -> tuple[int, int]:
        """The line and the column of a place in the text."""
        lines = self.text.count("\n", 0, at)
        before = at - self.text.rfind("\n", 0, at) if lines else self._column + at
        return self._line + lines, before

    def close(self) -> None:
        """Let the file go."""
        self._blocks.close()
