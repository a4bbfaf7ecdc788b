"""CSV: a header, then rows. Quoted cells may span lines; a row's number is the line it starts on."""

import csv
import re
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path

from tunewright.data.names import listed
from tunewright.data.rows import BadFile, Reject, Row, Table, no_rows
from tunewright.data.text import broken, text_lines

CELL_LIMIT = 64 * 1024 * 1024
"""The most characters of one cell: a quote that is never closed must not swallow the machine's memory."""
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a CSV file. A header without a comma but with semicolons (or tabs) is split by those."""
    return read_delimited(path, encoding, None)


def read_delimited(path: Path, encoding: str, delimiter: str | None, *, quoted: bool = True) -> Table:
    """Open a delimited file; without a delimiter the header decides; `quoted` False takes quotes as letters.

    Raises BadFile.
    """
    lines = text_lines(path, encoding, newline="")
    blanks, start = 0, next(lines, "")
    while start and not start.strip():
        blanks, start = blanks + 1, next(lines, "")
    if not start:
        return Table((), no_rows())
    feed = _Feed(chain([start], lines), blanks)
    records = _records(feed, delimiter or _delimiter(start), encoding, quoted)
    header = next(records, None)
    if isinstance(header, Reject) or header is None:
        raise (
            BadFile(f"the header cannot be read ({header.reason}).", line=header.number)
            if header
            else BadFile("the file has no header.")
        )
    columns = _columns(header)
    return Table(columns, _rows(records, columns))


class _Record(tuple[str, ...]):
    """The cells of one record, with the line it starts on."""

    number: int


class _Feed:
    """Hands lines to the csv reader and remembers those of the record being read."""

    def __init__(self, lines: Iterator[str], lines_before: int) -> None:
        self._lines = lines
        self.number = lines_before
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.record.append(line)
        return line


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return next((mark for mark in (",", ";", "\t") if mark in bare), ",")


def _records(
    feed: _Feed, delimiter: str, encoding: str, quoted: bool
) -> Generator[_Record | Reject, None, None]:
    csv.field_size_limit(CELL_LIMIT)
    reader = csv.reader(
        feed, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=True
    )
    while True:
        feed.record.clear()
        first = feed.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The quotes are out of step: where one row ends is unknown, so every line it took counts as a reject.
            yield from _lines_lost(feed.record, first, str(error).replace("'\t'", "a tab"))
            continue
        if not cells:
            continue
        reason = next(filter(None, (broken(line, encoding) for line in feed.record)), None)
        if reason:
            yield Reject(first, reason, "".join(feed.record)[:_RAW])
            continue
        record = _Record(cells)
        record.number = first
        yield record


def _lines_lost(lines: list[str], first: int, why: str) -> Iterator[Reject]:
    last = first + len(lines) - 1
    what = "a quoted cell is never closed" if "end of data" in why else why
    span = f"line {first}" if last == first else f"lines {first} to {last}"
    for number, line in enumerate(lines, first):
        if line.strip() or number == first:
            yield Reject(number, f"broken CSV: {what} ({span})", line[:_RAW])


def _columns(header: _Record) -> tuple[str, ...]:
    names = [name.strip() or f"column {at}" for at, name in enumerate(header, 1)]
    for name in names:
        if names.count(name) > 1:
            places = " and ".join(str(at) for at, other in enumerate(names, 1) if other == name)
            raise BadFile(
                f"the header names {name!r} more than once (columns {places} of {listed(names)}).",
                line=header.number,
                fix="Give each column its own name.",
            )
    return tuple(names)


def _rows(
    records: Iterator[_Record | Reject], columns: tuple[str, ...]
) -> Generator[Row | Reject, None, None]:
    for record in records:
        if isinstance(record, Reject):
            yield record
        elif len(record) == len(columns):
            yield Row(record.number, dict(zip(columns, record, strict=True)))
        else:
            values = f"{len(record)} value{'s' * (len(record) != 1)}"
            raw = ",".join(record)[:_RAW]
            yield Reject(
                record.number, f"wrong number of columns: {values}, the header names {len(columns)}", raw
            )
