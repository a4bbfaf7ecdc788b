"""What an HTML page says, as Markdown, by its tags alone: for mails, and for pages too short to part from their frame."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from tunewright.data.sources._documents import clean, markdown_table

MOST_CHARS = 2**21
"""The most characters of a page that are looked at."""
_NESTED = 200
"""How many tags whose content is left out are known to lie within one another."""
_SILENT = {
    "script",
    "style",
    "template",
    "noscript",
    "head",
    "title",
    "svg",
    "iframe",
    "object",
    "select",
    "button",
}
_FRAME = {"nav", "footer", "aside", "form"}
_BLOCKS = {
    *("p", "div", "section", "article", "main", "header", "body", "ul", "ol", "dl", "dt", "dd", "blockquote"),
    *(
        "figure",
        "figcaption",
        "address",
        "hr",
        "pre",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "details",
        "summary",
    ),
}

_RAW = {"script", "style", "title", "textarea", "iframe"}
"""Tags that hold text without tags."""
_MARK = re.compile(r"<(?:(/?)([A-Za-z][A-Za-z0-9]{0,40})|!--|[!?/])")
_REST = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")


def page_text(html: str) -> str:
    """The text of a page or of a piece of one: headings, lists and tables as Markdown, paragraphs parted by blank lines.

    Scripts, styles and what frames a page (nav, footer, aside, form) are left out.
    """
    reader = _Reader()
    for piece in _pieces(html[:MOST_CHARS]):
        if piece.tag is None:
            reader.words(piece.text)
        elif piece.is_end:
            reader.end(piece.tag)
        else:
            reader.start(piece.tag)
    return reader.text()


def page_title(html: str) -> str | None:
    """What the page's <title> says."""
    found = re.search(r"<title\b[^>]{0,200}>([^<]{0,1000})", html[: 2**16], re.IGNORECASE)
    return clean(unescape(found[1])) if found else None


class _Piece(NamedTuple):
    """A stretch of text, its character references read, or a tag."""

    text: str
    tag: str | None = None
    is_end: bool = False


def _pieces(html: str) -> Iterator[_Piece]:
    """The pieces of a page in order, comments and attributes left out.

    What is opened and never closed (a comment, a tag, a script) reaches to the end, as it does in browsers: so no character
    is looked at again and again, which Python's own parser does.
    """
    at = 0
    while at < len(html):
        mark = _MARK.search(html, at)
        if mark is None:
            yield _Piece(unescape(html[at:]))
            return
        if mark.start() > at:
            yield _Piece(unescape(html[at : mark.start()]))
        if mark[2] is None:  # a comment, a declaration
            at = html.find("-->" if mark[0] == "<!--" else ">", mark.end()) + 1
            if at == 0:
                return
            at += 2 * (mark[0] == "<!--")
            continue
        end = _REST.match(html, mark.end())
        if end is None:
            return
        tag, at = mark[2].lower(), end.end()
        yield _Piece("", tag, bool(mark[1]))
        if tag in _RAW and not mark[1]:
            closing = re.compile(f"</{tag}", re.IGNORECASE).search(html, at)
            if closing is None:
                return
            at = closing.start()


class _Reader:
    """Collects blocks of text; a table is one block, tables within its cells are part of their text."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._said: list[str] = []
        self._mark = ""
        self._silent: list[str] = []
        self._rows: list[list[str]] | None = None
        self._tables = self._kept = 0

    def start(self, tag: str) -> None:
        """A tag begins."""
        if tag in _SILENT or tag in _FRAME:
            self._end_block()
            if len(self._silent) < _NESTED:
                self._silent.append(tag)
        if self._silent:
            return
        if tag == "table":
            self._begin_table()
        elif self._rows is not None:
            self._within_table(tag)
        elif tag == "br":
            self._said.append("\n")
        elif tag in _BLOCKS:
            self._end_block()
            self._kept += tag == "pre"
            self._mark = (
                "#" * int(tag[1]) + " " if tag[0] == "h" and tag != "hr" and tag[1:].isdigit() else ""
            )
            self._mark = "- " if tag == "li" else self._mark

    def end(self, tag: str) -> None:
        """A tag ends."""
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass
        elif self._silent:
            return
        elif tag == "table" and self._rows is not None:
            self._tables -= 1
            if self._tables == 0:
                self._end_table()
        elif self._rows is not None:
            self._said.append(" ")
        elif tag in _BLOCKS:
            self._end_block()
            self._kept = max(0, self._kept - (tag == "pre"))

    def words(self, data: str) -> None:
        """Text stands here."""
        if not self._silent:
            self._said.append(data if self._kept else re.sub(r"[^\S\xa0]+", " ", data))

    def text(self) -> str:
        """The blocks so far; what is still open is closed."""
        if self._rows is not None:
            self._end_table()
        self._end_block()
        parts: list[str] = []
        for before, block in zip(["", *self._blocks], self._blocks, strict=False):
            near = before.startswith("- ") and block.startswith("- ")
            parts += ["\n" if near else "\n\n", block]
        return "".join(parts[1:])

    def _end_block(self) -> None:
        said = "".join(self._said)
        if not self._kept:
            said = "\n".join(" ".join(line.split()) for line in said.split("\n"))
        self._said.clear()
        if said := said.strip("\n ") if self._kept else said.strip():
            self._blocks.append(self._mark + said)
        self._mark = ""

    def _begin_table(self) -> None:
        if self._rows is None:
            self._end_block()
            self._rows = []
        self._tables += 1

    def _within_table(self, tag: str) -> None:
        if self._rows is None or self._tables > 1:
            self._said.append(" ")
        elif tag == "tr":
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            self._rows = self._rows or [[]]
            self._rows[-1].append("")
        else:
            self._said.append(" ")

    def _end_cell(self) -> None:
        said = " ".join("".join(self._said).split())
        self._said.clear()
        if said and self._rows and self._rows[-1]:
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {said}".strip()
        elif said:
            self._blocks.append(said)

    def _end_table(self) -> None:
        self._end_cell()
        table, self._rows, self._tables = markdown_table([row for row in self._rows or [] if row]), None, 0
        if table:
            self._blocks.append(table)
