"""The tables of a PDF's page: rows of stretches that stand in columns, each with an edge that its cells share.

Ruled or not, a table is told by where its cells stand. Columns of prose, the entries of a list and what only happens to
stand side by side are none.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf
from statistics import median
from typing import NamedTuple

from tunewright.data.sources._columns import Line

_ROWS = 3
"""The fewest rows of a table, its head included."""
_MOST = 40
"""The most columns of a table."""
_EDGE = 3.0
"""How far an edge may stray from its column's, in points."""
_SHARE = 0.66
"""The least share of a column's cells with a common edge."""
_FILLED = 0.5
"""The least share of cells that say something."""
_APART = 4.0
"""The most times the height of its type that a row may be below the one before."""
_CLOSE = 0.85
"""The most of the distance between rows at which a line goes on with the cell above it."""
_PROSE = 30
"""Characters of the middle cell: where all columns have more, they are columns of prose."""
_PARTED = re.compile("([\x02\ufffe\xad]) ")
"""A hyphen as the library writes it at a line's end, and what then stands between two lines."""
_MARKER = re.compile(r"[\W_]{1,2}|[(\[]?\w{1,4}[.):\]]|\d{1,3}")
"""What stands before the entries of a list."""


class Piece(NamedTuple):
    """A line, or the part of one that a gap parts from the next."""

    box: Line
    text: str
    size: float
    """The height of its type in points; 0 where it is unknown."""


class TableFound(NamedTuple):
    """A table: its rows of cells, and how many rows of the page it takes."""

    cells: list[list[str]]
    rows: int


def lines_of(texts: Iterable[str]) -> str:
    """Lines as one. A word that a line's end parts has no blank, so that it can be put together (_pdf_pages.py)."""
    return _PARTED.sub(r"\1", " ".join(texts))


def on_a_line(one: Line, other: Line) -> bool:
    """Whether two boxes stand beside one another."""
    overlap = min(one.top, other.top) - max(one.bottom, other.bottom)
    return overlap > 0.5 * min(one.top - one.bottom, other.top - other.bottom)


def table_of(rows: Sequence[Sequence[Piece]], most: int = 200) -> TableFound | None:
    """The table that begins with the first of these rows of a page, of `most` rows; None where none does."""
    if len(rows[0]) < 2:
        return None
    table, taken = _Table(), 0
    for row in islice(rows, most):
        if not table.take(row):
            break
        taken += 1
    return TableFound(table.cells(), taken) if table.is_one() else None


class _Column:
    """How far a column reaches, and its cells' boxes."""

    def __init__(self, box: Line) -> None:
        self.left, self.right = box.left, box.right
        self.boxes = [box]

    def holds(self, box: Line) -> bool:
        """Whether a box stands above or below the column's."""
        return box.left < self.right and self.left < box.right

    def add(self, box: Line) -> None:
        """Take a cell's box."""
        self.left, self.right = min(self.left, box.left), max(self.right, box.right)
        self.boxes.append(box)

    def is_even(self) -> bool:
        """Whether it has several cells, and most share their left edge, their right one, or their middle."""
        sides = zip(*((box.left, box.right, (box.left + box.right) / 2) for box in self.boxes), strict=True)
        need = max(2, round(_SHARE * len(self.boxes)))
        return any(_share_one(sorted(side), need) for side in sides)


def _share_one(edges: Sequence[float], need: int) -> bool:
    return any(edges[at + need - 1] - edges[at] <= _EDGE for at in range(len(edges) - need + 1))


class _Table:
    """Grows row by row."""

    def __init__(self) -> None:
        self._columns: list[_Column] = []
        self._rows: list[dict[int, str]] = []  # column → what its cell says
        self._gaps: list[float] = []  # from the line above to each row's
        self._whole = 0  # rows of several cells
        self._last: Line | None = None

    def take(self, row: Sequence[Piece]) -> bool:
        """Take a row; False where it is none of this table's."""
        box = row[0].box
        if self._last and self._last.bottom - box.top > _APART * (box.top - box.bottom):
            return False
        places = self._places(row)
        if places is None:
            return False
        for place, piece in zip(places, row, strict=True):
            if place < len(self._columns):
                self._columns[place].add(piece.box)
            else:
                self._columns.append(_Column(piece.box))
        self._rows.append({place: piece.text for place, piece in zip(places, row, strict=True)})
        self._gaps.append(_middle(self._last) - _middle(box) if self._last else inf)
        self._whole += len(row) > 1
        self._last = box
        return True

    def _places(self, row: Sequence[Piece]) -> list[int] | None:
        """The column of each piece, new ones behind those that are known; None where they stand across them."""
        places: list[int] = []
        fresh = len(self._columns)
        for piece in row:
            hits = [at for at, column in enumerate(self._columns) if column.holds(piece.box)]
            if len(hits) > 1 or (hits and hits[0] in places):
                return None
            places.append(hits[0] if hits else fresh)
            fresh += not hits
        first = min(range(len(self._columns)), key=lambda at: self._columns[at].left, default=0)
        alone = len(row) == 1 and (not self._rows or places[0] in (first, len(self._columns)))
        late = (
            fresh > len(self._columns) and self._whole >= _ROWS
        )  # the first rows say which columns there are
        return None if alone or late or fresh > _MOST else places

    def cells(self) -> list[list[str]]:
        """The rows' cells from left to right.

        What stands alone goes on with the cell above it where it is clearly closer to the line above than rows are; at
        their distance it is a row that is blank besides (a sum).
        """
        gaps = [gap for row, gap in zip(self._rows, self._gaps, strict=True) if len(row) > 1 and gap < inf]
        return self._cells(_CLOSE * median(gaps) if gaps else 0.0)

    def _cells(self, close: float) -> list[list[str]]:
        """The rows' cells where what stands alone within this distance goes on with the cell above."""
        rows: list[dict[int, list[str]]] = []
        for row, gap in zip(self._rows, self._gaps, strict=True):
            if not rows or len(row) > 1 or gap > close:
                rows.append({})
            for place, text in row.items():
                rows[-1].setdefault(place, []).append(text)
        order = sorted(range(len(self._columns)), key=lambda at: self._columns[at].left)
        return [[lines_of(row.get(at, ())) for at in order] for row in rows]

    def is_one(self) -> bool:
        """Whether what was taken is a table."""
        if self._whole < _ROWS or not all(column.is_even() for column in self._columns):
            return False
        cells = self._cells(inf)
        columns = [[cell for cell in column if cell] for column in zip(*cells, strict=True)]
        if sum(map(len, columns)) < _FILLED * self._whole * len(columns):
            return False
        if all(sorted(map(len, column))[len(column) // 2] > _PROSE for column in columns):
            return False
        return len(columns) > 2 or not all(map(_MARKER.fullmatch, columns[0]))


def _middle(box: Line) -> float:
    return (box.top + box.bottom) / 2
