"""TSV: columns parted by tabs, quoted the way spreadsheets do, or, where that cannot be, not quoted at all."""

import re
from contextlib import closing
from itertools import islice
from pathlib import Path

from tunewright.data.rows import Table
from tunewright.data.sources.csv import read_delimited
from tunewright.data.text import text_lines

_HEAD = 1000
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def read(path: Path, encoding: str) -> Table:
    """Open a TSV file. Raises BadFile."""
    return read_delimited(path, encoding, "\t", quoted=not _plain(path, encoding))


def _plain(path: Path, encoding: str) -> bool:
    """Whether quotes are letters: the first lines agree on the tabs, and a cell begins with a quote but is not quoted."""
    with closing(text_lines(path, encoding, newline="")) as lines:
        head = [line.rstrip("\r\n").split("\t") for line in islice(lines, _HEAD) if line.strip()]
    odd = any(cell.startswith('"') and not _QUOTED.fullmatch(cell) for cells in head for cell in cells)
    return odd and len({len(cells) for cells in head}) == 1
