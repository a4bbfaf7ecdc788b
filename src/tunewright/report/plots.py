"""Plots as inline SVG, drawn by hand: placed in percent, so that they stretch with the page and their text does not.

Colours come from the page's style sheet by class; every plot says in its <title> what it shows.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from markupsafe import Markup

from tunewright.core.hidden import visible
from tunewright.report.data import LossPoint

_POINTS = 400
"""The most points a curve is drawn with."""
_MINOR = ' class="minor"'
# the plotting area of the loss curve, in percent of the picture
_LEFT, _TOP, _WIDTH, _HEIGHT = 7.0, 4.0, 91.0, 82.0


class Axis(NamedTuple):
    """A linear axis: its ends and its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies, in percent of the axis, kept within it."""
        return min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low)))


def axis(low: float, high: float, ticks: int = 5) -> Axis:
    """An axis with round ticks that holds [low, high]."""
    span = max(high - low, 1e-9)
    rough = span / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= rough - 1e-12)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = tuple(round(step * index, 10) for index in range(first, max(last, first + 1) + 1))
    return Axis(marks[0], marks[-1], marks)


SHARES = Axis(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def interval_row(value: float, low: float, high: float, scale: Axis, kind: str, title: str) -> Markup:
    """One row of an interval plot: a line from low to high, a dot at the value. `kind` is its colour's class."""
    x, left, right = (_percent(scale.at(number)) for number in (value, low, high))
    return _svg(
        "row",
        title,
        _grid(scale)
        + f'<line class="span {kind}" x1="{left}" x2="{right}" y1="50%" y2="50%"/>'
        + "".join(
            f'<line class="cap {kind}" x1="{end}" x2="{end}" y1="38%" y2="62%"/>' for end in (left, right)
        )
        + f'<circle class="dot {kind}" cx="{x}" cy="50%" r="5"/>',
    )


def change_row(before: float, after: float, kind: str, title: str) -> Markup:
    """A share before (ring) and after (dot), joined."""
    left, right = _percent(SHARES.at(before)), _percent(SHARES.at(after))
    return _svg(
        "row",
        title,
        _grid(SHARES)
        + f'<line class="span {kind}" x1="{left}" x2="{right}" y1="50%" y2="50%"/>'
        + f'<circle class="ring" cx="{left}" cy="50%" r="4.5"/><circle class="dot {kind}" cx="{right}" cy="50%" r="5"/>',
    )


def bar(share: float, title: str) -> Markup:
    """A bar over `share` of the width."""
    return _svg(
        "bar",
        title,
        f'<rect class="fill" x="0" y="22%" height="56%" width="{_percent(100 * share)}" rx="1.5"/>',
    )


def axis_row(scale: Axis, *, signed: bool = False) -> Markup:
    """The ticks under an interval plot, in percent or, signed, in points; narrow pages leave out every other one."""
    crowded = len(scale.ticks) > 4
    texts = "".join(
        f'<text x="{_percent(scale.at(tick))}" y="14" text-anchor="{_anchor(scale.at(tick))}"'
        f"{_MINOR if crowded and index % 2 else ''}>{_tick(tick, signed)}</text>"
        for index, tick in enumerate(scale.ticks)
    )
    return Markup(f'<svg class="axis" aria-hidden="true">{texts}</svg>')


def loss_curve(history: Sequence[LossPoint], dev: Sequence[LossPoint]) -> Markup:
    """Training loss as a line, dev loss with dots, the best one ringed. Logarithmic where losses span 30-fold."""
    points = [point for point in (*history, *dev) if math.isfinite(point.loss)]
    if not points:
        return Markup("")
    lowest, highest = min(p.loss for p in points), max(p.loss for p in points)
    logarithmic = lowest > 0 and highest / lowest > 30
    ticks = _decades(lowest, highest) if logarithmic else None
    vertical = ticks or axis(min(0.0, lowest), highest or 1.0)
    across = axis(0, max(p.step for p in points) or 1, 6)

    def place(point: LossPoint) -> tuple[float, float]:
        height = math.log10(point.loss) if logarithmic else point.loss
        return across.at(point.step), 100 - vertical.at(height)

    best = min(dev, key=lambda point: point.loss, default=None)
    title = f"Loss by step: {len(history)} training steps"
    title += f", best dev loss {best.loss:.4g} at step {best.step}" if best else ""
    return _svg(
        "curve",
        title,
        _frame(across, vertical, logarithmic)
        + f'<svg x="{_LEFT}%" y="{_TOP}%" width="{_WIDTH}%" height="{_HEIGHT}%"'
        + ' viewBox="0 0 100 100" preserveAspectRatio="none">'
        + _line("train", [place(p) for p in _thin(history) if math.isfinite(p.loss)])
        + _line("dev", [place(p) for p in _thin(dev) if math.isfinite(p.loss)])
        + "</svg>"
        + "".join(_mark(*place(p), best=p == best) for p in _thin(dev) if math.isfinite(p.loss)),
    )


def _svg(kind: str, title: str, body: str) -> Markup:
    label = escape(visible(title))
    return Markup(f'<svg class="{kind}" role="img" aria-label="{label}"><title>{label}</title>{body}</svg>')


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _anchor(place: float) -> str:
    return "start" if place < 3 else "end" if place > 97 else "middle"


def _tick(value: float, signed: bool) -> str:
    number = f"{100 * value:{'+' if signed and value else ''}.4g}".replace("-", "−")
    return number if signed else f"{number} %"


def _grid(scale: Axis) -> str:
    return "".join(
        f'<line class="{"zero" if tick == 0 and scale.low < 0 else "grid"}" x1="{x}" x2="{x}" y1="0" y2="100%"/>'
        for tick in scale.ticks
        for x in [_percent(scale.at(tick))]
    )


def _decades(lowest: float, highest: float) -> Axis:
    """A logarithmic axis (in powers of ten): from a 1, 2 or 5 below the values to one above, ticks there and at decades."""
    first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    steps = [math.log10(digit) + power for power in range(first, last + 1) for digit in (1, 2, 5)]
    low = max(step for step in steps if step <= math.log10(lowest) + 1e-9)
    high = min(step for step in steps if step >= math.log10(highest) - 1e-9)
    inner = [float(power) for power in range(first, last + 1) if low + 0.25 < power < high - 0.25]
    return Axis(low, high, (low, *inner, high))


def _frame(across: Axis, vertical: Axis, logarithmic: bool) -> str:
    lines = []
    for tick in vertical.ticks:
        y = _TOP + _HEIGHT * (100 - vertical.at(tick)) / 100
        name = f"{round(10**tick, 9):g}" if logarithmic else f"{tick:g}"
        lines.append(f'<line class="grid" x1="{_LEFT}%" x2="{_LEFT + _WIDTH}%" y1="{y:.2f}%" y2="{y:.2f}%"/>')
        lines.append(f'<text x="{_LEFT - 1}%" y="{y:.2f}%" dy="4" text-anchor="end">{name}</text>')
    for tick in across.ticks:
        x = _LEFT + _WIDTH * across.at(tick) / 100
        lines.append(
            f'<text x="{x:.2f}%" y="{_TOP + _HEIGHT}%" dy="20" text-anchor="middle">{tick:,g}</text>'
        )
    return "".join(lines)


def _line(kind: str, places: list[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    return (
        f'<polyline class="{kind}" points="{path}" vector-effect="non-scaling-stroke"/>'
        if len(places) > 1
        else ""
    )


def _mark(x: float, y: float, *, best: bool) -> str:
    center = f'cx="{_LEFT + _WIDTH * x / 100:.2f}%" cy="{_TOP + _HEIGHT * y / 100:.2f}%"'
    ring = f'<circle class="best" {center} r="7"/>' if best else ""
    return f'{ring}<circle class="dev" {center} r="3"/>'


def _thin(points: Sequence[LossPoint]) -> list[LossPoint]:
    """Evenly spaced points, the last one included, so that the page stays small."""
    if len(points) <= _POINTS:
        return list(points)
    stride = (len(points) - 1) / (_POINTS - 1)
    return [points[round(index * stride)] for index in range(_POINTS)]
