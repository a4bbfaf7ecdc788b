"""The headings and tables of a PDF's page as Markdown, told by where its lines stand and how large their type is.

A PDF has neither: a heading is a short line in larger type than the page's most, a table is lines that stand beside one
another in columns with a common edge, row by row. What is not clearly one of them stays as it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tunewright.data.sources._documents import markdown_table
from tunewright.data.sources._pdf_tables import Piece, lines_of, on_a_line, table_of

_LEVELS = ((1.6, "# "), (1.3, "## "), (1.12, "### "))
"""How many times the body's type a heading's is: as browsers, LaTeX and Word set a title, a section and one within it."""
_SHARE = 1 / 3
"""The most of a page's characters that stand in headings of one size."""
_LINES = 3
"""The most lines of a heading."""
_CHARS = 150
"""The most characters of a line of one."""
_NO_HEADING = re.compile(r".*[.,;]|(?:[\W\d_]*[^\W\d_]){0,1}[\W\d_]*", re.DOTALL)
"""What ends as a sentence does, or has fewer than two letters (a number, a large first letter)."""


def as_markdown(pieces: Sequence[Piece]) -> str | None:
    """The text of a page's pieces in reading order; None where they have neither heading nor table."""
    body = _body(pieces)
    blocks: list[str] = []
    found = False
    rows = _rows(pieces)
    at = 0
    while at < len(rows):
        if table := table_of(rows[at:]):
            blocks += ["", markdown_table(table.cells), ""]
            at, found = at + table.rows, True
        elif (mark := _mark(rows, at, body)) and (end := _heading_end(rows, at)):
            blocks += ["", mark + lines_of(row[0].text for row in rows[at:end]), ""]
            at, found = end, True
        else:
            blocks.append(" ".join(piece.text for piece in rows[at]))
            at += 1
    text = "\n".join(blocks).strip("\n")
    return re.sub(r"\n{3,}", "\n\n", text) if found else None


_Row = list[Piece]


def _rows(pieces: Iterable[Piece]) -> list[_Row]:
    """Pieces that the file writes one after the other and that stand beside one another, as rows."""
    rows: list[_Row] = []
    for piece in pieces:
        if not piece.text:
            continue
        last = rows[-1][-1].box if rows else None
        if last and on_a_line(last, piece.box) and piece.box.left > last.right:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return rows


def _body(pieces: Iterable[Piece]) -> dict[float, float]:
    """Size of larger type → how many times the body's it is, for sizes that may be a heading's."""
    chars = Counter[float]()
    for piece in pieces:
        chars[piece.size] += len(piece.text)
    if not chars:
        return {}
    body = max(chars, key=lambda size: (chars[size], size))
    most = _SHARE * chars.total()
    return {size: size / body for size in chars if size > body > 0 and chars[size] <= most}


def _mark(rows: Sequence[_Row], at: int, ratios: dict[float, float]) -> str:
    """What stands before the heading that begins here, blank where none does."""
    piece = rows[at][0]
    if len(rows[at]) > 1 or len(piece.text) > _CHARS:
        return ""
    return next((mark for least, mark in _LEVELS if ratios.get(piece.size, 0.0) >= least), "")


def _heading_end(rows: Sequence[_Row], at: int) -> int:
    """Behind the last line of the heading that begins here, 0 where it is none."""
    end = at + 1
    while end < len(rows) and len(rows[end]) == 1 and _goes_on(rows[end - 1][0], rows[end][0]):
        end += 1
    text = " ".join(row[0].text for row in rows[at:end])
    return end if end - at <= _LINES and not _NO_HEADING.fullmatch(text) else 0


def _goes_on(above: Piece, below: Piece) -> bool:
    """Whether a line is the next one of the same heading."""
    return above.size == below.size and -above.size < above.box.bottom - below.box.top < 0.8 * above.size
