"""Sources: one file for each format, found by its name. `read(path, encoding)` opens a file as a Table of raw rows.

To add a format, add a file here with such a `read`, its name to SourceSpec.format and its endings to ENDINGS.
"""

from collections.abc import Generator
from contextlib import ExitStack, closing
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tunewright.data.names import listed
from tunewright.data.rows import BadFile, Reject, Row, Table, no_rows
from tunewright.data.source_spec import Side
from tunewright.data.sources._documents import DOCUMENTS
from tunewright.data.sources._exports import is_of_chatgpt
from tunewright.data.sources._lines import BY_LINE, check_lines
from tunewright.data.sources._talks import talk_table
from tunewright.data.sources._threads import thread_table
from tunewright.data.sources._unpack import COMPRESSED, inner_name, unpacked
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
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xlsx": "spreadsheet",
    ".xlsm": "spreadsheet",
    ".ods": "spreadsheet",
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    ".vtt": "subtitles",
    ".srt": "subtitles",
    ".mbox": "mbox",
    ".eml": "mbox",
    **dict.fromkeys((".wav", ".mp3", ".flac", ".m4a", ".ogg"), "audio"),
}
_OLDER = {
    **dict.fromkeys((".xls", ".xlsb", ".numbers"), "XLSX"),
    **dict.fromkeys((".doc", ".odt", ".rtf", ".pages"), "DOCX"),
    **dict.fromkeys((".ppt", ".odp", ".key"), "PPTX"),
}
"""Endings of office files that are not read, and what to save them as."""
ARCHIVES = {"slack"}
"""Formats of a zip archive as a whole."""
_CHATS = {"chat", "chatgpt", "slack", "traces"}
_TALKS = {"subtitles", "transcript", "mbox"}
"""Formats in which somebody is named who speaks."""
_TABULAR = {"parquet", "arrow"}
ROW_FORMATS = {"csv", "tsv", "json", "jsonl", "spreadsheet", *_TABULAR}
"""Formats of rows, be they conversations or columns."""
_PEEK = 100
_HERE = Path()
Kind = Literal["chat", "documents", "columns"]


class Opened(NamedTuple):
    """A file, opened: its table, and what its rows are."""

    table: Table
    kind: Kind


def if_empty(path: Path, spec: SourceSpec, columns: tuple[str, ...] | None) -> str:
    """What is to be said of a file that was opened, has these columns, and turns out to have no rows."""
    if spec.sql is not None:
        return "has none for this query"
    if spec.roles:
        return "holds no conversation"
    if columns == ():
        return "is empty"
    name = _format_of(Path(inner_name(path) or path.name)) if spec.format == "auto" else spec.format
    if name in DOCUMENTS:
        return "says nothing"
    return "holds no rows" if columns is None or name in _CHATS else "has a header and no rows"


def open_file(path: Path, spec: SourceSpec, root: Path = _HERE) -> Opened:
    """Open a file, or an entry of a zip archive, as the spec says. Raises BadFile, OSError.

    What the spec names besides (a speech model's folder) is looked for below `root`. A packed file is unpacked for as long
    as its rows are read. Of a query, `path` is the project's folder.
    """
    if spec.sql is not None:
        from tunewright.data.sources import sql

        return _queried(sql.read(path, spec.sql), spec)
    inner = None if spec.format in ARCHIVES else inner_name(path)
    name = _format_of(Path(inner or path.name)) if spec.format == "auto" else spec.format
    if inner is None:
        return _opened(path, name, spec, root)
    with ExitStack() as stack:
        file = stack.enter_context(unpacked(path, by_line=name in BY_LINE))
        opened = _opened(file, name, spec, root)
        rows = _held(opened.table, stack.pop_all())
    next(rows)  # into its `with`, so that closing it takes the unpacked file away
    return opened._replace(table=opened.table._replace(rows=rows))


def _opened(path: Path, name: str, spec: SourceSpec, root: Path) -> Opened:
    if path.stat().st_size == 0:
        return Opened(Table((), no_rows()), "columns")
    reader = import_module(f"{__name__}.{name}")
    if spec.sheet is not None and name != "spreadsheet":
        raise BadFile("it is no spreadsheet, and has no sheets.", fix="Leave out sheet: for this source.")
    check_lines(path, name, spec.encoding)
    if spec.roles and name not in _TALKS:
        raise BadFile(
            "it is no mail, no transcript and no subtitles, and has no roles.",
            fix="Leave out roles: for this source.",
        )
    if spec.roles and name == "mbox":
        return Opened(_threaded(path, reader, spec, spec.roles), "chat")
    more = {"spreadsheet": (spec.sheet,), "audio": (spec.speech, root)}.get(name, ())
    table: Table = reader.read(path, spec.encoding, *more)
    if spec.roles:
        return Opened(talk_table(table, spec.roles), "chat")
    if spec.format == "auto" and not spec.columns and name in ("json", "jsonl", *_TABULAR):
        return _sniffed(table, loose=name not in _TABULAR)
    answered = EXPECTED in (table.columns or ())
    documents = (spec.holds_documents and not answered) or (
        name in DOCUMENTS and not ANSWERING & spec.columns.keys()
    )
    return Opened(table, "chat" if name in _CHATS else "documents" if documents else "columns")


def _threaded(path: Path, reader: Any, spec: SourceSpec, roles: dict[str, Side]) -> Table:
    lost: set[str] = set()
    return thread_table(reader.read(path, spec.encoding, reader.THREADED, lost), roles, lost)


def _queried(table: Table, spec: SourceSpec) -> Opened:
    """A query's table. What is a chat's messages is JSON text in databases that have no lists."""
    chat = is_chat(dict.fromkeys(table.columns or ())) and not spec.columns
    documents = spec.holds_documents and EXPECTED not in (table.columns or ())
    return Opened(table, "chat" if chat else "documents" if documents else "columns")


def format_of_ending(path: Path) -> str | None:
    """The format of a file, or of what a packed one holds, by its ending; None where that does not tell it, or it is an
    archive of several."""
    name = Path(path.stem) if path.suffix.lower() in COMPRESSED else path
    return ENDINGS.get(name.suffix.lower())


def _format_of(path: Path) -> str:
    ending = path.suffix.lower()
    if ending in _OLDER:
        raise BadFile(f"files that end in {ending} are not read.", fix=f"Save it as {_OLDER[ending]}.")
    if ending in ENDINGS:
        return ENDINGS[ending]
    raise BadFile(
        f"the ending {path.suffix!r} does not tell the format.",
        fix=f"Set format: for this source (the endings known are {', '.join(ENDINGS)}, and after them "
        f"{listed(COMPRESSED)}; .zip holds such files).",
    )


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
    if is_of_chatgpt(values):
        raise BadFile("its rows are conversations as ChatGPT exports them.", fix="Set format: chatgpt.")
    if is_chat(values):
        return "chat"
    return "documents" if loose and TEXT in values and not ANSWERING & values.keys() else "columns"


def _again(seen: list[Row | Reject], table: Table) -> Generator[Row | Reject, None, None]:
    with closing(table.rows):
        yield from chain(seen, table.rows)


def _held(table: Table, stack: ExitStack) -> Generator[Any, None, None]:
    """The rows; what the stack holds goes when they end or are closed. The first item is none of them."""
    with stack, closing(table.rows):
        yield None
        yield from table.rows
