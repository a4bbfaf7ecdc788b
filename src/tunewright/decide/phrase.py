"""How numbers and names are said: shares in percent, differences in points, a true minus sign, prices, times."""

from tunewright.decide.verdict import Interval


def percent(share: float) -> str:
    """0.961 → "96.1 %"."""
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """0.549 → "+54.9"; zero has no sign."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else minus(text)


def minus(text: str) -> str:
    """The hyphen of a negative number as a minus sign."""
    return text.replace("-", "−", 1) if text.startswith("-") else text


def span(interval_: Interval) -> str:
    """The interval of a share: "[94.1, 97.5]"."""
    return f"[{100 * interval_.low:.1f}, {100 * interval_.high:.1f}]"


def interval(difference: Interval) -> str:
    """A difference with its interval: "+54.9 points [+51.0, +58.6]"."""
    return f"{points(difference.value)} points {point_span(difference)}"


def point_span(difference: Interval) -> str:
    """The interval of a difference: "[+51.0, +58.6]"."""
    return f"[{points(difference.low)}, {points(difference.high)}]"


def grader_name(grader: str) -> str:
    """field_accuracy → "field accuracy"."""
    return grader.replace("_", " ")


def count(number: int, noun: str) -> str:
    """1 → "1 example", 2,000 → "2,000 examples"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def money(value: float | None) -> str:
    """A price: 12.5 → "12.50", 0.0123 → "0.0123", none → a dash."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.3g}"


def seconds(value: float) -> str:
    """0.21 → "210 ms", 1.5 → "1.50 s"."""
    return f"{1000 * value:,.0f} ms" if value < 1 else f"{value:,.2f} s"


def about(number: int) -> str:
    """A number rounded up to two digits: 1,234 → "1,300"."""
    step = 10 ** max(len(str(number)) - 2, 0)
    return f"{-(-number // step) * step:,}"
