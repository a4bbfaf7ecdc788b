"""The first rows of a data file, for a look before there is a project. `ingest` reads it in earnest later."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.data.rows import BadFile, Row
from tunewright.data.sources import Opened, open_file
from tunewright.data.sources._unpack import archive_of
from tunewright.data.spec import Format, SourceSpec

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


def read_sample(path: Path, limit: int = ROWS, *, file_format: Format = "auto") -> Sample:
    """The first `limit` rows of a file, or of an entry of a zip archive; bad ones are passed over, `check` names them.

    Raises DataError when the file is not there, cannot be read or holds no row.
    """
    with _opened(path, file_format) as (opened, found):
        read = list(islice(found, limit))
    if not read:
        raise DataError("the file has no row that can be read", where=str(path))
    rows = [row.values for row in read]
    columns = opened.table.columns or dict.fromkeys(name for row in rows for name in row)
    return Sample(list(columns), rows, [row.number for row in read], opened.kind == "chat")


def all_values(path: Path, column: str, most: int) -> list[str]:
    """The column's distinct values as text, sorted, from every row of the file: one sorted by its answers begins with a few.

    Outer blanks are no part of a value, and what is blank is none. Stops at `most` + 1 of them. Raises DataError when the
    file is not there or cannot be read.
    """
    values = set[str]()
    with _opened(path) as (_, found):
        for row in found:
            value = row.values.get(column)
            if text := "" if value is None else str(value).strip():
                values.add(text)
            if len(values) > most:
                break
    return sorted(values)


@contextmanager
def _opened(path: Path, file_format: Format = "auto") -> Iterator[tuple[Opened, Iterator[Row]]]:
    """The file and its good rows. What is wrong with it is raised as DataError, also while the rows are read."""
    if not path.is_file() and archive_of(path) is None:
        raise DataError("there is no such file", where=str(path))
    try:
        opened = open_file(path, SourceSpec(path="data", format=file_format))
        with closing(opened.table.rows) as found:
            yield opened, (row for row in found if isinstance(row, Row))
    except BadFile as error:
        where = f"{path}:{error.line}" if error.line else str(path)
        raise DataError(error.message.rstrip("."), where=where, fix=error.fix) from None
