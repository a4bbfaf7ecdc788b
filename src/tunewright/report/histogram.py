"""Histograms as inline SVG: columns over uneven ranges, placed in percent so that they stretch with the page."""

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from tunewright.core.hidden import visible

_SHARE = 0.82
"""The share of its place that a column fills."""
_FLOOR, _TALL = 150, 128
"""Where columns stand, and how high the highest is, in pixels; its number stands above it."""
_CROWDED = 7


def columns(caption: str, edges: Sequence[int], counts: Sequence[int]) -> Markup:
    """A column from each edge to the next, as high as its count; there is one edge more than columns.

    The picture's label says all numbers.
    """
    ranges = [f"{edges[at]:,} to {edges[at + 1] - 1:,}: {count:,}" for at, count in enumerate(counts)]
    label = escape(visible(f"{caption}. {'; '.join(ranges)}"))
    width = 100 / max(len(counts), 1)
    most = max(counts, default=0) or 1
    drawn = "".join(
        _column(width * at, width, count / most, count, crowded=len(counts) > _CROWDED)
        for at, count in enumerate(counts)
    )
    ticks = "".join(
        _tick(width * at, edge, minor=len(edges) > _CROWDED and bool(at % 2)) for at, edge in enumerate(edges)
    )
    base = f'<line class="grid" x1="0" x2="100%" y1="{_FLOOR}" y2="{_FLOOR}"/>'
    return Markup(
        f'<svg class="columns-chart" role="img" aria-label="{label}"><title>{label}</title>{base}{drawn}{ticks}</svg>'
    )


def _column(left: float, width: float, share: float, count: int, *, crowded: bool) -> str:
    """A column with its number above it; on a narrow page, of many only the higher ones keep theirs."""
    if not count:
        return ""
    middle, height = left + width / 2, max(1.5, _TALL * share)
    minor = ' class="minor"' if crowded and share < 0.1 else ""
    return (
        f'<rect class="fill" x="{middle - width * _SHARE / 2:.2f}%" width="{width * _SHARE:.2f}%"'
        f' y="{_FLOOR - height:.1f}" height="{height:.1f}" rx="1.5"/>'
        f'<text x="{middle:.2f}%" y="{_FLOOR - 6 - height:.1f}" text-anchor="middle"{minor}>{count:,}</text>'
    )


def _tick(place: float, edge: int, *, minor: bool) -> str:
    anchor = "start" if place < 1 else "end" if place > 99 else "middle"
    hidden = ' class="minor"' if minor else ""
    return f'<text x="{place:.2f}%" y="{_FLOOR + 18}" text-anchor="{anchor}"{hidden}>{_short(edge)}</text>'


def _short(number: int) -> str:
    """Thousands as k, so that a label fits below its edge."""
    return f"{number:,}" if number < 1000 else f"{number / 1000:.4g}k"
