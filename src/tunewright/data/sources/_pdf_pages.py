"""The pages of a PDF, read in a process of its own (see _apart.py); pdf.py asks it.

{"open": path}              → {"pages": count, "title": title} or {"refused": reason}
{"page": number, "open": path, "chars": most}
                            → {"text": text}, {"reject": reason}, or {} for a blank page
{"close": true}             → {}
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tunewright.data.sources._apart import serve
from tunewright.data.sources._columns import Line, in_reading_order, joined
from tunewright.data.sources._pdf_blocks import as_markdown
from tunewright.data.sources._pdf_tables import Piece

_BOXES = 5_000
"""The most stretches of text of a page whose order is looked at."""
_LOOKED_AT = 20_000_000
"""Characters of a page times its lines, up to which headings and tables are looked for."""
_OBJECTS = 10_000
"""How many of a page's objects are asked whether they are pictures."""
_HYPHEN = re.compile("(\\w{1,60})[\x02\ufffe\xad](?:\n[ \t]{0,20})?(\\w{1,60})")
"""A word that a line's end parts: the library writes the hyphen there as a character that is none."""
_COMPOUND = re.compile(r"\w{1,60}-\w{1,60}")
_STRAY = re.compile("[\x02\ufffe\xad]")
_REASONS = {4: "it is locked with a password", 5: "its protection is of an unknown kind"}


class Pages:
    """Answers questions of one file after another."""

    def __init__(self) -> None:
        self._path: str | None = None
        self._document: Any = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question."""
        if "page" not in request or request["open"] != self._path:
            self._close()
        if "open" not in request:
            return {}
        if self._document is None and (why := self._open(request["open"])):
            return {"refused": why}
        if "page" not in request:
            return {"pages": len(self._document), "title": self._document.get_metadata_value("Title")}
        return self._page(request["page"], request["chars"])

    def _open(self, path: str) -> str | None:
        import pypdfium2

        try:
            self._document, self._path = pypdfium2.PdfDocument(path), path
        except pypdfium2.PdfiumError as error:
            return _REASONS.get(getattr(error, "err_code", None) or 0, "its structure is broken")
        return None

    def _close(self) -> None:
        if self._document is not None:
            self._document.close()
        self._document = self._path = None

    def _page(self, number: int, chars: int) -> dict[str, Any]:
        import pypdfium2

        try:
            return _read(self._document, number, chars)
        except (pypdfium2.PdfiumError, ValueError) as error:
            return {"reject": f"broken page: {' '.join(str(error).split())[:100]}"}


def _read(document: Any, number: int, chars: int) -> dict[str, Any]:
    page = document[number - 1]
    try:
        content = page.get_textpage()
        try:
            count = content.count_chars()
            if count > chars:
                return {"reject": f"too long: the page has {count:,} characters; {chars:,} are read"}
            text = mended(_text(content))
        finally:
            content.close()
        if text.strip():
            return {"text": text}
        if _has_picture(page):
            return {"reject": "no text: the page is a picture; have its text recognised (OCR) first"}
        return {}
    finally:
        page.close()


def _text(content: Any) -> str:
    """The page's text in reading order, its lines ended by line feeds."""
    plain: str = content.get_text_bounded().replace("\r\n", "\n").replace("\r", "\n")
    count = content.count_rects()
    if not 0 < count <= _BOXES:
        return plain
    boxes = [Line(*content.get_rect(at)) for at in range(count)]
    ordered = in_reading_order(boxes)
    lines = joined(boxes) if ordered is None else ordered
    light = content.count_chars() * len(lines) <= _LOOKED_AT
    if ordered is None and not light:
        return plain
    texts = [" ".join(content.get_text_bounded(*line).split()) for line in lines]
    if ordered is None and _letters("".join(texts)) != _letters(plain):  # boxes that overlap, or hold not all
        return plain
    sizes = _sizes(content, lines) if light else [0.0] * len(lines)
    marked = as_markdown([Piece(*piece) for piece in zip(lines, texts, sizes, strict=True)])
    return marked or (plain if ordered is None else "\n".join(texts))


def _letters(text: str) -> Counter[str]:
    """How often each letter stands in a text; a hyphen at a line's end is written in several ways."""
    return Counter(_STRAY.sub("", "".join(text.split())).replace("-", ""))


def _sizes(content: Any, lines: Sequence[Line]) -> list[float]:
    """The height of each line's type in points, by its first letter; 0 where none is found."""
    from ctypes import c_double

    from pypdfium2 import raw

    box = raw.FS_RECTF()
    sizes = []
    for line in lines:
        half = (line.top - line.bottom) / 2
        found = raw.FPDFText_GetCharIndexAtPos(
            content, c_double(line.left + 1), c_double(line.bottom + half), c_double(4), c_double(half)
        )
        known = found >= 0 and raw.FPDFText_GetLooseCharBox(content, found, box)
        sizes.append(round(abs(box.top - box.bottom) * 2) / 2 if known else 0.0)
    return sizes


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


if __name__ == "__main__":
    serve(Pages().answer)
