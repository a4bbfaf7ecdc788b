"""What an operation hands back."""

from collections.abc import Callable
from typing import NamedTuple

from tunewright.core.example import Example


class Applied(NamedTuple):
    """The examples kept, in order, and (place, reason) of those dropped."""

    kept: list[Example]
    dropped: list[tuple[str, str]]


def keep_if(examples: list[Example], why_not: Callable[[Example], str | None]) -> Applied:
    """Ask of each example in order why it must go; None keeps it."""
    applied = Applied([], [])
    for example in examples:
        reason = why_not(example)
        if reason is None:
            applied.kept.append(example)
        else:
            applied.dropped.append((example.place, reason))
    return applied
