"""Questions without an answer in files that rows are held against: a benchmark's prompts are compared by what they ask.

asked = questions(source.spec, root, unread)      # the rows of these places that ask something
asked.rows, asked.columns, asked.cut
"""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.core.message import Conversation
from tunewright.data.files import InputFile, find_files
from tunewright.data.forms import FormSpec, convert
from tunewright.data.questions import COLUMNS, Question, asked_in
from tunewright.data.rows import BadFile, BadRow, Row
from tunewright.data.sources import open_file
from tunewright.data.sources.chat import is_chat, talk
from tunewright.data.spec import EXPECTED, TEXT, SourceSpec
from tunewright.data.thinking import Thoughts

Place = tuple[str, int]
"""A row's file and number."""
_NO_ANSWER = "(none)"
_ASKING = frozenset(("question", "problem", "instruction"))
"""Columns that are never an answer."""
_TOOLS = ("tools", "functions")


class Questions(NamedTuple):
    """What rows ask that have no answer that can be read."""

    rows: list[Example]
    columns: Counter[tuple[str, ...]]
    """The columns that hold it, where nobody named them → rows."""
    cut: list[str]
    """Files that could not be read to their end, each with the reason."""


class Held(NamedTuple):
    """What is held against rows, and the columns of documents that were compared in the place of their text → rows."""

    examples: tuple[Example, ...]
    columns: Counter[tuple[str, ...]]


def as_asked(held: Sequence[Example], rows: Sequence[Example], *, told: bool = False) -> Held:
    """What is held against the rows: where they are conversations, a text is what somebody asks, and no document.

    Of texts a question beside them is asked in their place, unless it is the same in all of them, or columns were `told`.
    """
    columns = Counter[tuple[str, ...]]()
    if not rows or rows[0].is_document:
        return Held(tuple(held), columns)
    beside = [None if told or not one.is_document else _beside(one) for one in held]
    several = len({question.text for question in beside if question is not None}) > 1
    found = list[Example]()
    for one, question in zip(held, beside, strict=True):
        if one.is_document:
            text = one.expected
            if question is not None and (several or len(held) == 1):
                columns[question.keys] += 1
                text = question.text
            one = make_example(ask(text, _NO_ANSWER), origin=one.origin)
        found.append(one)
    return Held(tuple(found), columns)


def _beside(one: Example) -> Question | None:
    """The question beside a text, where a column that is never an answer has one."""
    question = asked_in({key: value for key, value in one.fields.items() if key in COLUMNS})
    return question if question and question.keys[0] in _ASKING and question.text.strip() else None


def compared_by(path: Path, columns: Counter[tuple[str, ...]]) -> list[str]:
    """The note of how many rows were compared by which columns; none where there are none."""
    if not columns:
        return []
    names = [
        f"column{'s' if len(keys) > 1 else ''} {' and '.join(keys)}{f' ({rows:,})' if len(columns) > 1 else ''}"
        for keys, rows in columns.items()
    ]
    rows, were = ("row", "was") if columns.total() == 1 else ("rows", "were")
    return [
        f"{columns.total():,} {rows} without an answer of {path} {were} compared by its {' or '.join(names)}"
    ]


def only_ask(source: SourceSpec) -> bool:
    """Whether rows whose columns were guessed have no answer: what was taken for it is a question."""
    return source.columns.get(EXPECTED) in _ASKING


def questions(
    source: SourceSpec, root: Path, unread: Collection[Place] | None = None, *, guessed: bool = False
) -> Questions:
    """What the rows at these places ask, or all rows; of a conversation with the turns before it. What cannot be opened asks
    nothing: who read the rows has said why. Of `guessed` columns those that are known to ask go before the source's.
    """
    found = Questions([], Counter(), [])
    if unread is not None and not unread:
        return found
    try:
        files = find_files(source, root)
    except BadFile:
        return found
    for file in files:
        before = len(found.rows)
        try:
            _read(file, source, root, unread, guessed, found)
        except (BadFile, OSError) as error:
            if len(found.rows) > before:
                found.cut.append(f"{file.name} ({str(error).rstrip('.')})")
    return found


def _read(
    file: InputFile,
    source: SourceSpec,
    root: Path,
    unread: Collection[Place] | None,
    guessed: bool,
    found: Questions,
) -> None:
    """Add what the file's rows ask, as far as they can be read. Raises BadFile, OSError."""
    column = source.columns.get("input") or source.columns.get(TEXT)
    with closing(open_file(file.path, source, root).table.rows) as rows:
        for row in rows:
            if not isinstance(row, Row) or (unread is not None and (file.name, row.number) not in unread):
                continue
            values = row.values if source.form is None else _answered(row.values, source.form)
            question = asked_in(values, None if guessed else column)
            if guessed and (question is None or not question.text.strip()):
                question = asked_in(values, column)
            if question is None or not (messages := _messages(question, values, source)):
                continue
            place = Origin(source="rows", file=file.name, row=row.number)
            found.rows.append(make_example(messages, origin=place))
            if (guessed or column is None) and not is_chat(values):
                found.columns[question.keys] += 1


def _messages(question: Question, values: dict[str, Any], source: SourceSpec) -> Conversation:
    """The turns up to the question with an answer that says nothing; none where it is blank, or follows what cannot be
    read: with other turns, or none, before it, it may ask something else."""
    if not question.text.strip():
        return ()
    beside = {key: values[key] for key in _TOOLS if key in values and is_chat(values)}
    row = {"messages": [*question.turns, {"role": "assistant", "content": _NO_ANSWER}], **beside}
    try:
        return talk(row, {}, Thoughts(source.thinking or "drop")).messages
    except BadRow:
        *first, last = question.turns
        said = last.get("content")
        parts = said if isinstance(said, list) else []
        texts = all(part.get("type") == "text" for part in parts if isinstance(part, dict))
        alone = texts and all(turn.get("role") in ("system", "developer") for turn in first)
        return ask(question.text, _NO_ANSWER) if alone else ()


def _answered(values: dict[str, Any], form: FormSpec) -> dict[str, Any]:
    """A row of another tool's form as a chat row, its blank answer filled in; nothing where it is none with one answer."""
    key = form.form().keys.get("output")
    if key is None or str(values.get(key) or "").strip():
        return {}
    try:
        return convert({**values, key: _NO_ANSWER}, form, "drop")
    except BadRow:
        return {}
