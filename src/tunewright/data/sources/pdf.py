"""PDF: one row a page, {text, page, title, document}; the row's number is the page's.

Words that a line's end parts are put together again, and pages whose lines run across two columns are read column by
column. Blank pages are passed over; one that shows pictures and no text is a reject, for it wants text recognition.
Scripts are never run: the library is built without an engine for them, and forms are not loaded.
"""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._columns import Line, in_reading_order
from tunewright.data.sources._documents import TITLE, check_size, clean, document_table

MOST_BYTES = 2**30
"""The most bytes of a file; it is not read whole."""
PAGES = 20_000
"""The most pages of a file."""
CHARS = 2_000_000
"""The most characters of a page."""
_BOXES = 5_000
"""The most stretches of text of a page whose order is looked at."""
_OBJECTS = 10_000
"""How many of a page's objects are asked whether they are pictures."""
_NO_TITLES = {"untitled", "Untitled", "(anonymous)"}
"""What writers of PDFs put where they are given no title."""
_HYPHEN = re.compile("(\\w{1,60})[\x02\ufffe\xad](?:\n[ \t]{0,20})?(\\w{1,60})")
"""A word that a line's end parts: the library writes the hyphen there as a character that is none."""
_COMPOUND = re.compile(r"\w{1,60}-\w{1,60}")
_STRAY = re.compile("[\x02\ufffe\xad]")
_REASONS = {4: "it is locked with a password", 5: "its protection is of an unknown kind"}


def read(path: Path, encoding: str) -> Table:
    """Open a PDF; `encoding` plays no part. Raises BadFile."""
    check_size(path, MOST_BYTES)
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        why = _REASONS.get(getattr(error, "err_code", None) or 0, "its structure is broken")
        raise BadFile(f"the PDF cannot be opened: {why}.", fix="Save it anew, without a password.") from None
    if len(document) > PAGES:
        count = len(document)
        document.close()
        raise BadFile(f"the PDF has {count:,} pages; {PAGES:,} are read.", fix="Split it.")
    return document_table(path, ("page", TITLE), _pages(document))


def _pages(document: Any) -> Generator[Row | Reject, None, None]:
    import pypdfium2

    try:
        title = clean(document.get_metadata_value("Title"))
        title = None if title in _NO_TITLES else title
        for number in range(1, len(document) + 1):
            try:
                row = _page(document, number, title)
            except (pypdfium2.PdfiumError, ValueError) as error:
                row = Reject(number, f"broken page: {' '.join(str(error).split())[:100]}", "")
            if row is not None:
                yield row
    finally:
        document.close()


def _page(document: Any, number: int, title: str | None) -> Row | Reject | None:
    page = document[number - 1]
    try:
        content = page.get_textpage()
        try:
            count = content.count_chars()
            if count > CHARS:
                return Reject(number, f"too long: the page has {count:,} characters; {CHARS:,} are read", "")
            text = mended(_text(content))
        finally:
            content.close()
        if text.strip():
            return Row(number, {"text": text, "page": number, TITLE: title})
        if _has_picture(page):
            return Reject(number, "no text: the page is a picture; have its text recognised (OCR) first", "")
        return None
    finally:
        page.close()


def _text(content: Any) -> str:
    """The page's text in reading order, its lines ended by line feeds."""
    plain: str = content.get_text_bounded().replace("\r\n", "\n").replace("\r", "\n")
    count = content.count_rects()
    if not 0 < count <= _BOXES:
        return plain
    lines = in_reading_order([Line(*content.get_rect(at)) for at in range(count)])
    if lines is None:
        return plain
    return "\n".join(" ".join(content.get_text_bounded(*line).split()) for line in lines)


def mended(text: str) -> str:
    """A page's text with the words that lines' ends part put together again.

    The hyphen stays where the same word stands with one elsewhere on the page, or a capital or a digit follows.
    """

    written = set(_COMPOUND.findall(text))

    def join(found: re.Match[str]) -> str:
        left, right = found.groups()
        kept = f"{left}-{right}"
        return kept if not right[0].islower() or kept in written else left + right

    return _STRAY.sub("", _HYPHEN.sub(join, text)).strip("\n")


def _has_picture(page: Any) -> bool:
    from itertools import islice

    from pypdfium2 import raw

    return any(found.type == raw.FPDF_PAGEOBJ_IMAGE for found in islice(page.get_objects(), _OBJECTS))
