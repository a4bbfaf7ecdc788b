"""What an operation of a recipe is: its settings, and what it says of each row.

To add one, add a file to data/ops/ of the operation's name with its settings, a subclass of OpSpec, and one of

    each(spec) -> Callable[[Example], Said | Iterable[Said]]       what becomes of a row, whatever the others are
    apply(spec, rows: Rows) -> Iterator[Said]                      what becomes of all rows, read as often as need be
    look(spec) -> Callable[[list[Example]], Look]                  what rows are compared by, some at a time; with
    judge(spec, looks: Iterator[Look], rows) -> Iterator[str | None]     why each row must go, in order; None keeps it
    by_keys(spec, keys: Keys, rows) -> Iterator[str | None]        the same, by what all compare rows by (data/keyed.py)

and the settings' name to data/ops/__init__.py. `VERSION` in the file is raised when the same rows come out otherwise.
`notes(spec)` may say what stands in the account, whatever the rows are; what hangs on the rows, `apply` says as a Note.
`reads(spec) -> Mapping[str, frozenset[str]]` names the fields that it asks of rows, by the setting that names them, and
`writes(spec, given: frozenset[str]) -> frozenset[str] | None` those that it writes into rows with the fields `given`; None
is whatever field. Without them it reads and writes none. A recipe is held against both before it runs
(data/recipe_fields.py). `touches(spec, given: frozenset[str]) -> Touched` says what else a picture of the recipe shows: what
it looks at besides those fields, what it writes anew, adds beside them and takes away, and what kind of values those have
that it adds (data/recipe_columns.py). Without it, it looks at the turns and changes nothing.
`before(spec, rows, means)` may work out of all rows what `each(spec, that)` then needs, in whatever process. What `each`
makes may have `report() -> Report`, what it counted since it was asked last; report.json has all of it. It may have
`many(rows) -> Sequence[Said]`, in order, where some rows together are quicker than one by one.
`USES` names what it wants besides rows, and `apply(spec, rows, means)` is then handed them: `files`, those that its
function `files(spec)` names, a pattern each; `base`, the project's; `embedding`, the model of its setting of that name;
`names`, that of its setting `ner`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pydantic import Field

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.generation import Decoding, Generator
from tunewright.core.grading import Grader
from tunewright.core.spec import Spec
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.kinds import Kind
from tunewright.data.synthetic.given_up import GivenUp

if TYPE_CHECKING:
    from tunewright.data.embedding_words import Vectors  # it brings numpy


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
    """A row that stands beside the one it was made from: a repetition, a second piece. One that was made from none stands
    beside itself."""

    example: Example
    was: Example


class Note(NamedTuple):
    """What is to be known of all rows: it stands in the account. An operation on single rows says none."""

    text: str


class Told(NamedTuple):
    """What is to be known, and perhaps looked at, of one row that was kept or dropped: a line of told.jsonl."""

    example: Example
    what: Mapping[str, Any]
    """JSON values."""


Said = Kept | Dropped | Added | GivenUp | Told | Note
"""What an operation says of a row. Every row is kept or dropped once; added ones, those that were tried and not made, what
is told of rows, and notes come on top."""
Each = Callable[[Example], Said | Sequence[Said]]
Names = Callable[[str], Sequence[tuple[int, int]]]
"""(start, end) of the people's names in a text, in characters; it can be handed to another process, and is hashable."""


def named(**settings: str | None) -> dict[str, frozenset[str]]:
    """What an operation reads whose settings are fields' names: {setting: {field}}, without those that are not given."""
    return {setting: frozenset({name}) for setting, name in settings.items() if name is not None}


MESSAGES = "messages"
"""A row's turns, the answer with them."""
REJECTED, DESIRABLE = "rejected", "desirable"
"""What a row may have beside its turns: a worse answer, a rating."""


class Touched(NamedTuple):
    """What an operation does with the columns of rows: `messages`, what expressions may name of every row (`input`,
    `expected`, …), `rejected` and `desirable`, and fields."""

    reads: frozenset[str] = frozenset({MESSAGES})
    """Besides the fields of `reads`."""
    beside: frozenset[str] = frozenset()
    """Of `rejected` and `desirable`, what it looks at, too, in rows that have it."""
    changes: frozenset[str] = frozenset()
    """What it may write anew, in rows that have it."""
    adds: frozenset[str] = frozenset()
    """Of `rejected` and `desirable`, what it may give to rows that have it not. Fields that it adds, `writes` says."""
    removes: frozenset[str] = frozenset()
    """Fields that it may take away, or call otherwise."""
    kinds: Mapping[str, Kind] = MappingProxyType({})
    """Of fields that it writes, and of the `messages` of rows that it adds, where that is known beforehand."""


WHOLE = Touched(beside=frozenset({REJECTED, DESIRABLE}))
"""Of an operation that compares rows as they are trained: turns, worse answer and rating."""


class Report(Protocol):
    """What an operation on single rows counted in some of them, to be told of all."""

    def merge(self, other: Any, /) -> None:
        """Add what was counted in the rows that came next."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        ...


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

    def perplexities(self, rows: Sequence[Example]) -> list[float]:
        """Of each row, how unlikely its answer is to the base as it is: exp of the mean negative log-likelihood of a
        token. Raises UserError."""
        ...

    def embed(self, texts: Sequence[str], spec: EmbeddingSpec) -> "Vectors":
        """The texts' vectors, float32 (n, d), each of length 1 or 0. Raises UserError where there is no such model."""
        ...

    def names(self, model: str) -> "Names":
        """The model that finds people's names, a folder or a hub id. Raises UserError where there is no such model."""
        ...

    def generator(self, name: str) -> Generator:
        """The teacher of that name; `base` is the project's own base. The same one each time it is asked for.

        It is within its budget: past it, replies have the error `core.generation.BUDGET`. Raises UserError where there
        is no such teacher, or most of its answers fail.
        """
        ...

    def decoding(self, name: str) -> Decoding:
        """How that teacher answers where the operation does not say. Two samples of one prompt take two seeds."""
        ...

    def grader(self, settings: Mapping[str, Any]) -> Grader:
        """The grader that these settings describe, as a suite has them. Raises UserError."""
        ...


class FilesOnly(NamedTuple):
    """Means where there is no project: files, and nothing else."""

    root: Path

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        """Raises UserError: there is no base."""
        raise UserError("rows are measured in tokens of a project's base, and here is no project")

    def perplexities(self, rows: Sequence[Example]) -> list[float]:
        """Raises UserError: there is no base."""
        raise UserError("answers are measured by a project's base, and here is no project")

    def embed(self, texts: Sequence[str], spec: EmbeddingSpec) -> "Vectors":
        """The texts' vectors, by what needs no project. Raises UserError for an encoder."""
        return embed(texts, spec, self.root)

    def names(self, model: str) -> "Names":
        """Raises UserError: models are run by projects."""
        raise UserError(f"the model for names {model!r} is run by a project, and here is no project")

    def generator(self, name: str) -> Generator:
        """Raises UserError: there is no teacher."""
        raise UserError(f"the teacher {name} is one of a project's, and here is no project")

    def decoding(self, name: str) -> Decoding:
        """Raises UserError: there is no teacher."""
        raise UserError(f"the teacher {name} is one of a project's, and here is no project")

    def grader(self, settings: Mapping[str, Any]) -> Grader:
        """Raises UserError: there is no task to grade."""
        raise UserError("a grader knows the project's task, and here is no project")


def keep_if(rows: Sequence[Example], why_not: Callable[[Example], str | None]) -> Iterator[Said]:
    """Ask of each row in order why it must go; None keeps it."""
    return (judged(row, why_not(row)) for row in rows)


def judged(row: Example, why_not: str | None) -> Said:
    """Kept, or dropped for that reason."""
    return Kept(row) if why_not is None else Dropped(row, why_not)
