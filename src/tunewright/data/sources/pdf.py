"""PDF: one row a page, {text, page, title, document}; the row's number is the page's.

Words that a line's end parts are put together again, and pages whose lines run across two columns, or three, are read
column by column; headings and tables come as Markdown. Blank pages are passed over; one that shows pictures and no text is a
reject, for it wants text recognition. Scripts are never run: the library is built without an engine for them, and forms are
not loaded. It works in a process of its own, so that a page that takes for ever, or breaks it down, is a reject as well.
"""

from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._apart import Apart, Lost
from tunewright.data.sources._documents import TITLE, check_size, clean, document_table

MOST_BYTES = 2**30
"""The most bytes of a file; it is not read whole."""
PAGES = 20_000
"""The most pages of a file."""
CHARS = 2_000_000
"""The most characters of a page."""
SECONDS = 60
"""The most seconds of processor time for a page, and for opening the file."""
LOST = 3
"""The most pages that take longer, or break the reader down, before the file is given up."""
_NO_TITLES = {"untitled", "Untitled", "(anonymous)"}
"""What writers of PDFs put where they are given no title."""
_READER = Apart("tunewright.data.sources._pdf_pages")


def read(path: Path, encoding: str) -> Table:
    """Open a PDF; `encoding` plays no part. Raises BadFile."""
    check_size(path, MOST_BYTES)
    with path.open("rb"):
        pass  # what the system refuses is told as that
    try:
        about = _READER.ask({"open": str(path.absolute())}, seconds=SECONDS)
    except Lost as why:
        raise BadFile(f"the PDF cannot be opened: it {why}.", fix="Save it anew.") from None
    if "refused" in about:
        raise BadFile(
            f"the PDF cannot be opened: {about['refused']}.", fix="Save it anew, without a password."
        )
    if about["pages"] > PAGES:
        _close()
        raise BadFile(f"the PDF has {about['pages']:,} pages; {PAGES:,} are read.", fix="Split it.")
    title = clean(about["title"])
    title = None if title in _NO_TITLES else title
    return document_table(path, ("page", TITLE), _pages(path.absolute(), about["pages"], title))


def _pages(path: Path, count: int, title: str | None) -> Generator[Row | Reject, None, None]:
    lost = 0
    try:
        for number in range(1, count + 1):
            try:
                found = _READER.ask({"page": number, "open": str(path), "chars": CHARS}, seconds=SECONDS)
            except Lost as why:
                lost += 1
                yield Reject(number, f"broken page: it {why}", "")
                if lost == LOST and number < count:
                    raise BadFile(
                        f"reading stopped after page {number}: {lost} pages are broken, the last of them {why}.",
                        fix="Save it anew, or leave it out.",
                    ) from None
                continue
            if (row := _row(number, found, title)) is not None:
                yield row
    finally:
        _close()


def _row(number: int, found: dict[str, Any], title: str | None) -> Row | Reject | None:
    if "refused" in found:
        return Reject(number, f"broken page: the file cannot be opened again ({found['refused']})", "")
    if "reject" in found:
        return Reject(number, found["reject"], "")
    return Row(number, {"text": found["text"], "page": number, TITLE: title}) if "text" in found else None


def _close() -> None:
    """Let the file go."""
    if _READER.runs:  # or else the file went with the process that held it
        with suppress(Lost):
            _READER.ask({"close": True}, seconds=SECONDS)
