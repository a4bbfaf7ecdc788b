"""A time in words, for estimates: duration(200) is "3 min"."""


def duration(seconds: float) -> str:
    """Seconds in words, as exactly as an estimate deserves."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
