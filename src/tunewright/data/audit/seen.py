"""What a check of the audit hands on: an oddity with its examples, cut so that nothing personal shows.

hits = Hits()
hits.add(row, row.expected)
yield Oddity("echo_answer", hits, f"{scope.share(hits.count)} answer with the question itself.")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.data.excerpt import excerpt

if TYPE_CHECKING:
    from tunewright.data.audit.audit import Severity

ALL = "all"
"""The part of a data set that is not split."""
SHOWN = 3
"""Examples of a finding."""
_EVERY = ContextVar("every", default=False)


class Shown(BaseModel):
    """A row as an example of a finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """The example's id; empty for a row that is in no part."""
    place: str
    """Where it came from: file and row, or its id."""
    excerpt: str = ""
    """What stands there, cut, personal data and secrets replaced; empty where that is what was found."""


class Scope(NamedTuple):
    """The rows that a check saw."""

    part: str
    rows: int

    @property
    def named(self) -> str:
        """`rows of train`; of a data set that is not split, `rows`."""
        return "rows" if self.part == ALL else f"rows of {self.part}"

    @property
    def counted(self) -> str:
        """`60 rows of train are`, `1 row is`."""
        noun = self.named.replace("rows", "row", 1) if self.rows == 1 else self.named
        return f"{self.rows:,} {noun} {'is' if self.rows == 1 else 'are'}"

    def share(self, count: int) -> str:
        """`3 of 60 rows of train (5.0%)`."""
        share = count / self.rows
        return f"{count:,} of {self.rows:,} {self.named} ({'under 0.1%' if 0 < share < 0.0005 else f'{share:.1%}'})"


@contextmanager
def every_row() -> Iterator[None]:
    """Within this, hits keep the ids of all rows, not of the examples alone: for those who want to see each."""
    token = _EVERY.set(True)
    try:
        yield
    finally:
        _EVERY.reset(token)


class Hits:
    """Rows that have an oddity: how many, and the first few as examples."""

    def __init__(self) -> None:
        self.count = 0
        self.shown: list[Shown] = []
        self.ids: list[str] | None = [] if _EVERY.get() else None
        """The ids of all of them, within `every_row`."""

    def add(self, row: Example, text: str = "", at: int = 0) -> None:
        """Count a row; the example shows `text` from a little before the character `at` on."""
        self.count += 1
        if self.ids is not None:
            self.ids.append(row.id)
        if len(self.shown) < SHOWN:
            self.shown.append(shown(row, text, at))

    def __bool__(self) -> bool:
        return self.count > 0


class Oddity(NamedTuple):
    """One kind of oddity in a part."""

    kind: str
    hits: Hits
    message: str
    """A sentence with its number."""
    severity: "Severity | None" = None
    """Where it is another than the kind's own."""
    recipe: str | None = None
    """Where the operation that mends it is to be set otherwise than the kind's own."""


class Check(Protocol):
    """Looks at every row of a part once."""

    kinds: tuple[str, ...]
    """The kinds of oddities it may find."""

    def see(self, row: Example) -> None:
        """Take a row in."""
        ...

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        ...


def shown(row: Example, text: str = "", at: int = 0) -> Shown:
    """The row as an example, with what stands at a place of a text of it."""
    return Shown(id=row.id, place=row.place, excerpt=excerpt(text, at))
