"""The reading order of a page whose file writes its lines straight across two columns.

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
    lines = _joined(boxes)
    if len(lines) < 2 * _LEAST:
        return None
    start, end = min(line.left for line in lines), max(line.right for line in lines)
    gutter = _gutter(lines, start, end)
    if gutter is None:
        return None
    left = [line for line in lines if line.right <= gutter]
    right = [line for line in lines if line.left >= gutter]
    if min(len(left), len(right)) < _LEAST or len(lines) - len(left) - len(right) > _ACROSS * len(lines):
        return None
    if median(line.right - line.left for line in left) < _FULL * (gutter - start):
        return None
    if median(line.right - line.left for line in right) < _FULL * (end - gutter):
        return None
    sides = [line.left >= gutter for line in lines if line.right <= gutter or line.left >= gutter]
    runs = 1 + sum(one != other for one, other in pairwise(sides))
    return _by_column(lines, gutter) if len(sides) < _RUN * runs else None


def _joined(boxes: Sequence[Line]) -> list[Line]:
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


def _beside(one: Line, other: Line) -> bool:
    height = min(one.top - one.bottom, other.top - other.bottom)
    overlap = min(one.top, other.top) - max(one.bottom, other.bottom)
    return overlap > 0.5 * height and -height < other.left - one.right < 0.8 * max(height, 8)


def _gutter(lines: Sequence[Line], start: float, end: float) -> float | None:
    """Just before the left edge that most lines near the middle of the page share."""
    span = end - start
    edges = Counter(round(line.left) for line in lines if 0.35 * span < line.left - start < 0.65 * span)
    return min(edges, key=lambda edge: (-edges[edge], edge)) - 2.0 if edges else None


def _by_column(lines: Sequence[Line], gutter: float) -> list[Line]:
    """From the top: what stands between two lines across the page is read left side first."""
    ordered: list[Line] = []
    band: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line.top, line.left)):
        if line.left < gutter < line.right:
            ordered += [*_sides(band, gutter), line]
            band = []
        else:
            band.append(line)
    return ordered + _sides(band, gutter)


def _sides(band: Sequence[Line], gutter: float) -> list[Line]:
    return sorted(band, key=lambda line: (line.left >= gutter, -line.top, line.left))
