"""Plain text: the file is one row, {text, document}."""

from pathlib import Path

from tunewright.data.rows import Row, Table
from tunewright.data.sources._documents import document_table, whole_text


def read(path: Path, encoding: str) -> Table:
    """Open a text file as one document. Raises BadFile."""
    text = whole_text(path, encoding)
    return document_table(path, (), [Row(1, {"text": text})])
