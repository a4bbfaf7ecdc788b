"""What an operation of a recipe is: its settings, and what it says of each row.

To add one, add a file to data/ops/ of the operation's name with its settings, a subclass of OpSpec, and one of

    each(spec) -> Callable[[Example], Said | Iterable[Said]]       what becomes of a row, whatever the others are
    apply(spec, rows: Rows) -> Iterator[Said]                      what becomes of all rows, read as often as need be

and the settings' name to data/ops/__init__.py. `VERSION` in the file is raised when the same rows come out otherwise.
`notes(spec)` may say what stands in the account, whatever the rows are. `USES` names what it wants besides rows, and
`apply(spec, rows, means)` is then handed them: `files`, those that its setting `against` names; `base`, the project's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pydantic import Field

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.spec import Spec


class OpSpec(Spec):
    """What all operations have: a name, and what they take."""

    id: str | None = Field(None, min_length=1, pattern=r"^[\w-]+$")
    """Its name, for the `needs` of later ones and in reports; left out, the operation's own."""
    needs: tuple[str, ...] = ()
    """What it takes: names of operations before it, or of sources. Left out, it takes what the one before it made; the
    first, all sources."""


class Kept(NamedTuple):
    """A row that goes on."""

    example: Example
    was: Example | None = None
    """The row it was made from, where it is another one now."""
    tally: Mapping[str, int] = MappingProxyType({})
    """What was counted in it, to be added up."""


class Dropped(NamedTuple):
    """A row that goes no further."""

    example: Example
    reason: str


class Added(NamedTuple):
    """A row that stands beside the one it was made from: a repetition, a second piece."""

    example: Example
    was: Example


Said = Kept | Dropped | Added
"""What an operation says of a row. Every row is kept or dropped once; added ones come on top."""
Each = Callable[[Example], Said | Sequence[Said]]


class Rows(ByPlace[Example]):
    """The rows that an operation takes, from all that it needs, one after the other; re-read each time."""

    def __init__(self, given: Mapping[str, Sequence[Example]]) -> None:
        self.given = given
        """Each need's own rows, by its name."""

    def __iter__(self) -> Iterator[Example]:
        for rows in self.given.values():
            yield from rows

    def __len__(self) -> int:
        return sum(map(len, self.given.values()))

    def read(self, place: int) -> Example:
        """The row at a place from 0 on."""
        for rows in self.given.values():
            if place < len(rows):
                return rows[place]
            place -= len(rows)
        raise AssertionError("the place was looked at before")


class Means(Protocol):
    """What an operation may use besides rows, where its `USES` says so."""

    @property
    def root(self) -> Path:
        """The folder that files are relative to."""
        ...

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        """The tokens of each row as the base reads it, with the task's prompt and its template. Raises UserError."""
        ...


class FilesOnly(NamedTuple):
    """Means where there is no project: files, and nothing else."""

    root: Path

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        """Raises UserError: there is no base."""
        raise UserError("rows are measured in tokens of a project's base, and here is no project")


def keep_if(rows: Sequence[Example], why_not: Callable[[Example], str | None]) -> Iterator[Said]:
    """Ask of each row in order why it must go; None keeps it."""
    return (judged(row, why_not(row)) for row in rows)


def judged(row: Example, why_not: str | None) -> Said:
    """Kept, or dropped for that reason."""
    return Kept(row) if why_not is None else Dropped(row, why_not)
