"""Raw rows, as the readers of files hand them on: a row, or the reason why there is none."""

from collections.abc import Generator
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One raw row: its 1-based line (text formats) or record number, and column → JSON value."""

    number: int
    values: dict[str, Any]


class Reject(NamedTuple):
    """A row that cannot be used."""

    number: int
    reason: str
    """`kind: detail`; rejects are counted by kind."""
    raw: str
    """What the file held there, perhaps cut short."""
    passed_over: bool = False
    """Whether nothing is wrong with it and it is only of no use: a question that nobody answered. It is counted apart, by
    the kind of its reason."""


class Table(NamedTuple):
    """An opened file."""

    columns: tuple[str, ...] | None
    """The column names, where the format knows them before its rows; empty for an empty file."""
    rows: Generator[Row | Reject, None, None]
    """The rows in order. Raises BadFile when the file cannot be read further; closing it closes the file."""
    sparse: bool = False
    """Whether a null inside a value may stand for a member that is absent, because the format cannot tell."""


class BadRow(Exception):
    """One row cannot be used; the message is a reject's reason."""


class NoAnswer(BadRow):
    """A conversation in which nobody answers, or nobody can be seen to: nothing is wrong with it, and nothing can be learnt
    from it."""


class BadFile(Exception):
    """A file cannot be used at all: what is wrong, the line if one is known, and the way out."""

    def __init__(self, message: str, *, line: int | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.fix = fix


def no_rows() -> Generator[Row | Reject, None, None]:
    """The rows of an empty file."""
    yield from ()
