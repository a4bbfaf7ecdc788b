"""Saying which names there are, and which one was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 12


def listed(names: Iterable[str]) -> str:
    """The names with commas, the first dozen."""
    every = [shown(name) for name in names]
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more if every else "none"


def shown(name: str) -> str:
    """A name as a sentence can hold it: whole if it is short and plain, else quoted and cut."""
    return name if name and len(name) <= 60 and name.isprintable() else repr(name[:60])


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """`Did you mean 'label'?`, or None when nothing is close."""
    by_lower = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), by_lower, n=1)
    return f"Did you mean {by_lower[close[0]]!r}?" if close else None
