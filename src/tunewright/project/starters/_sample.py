"""The first rows of a data file, for a look before there is a project. `ingest` reads it in earnest later."""

from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.data.rows import BadFile, Row
from tunewright.data.sources import open_file
from tunewright.data.spec import SourceSpec

ROWS = 5000
"""How many rows are looked at."""

Values = dict[str, Any]
"""One row: column → JSON value."""


class Sample(NamedTuple):
    """The head of a file."""

    columns: list[str]
    """Every column, in the order of the header or of first showing."""
    rows: list[Values]
    numbers: list[int]
    """Each row's line or record number."""
    is_chat: bool
    """Whether the rows are chat rows: {"messages": …}."""


def read_sample(path: Path, limit: int = ROWS) -> Sample:
    """The first `limit` rows; bad ones are passed over, `check` names them.

    Raises DataError when the file is not there, cannot be read or holds no row.
    """
    if not path.is_file():
        raise DataError("there is no such file", where=str(path))
    try:
        opened = open_file(path, SourceSpec(path="data"))
        with closing(opened.table.rows) as found:
            read = [row for row in islice(found, limit) if isinstance(row, Row)]
    except BadFile as error:
        where = f"{path}:{error.line}" if error.line else str(path)
        raise DataError(error.message.rstrip("."), where=where, fix=error.fix) from None
    if not read:
        raise DataError("the file has no row that can be read", where=str(path))
    rows = [row.values for row in read]
    columns = opened.table.columns or dict.fromkeys(name for row in rows for name in row)
    return Sample(list(columns), rows, [row.number for row in read], opened.kind == "chat")
