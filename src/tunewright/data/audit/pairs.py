"""What is odd about pairs of a better and a worse answer."""

from collections.abc import Iterator

from tunewright.core.example import Example
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.normal import normal_text

_FEWEST = 20
"""Below this many pairs, shares say little."""
_LONGER = 0.8
"""The share of pairs whose better answer is the longer one before it is told. Our own choice, because length
alone then explains most of what was preferred."""


class Pairs:
    """Holds the two answers against each other."""

    kinds: tuple[str, ...] = ("equal_pair", "longer_chosen")

    def __init__(self) -> None:
        self._equal = Hits()
        self._longer = Hits()
        self._pairs = 0

    def see(self, row: Example) -> None:
        """Take a row in."""
        if row.rejected is None:
            return
        self._pairs += 1
        if normal_text(row.rejected) == normal_text(row.expected):
            self._equal.add(row, row.expected)
        elif len(row.expected) > len(row.rejected):
            self._longer.add(row, row.expected)

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        if self._equal:
            yield Oddity(
                "equal_pair", self._equal, f"{scope.share(self._equal.count)} prefer an answer to itself."
            )
        if self._pairs >= _FEWEST and self._longer.count >= _LONGER * self._pairs:
            message = (
                f"{scope.share(self._longer.count)} prefer the longer answer: methods of preference would learn to write"
                " more (Singhal et al. 2023, A Long Way to Go)."
            )
            yield Oddity("longer_chosen", self._longer, message)
