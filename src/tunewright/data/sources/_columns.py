"""The reading order of a page whose file writes its lines straight across two columns, or three.

Most files write one column after the other, and are left as they are. A page is put in order only where its lines change
sides again and again, run to the full width of a column as prose does (a table's cells do not), and leave a gutter free.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple


class Line(NamedTuple):
    """A stretch of a line: its box in points, from the page's lower left corner."""

    left: float
    bottom: float
    right: float
    top: float


_PLACES = (((0.35, 0.65),), ((0.25, 0.42), (0.58, 0.75)))
"""Between which shares of the page's width a column may begin, of two columns and of three."""
_LEAST = 5
"""The fewest lines of a column."""
_FULL = 0.6
"""How much of its column's width the middle line of prose fills."""
_ACROSS = 0.25
"""The largest share of lines that may run across both columns (headings)."""
_RUN = 1.5
"""The longest mean run of lines of one side in a file that writes straight across."""


def in_reading_order(boxes: Sequence[Line]) -> list[Line] | None:
    """The lines that the boxes make, column by column; None where the file's own order is to be kept.

    `boxes` are stretches of text in the file's order, perhaps several for a line.
    """
    lines = joined(boxes)
    ways = (_in_columns(lines, places) for places in _PLACES)
    return next((way for way in ways if way is not None), None)


def joined(boxes: Sequence[Line]) -> list[Line]:
    """Boxes that follow one another on one line, without a gap as wide as a gutter, as one."""
    lines: list[Line] = []
    for box in boxes:
        last = lines[-1] if lines else None
        if last and _beside(last, box):
            low, high = min(last.bottom, box.bottom), max(last.top, box.top)
            lines[-1] = Line(min(last.left, box.left), low, max(last.right, box.right), high)
        else:
            lines.append(box)
    return lines


def _in_columns(lines: Sequence[Line], places: Sequence[tuple[float, float]]) -> list[Line] | None:
    """The lines in the order of columns that are parted at these places; None where they make none."""
    if len(lines) < (len(places) + 1) * _LEAST:
        return None
    start, end = min(line.left for line in lines), max(line.right for line in lines)
    gutters = [_gutter(lines, start, end - start, *place) for place in places]
    found = [gutter for gutter in gutters if gutter is not None]
    if len(found) < len(gutters):
        return None
    edges = [start, *found, end]
    columns: list[list[Line]] = [[] for _ in edges[1:]]
    sides = [_side(line, found) for line in lines]
    for side, line in zip(sides, lines, strict=True):
        if side is not None:
            columns[side].append(line)
    if min(map(len, columns)) < _LEAST or sides.count(None) > _ACROSS * len(lines):
        return None
    for column, left, right in zip(columns, edges, edges[1:], strict=False):
        if median(line.right - line.left for line in column) < _FULL * (right - left):
            return None
    inside = [side for side in sides if side is not None]
    runs = 1 + sum(one != other for one, other in pairwise(inside))
    return _by_column(lines, found) if len(inside) < _RUN * runs else None


def _side(line: Line, gutters: Sequence[float]) -> int | None:
    """The column in which a line stands; None where it runs across a gutter."""
    side = sum(line.left >= gutter for gutter in gutters)
    return side if side == len(gutters) or line.right <= gutters[side] else None


def _beside(one: Line, other: Line) -> bool:
    height = min(one.top - one.bottom, other.top - other.bottom)
    overlap = min(one.top, other.top) - max(one.bottom, other.bottom)
    return overlap > 0.5 * height and -height < other.left - one.right < 0.8 * max(height, 8)


def _gutter(lines: Sequence[Line], start: float, span: float, low: float, high: float) -> float | None:
    """Just before the left edge that most lines share between two shares of the page's width."""
    edges = Counter(round(line.left) for line in lines if low * span < line.left - start < high * span)
    return min(edges, key=lambda edge: (-edges[edge], edge)) - 2.0 if edges else None


def _by_column(lines: Sequence[Line], gutters: Sequence[float]) -> list[Line]:
    """From the top: what stands between two lines across the page is read column by column."""
    ordered: list[Line] = []
    band: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line.top, line.left)):
        if _side(line, gutters) is None:
            ordered += [*_sides(band, gutters), line]
            band = []
        else:
            band.append(line)
    return ordered + _sides(band, gutters)


def _sides(band: Sequence[Line], gutters: Sequence[float]) -> list[Line]:
    return sorted(band, key=lambda line: (_side(line, gutters) or 0, -line.top, line.left))
