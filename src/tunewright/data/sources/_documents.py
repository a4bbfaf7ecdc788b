"""What the readers of documents share: which formats they are, their columns, their bounds, and tables as Markdown."""

import datetime
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.spec import TEXT
from tunewright.data.text import read_text

DOCUMENTS = frozenset(
    {"text", "markdown", "html", "pdf", "docx", "pptx", "subtitles", "transcript", "mbox", "audio"}
)
"""The formats whose rows are texts."""
TITLE, DOCUMENT = "title", "document"
"""The columns of a row's heading and of the file's name, the same for all rows of one file (for split.group_by)."""
MOST_BYTES = 64 * 2**20
"""The most bytes of a document that is read whole."""
TALK_BYTES = 16 * 2**20
"""The most bytes of a talk: its pieces take many times that."""
_FILLED = 1_000_000
"""The most cells of a table whose short rows are filled up."""


def document_table(path: Path, columns: Sequence[str], rows: Iterable[Row | Reject]) -> Table:
    """The table of a document: `text`, these columns, and the document's name in every row."""

    def named() -> Generator[Row | Reject, None, None]:
        for row in rows:
            yield row._replace(values={**row.values, DOCUMENT: path.name}) if isinstance(row, Row) else row

    return Table((TEXT, *columns, DOCUMENT), named())


def whole_text(path: Path, encoding: str, most: int = MOST_BYTES) -> str:
    """A text file whole, its lines ended by line feeds. Raises BadFile where it is larger than `most` bytes."""
    check_size(path, most)
    return read_text(path, encoding).replace("\r\n", "\n").replace("\r", "\n")


def check_size(path: Path, most: int) -> None:
    """Raises BadFile where a file has more than `most` bytes."""
    size = path.stat().st_size
    if size > most:
        raise BadFile(
            f"the document has {size:,} bytes; {most:,} are read.",
            fix="Split it, or write its parts one row a line (JSONL).",
        )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table, the first as its header; empty where no cell says anything.

    Cells may hold line breaks (they become blanks) and bars (they are escaped); short rows are filled up.
    """
    width = max((len(row) for row in rows), default=0)
    plain = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    if not any(any(row) for row in plain):
        return ""
    filled = width if width * len(rows) <= _FILLED else 0
    lines = [f"| {' | '.join([*row, *[''] * (filled - len(row))])} |" for row in plain]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def clean(value: Any) -> str | None:
    """A heading or a name on one line; None where it is blank or no text."""
    text = " ".join(value.replace("\0", "").split()) if isinstance(value, str) else ""
    return text or None


def iso_time(seconds: Any) -> str | None:
    """A time in seconds since 1970 as an ISO text in UTC; None where it is none."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None
