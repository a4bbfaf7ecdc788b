"""Questions without an answer in files that rows are held against: a benchmark's prompts are compared by what they ask.

asked = questions(source.spec, root, unread)      # the rows of these places that ask something
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.data.files import find_files
from tunewright.data.questions import question_of
from tunewright.data.rows import BadFile, Row
from tunewright.data.sources import open_file
from tunewright.data.spec import TEXT, SourceSpec

Place = tuple[str, int]
"""A row's file and number."""
_NO_ANSWER = "(none)"


def as_asked(held: Sequence[Example], rows: Sequence[Example]) -> tuple[Example, ...]:
    """What is held against the rows: where they are conversations, a text alone is what somebody asks, and no document."""
    if not rows or rows[0].is_document:
        return tuple(held)
    return tuple(
        make_example(ask(one.expected, _NO_ANSWER), origin=one.origin) if one.is_document else one
        for one in held
    )


def questions(source: SourceSpec, root: Path, unread: Collection[Place] | None = None) -> list[Example]:
    """What the rows at these places ask, or all rows: none of another tool's form, nor of what cannot be opened. Of a
    conversation it is the last question alone.
    """
    if source.form is not None:
        return []
    try:
        return list(_questions(source, root, unread))
    except (BadFile, OSError):
        return []  # who read the rows has said why


def _questions(source: SourceSpec, root: Path, unread: Collection[Place] | None) -> Iterator[Example]:
    column = source.columns.get("input") or source.columns.get(TEXT)
    for file in find_files(source, root):
        with closing(open_file(file.path, source, root).table.rows) as rows:
            for row in rows:
                if not isinstance(row, Row) or (unread is not None and (file.name, row.number) not in unread):
                    continue
                text = question_of(row.values, column)
                if text is not None and text.strip():
                    place = Origin(source="rows", file=file.name, row=row.number)
                    yield make_example(ask(text, _NO_ANSWER), origin=place)
