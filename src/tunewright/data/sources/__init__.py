"""Sources: one file for each format, found by its name. `read(path, encoding)` opens a file as a Table of raw rows.

To add a format, add a file here with such a `read`, and its name to SourceSpec.format.
"""

from collections.abc import Generator
from contextlib import closing
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tunewright.data.names import listed
from tunewright.data.rows import BadFile, Reject, Row, Table, no_rows
from tunewright.data.sources.chat import is_chat
from tunewright.data.spec import ANSWERING, EXPECTED, TEXT, SourceSpec

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_SPREADSHEETS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
_PEEK = 100
Kind = Literal["chat", "documents", "columns"]


class Opened(NamedTuple):
    """A file, opened: its table, and what its rows are."""

    table: Table
    kind: Kind


def open_file(path: Path, spec: SourceSpec) -> Opened:
    """Open a file as the spec says. Raises BadFile, OSError."""
    name = _format_of(path) if spec.format == "auto" else spec.format
    if path.stat().st_size == 0:
        return Opened(Table((), no_rows()), "columns")
    table: Table = import_module(f"{__name__}.{name}").read(path, spec.encoding)
    if spec.format == "auto" and not spec.columns and name in ("json", "jsonl", "parquet"):
        return _sniffed(table, loose=name != "parquet")
    answered = EXPECTED in (table.columns or ())
    documents = spec.holds_documents and not answered
    return Opened(table, "chat" if name == "chat" else "documents" if documents else "columns")


def _format_of(path: Path) -> str:
    if path.suffix.lower() in _SPREADSHEETS:
        raise BadFile("spreadsheets are not read.", fix="Save the sheet as CSV.")
    try:
        return ENDINGS[path.suffix.lower()]
    except KeyError:
        raise BadFile(
            f"the ending {path.suffix!r} does not tell the format.",
            fix=f"Set format: for this source (the endings known are {listed(ENDINGS)}).",
        ) from None


def _sniffed(table: Table, loose: bool) -> Opened:
    """Chat rows are told by the keys of the first row that can be read; in `loose` formats, without columns, documents
    are too: a table's text may be anything.
    """
    seen: list[Row | Reject] = []
    found: Kind = "columns"
    for row in table.rows:
        seen.append(row)
        if isinstance(row, Row) or len(seen) == _PEEK:
            found = _kind(row.values, loose) if isinstance(row, Row) else found
            break
    return Opened(table._replace(rows=_again(seen, table)), found)


def _kind(values: dict[str, Any], loose: bool) -> Kind:
    if is_chat(values):
        return "chat"
    return "documents" if loose and TEXT in values and not ANSWERING & values.keys() else "columns"


def _again(seen: list[Row | Reject], table: Table) -> Generator[Row | Reject, None, None]:
    with closing(table.rows):
        yield from chain(seen, table.rows)
