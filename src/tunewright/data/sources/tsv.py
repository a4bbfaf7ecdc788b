"""TSV: columns parted by tabs, quoted the way spreadsheets do."""

from pathlib import Path

from tunewright.data.rows import Table
from tunewright.data.sources.csv import read_delimited


def read(path: Path, encoding: str) -> Table:
    """Open a TSV file. Raises BadFile."""
    return read_delimited(path, encoding, "\t")
