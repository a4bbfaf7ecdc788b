"""Coverage of a file in no project, or of a project's training rows, beside real traffic where there is some.

    cover_files([Path("tickets.csv")], against=Path("traffic.jsonl"))
    project.coverage("traffic.jsonl")

Traffic may be anything that holds questions: our own traces, chat rows without an answer, a table with a column that asks.
What cannot be read of it is passed over and counted.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.coverage import Coverage, Line, coverage
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.names import did_you_mean, listed
from tunewright.data.repeats import is_repeat
from tunewright.data.rows import BadFile, Reject, Row
from tunewright.data.sources import open_file
from tunewright.data.spec import EXPECTED, TEXT, SourceSpec
from tunewright.project.embeddings import vectors
from tunewright.project.starters._roles import guess_roles

INPUT = "input"
MOST = 20_000
"""Rows that are looked at: of more, so many are drawn."""
_HEAD = 1000
"""Rows by which columns are told."""
_ASKERS, _ANSWERERS = ("user", "human"), ("assistant", "gpt", "model")
_TALKS = ("messages", "conversations", "conversation", "prompt")


class Looked(NamedTuple):
    """How rows are looked at."""

    embedding: EmbeddingSpec = EmbeddingSpec()
    clusters: int | None = None
    """How many; none: by the number of rows."""
    seed: int = 0


class _Read(NamedTuple):
    """The rows of files, as far as they are looked at."""

    lines: list[Line]
    notes: tuple[str, ...]


def cover_files(
    paths: Sequence[Path],
    *,
    against: Path | None = None,
    columns: Mapping[str, str] | None = None,
    looked: Looked | None = None,
) -> Coverage:
    """What the rows of files are about. `columns` says which are input and expected, where the guess is not wanted.

    Raises DataError where a file cannot be read, or has too few rows; ModelError where there is no such embedding model.
    """
    looked = looked or Looked()
    read = [_read(path, columns or {}, looked.seed) for path in paths]
    lines = [line for one in read for line in one.lines]
    notes = tuple(note for one in read for note in one.notes)
    return _covered(lines, notes, against, Path(), looked)


def cover_rows(
    rows: Sequence[Example], *, against: Path | None, root: Path, looked: Looked | None = None
) -> Coverage:
    """What these rows are about, each once however often `mix` and `balance` repeat it; `against` and an embedding model
    are looked for below `root`. Raises DataError, ModelError."""
    looked = looked or Looked()
    drawn, count = _drawn((_line(row) for row in rows if not is_repeat(row)), looked.seed)
    notes = [_few("the rows", count)] if count > MOST else []
    if again := len(rows) - count:
        notes.append(f"{again:,} repetitions that the recipe made are left out")
    return _covered(drawn, notes, None if against is None else root / against, root, looked)


def _covered(
    lines: list[Line], notes: Sequence[str], against: Path | None, root: Path, looked: Looked
) -> Coverage:
    traffic = None if against is None else _read(against, {}, looked.seed)
    found = coverage(
        lines,
        lambda texts: vectors(texts, looked.embedding, root),
        against=traffic.lines if traffic else (),
        clusters=looked.clusters,
        seed=looked.seed,
    )
    return found.model_copy(update={"notes": (*notes, *(traffic.notes if traffic else ()))})


def _line(row: Example) -> Line:
    return Line(row.place, row.input_text, None if row.is_document else row.expected)


def _read(path: Path, columns: Mapping[str, str], seed: int) -> _Read:
    """The lines of a file, and what is to be known of the reading. Raises DataError."""
    if not path.is_file():
        folder = path.is_dir()
        fix = "Name its files." if folder else None
        raise DataError("it is a folder" if folder else "there is no such file", where=str(path), fix=fix)
    try:
        opened = open_file(path, SourceSpec(path=path.name))
        with closing(opened.table.rows) as rows:
            told = iter(rows)
            head = list(islice(told, _HEAD))
            taken, why = _columns([row.values for row in head if isinstance(row, Row)], columns, path)
            lines = _Lines(path, taken)
            drawn, count = _drawn(lines.of(chain(head, told)), seed)
    except BadFile as error:
        where = f"{path}:{error.line}" if error.line else str(path)
        raise DataError(error.message.rstrip("."), where=where, fix=error.fix) from None
    if not head:
        raise DataError("the file has no row that can be read", where=str(path))
    if not drawn:
        raise DataError(
            f"no row asks anything ({why})",
            where=str(path),
            fix="Say which column asks: --column input=NAME.",
        )
    notes = [f"{path.name}: {why}"]
    notes += [_few(path.name, count)] if count > MOST else []
    notes += [f"{path.name}: {lines.passed:,} rows ask nothing and are left out"] if lines.passed else []
    return _Read(drawn, tuple(notes))


class _Lines:
    """Raw rows as lines; counts those that ask nothing."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self._path, self._columns = path, columns
        self.passed = 0

    def of(self, rows: Iterable[Row | Reject]) -> Iterator[Line]:
        """A line for each row that asks something."""
        for row in rows:
            asked, answer = (None, None) if isinstance(row, Reject) else _said(row.values, self._columns)
            if asked is None or not asked.strip():
                self.passed += 1
                continue
            yield Line(f"{self._path.name}:{row.number}", asked, answer)


def _columns(
    rows: Sequence[dict[str, Any]], told: Mapping[str, str], path: Path
) -> tuple[dict[str, str], str]:
    """Which column asks and which answers, and why; none where rows are conversations."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if told:
        for ours, theirs in told.items():
            if ours not in (INPUT, EXPECTED, TEXT):
                raise DataError(f"{ours!r} is neither input nor expected", where="--column")
            if names and theirs not in names:
                fix = did_you_mean(theirs, names)
                raise DataError(
                    f"there is no column {theirs!r}; there are {listed(names)}", where=str(path), fix=fix
                )
        return dict(told), "the columns are taken as told"
    if any(isinstance(row.get(key), list) for row in rows[:20] for key in _TALKS):
        return {}, "its rows are conversations, of which the last question counts"
    if TEXT in names and len(names) > 1 and all(isinstance(row.get(TEXT), str) for row in rows):
        texts = [name for name in names if name in (INPUT, EXPECTED)]
        if not texts and path.suffix.lower() not in (".csv", ".tsv", ".tab", ".xlsx", ".ods"):
            return {INPUT: TEXT}, "its rows are texts"
    if len(names) < 2:
        return {
            INPUT: names[0]
        } if names else {}, f"its only column is {names[0]}" if names else "none of its rows can be read"
    roles = guess_roles(names, rows)
    return {INPUT: roles.input, EXPECTED: roles.expected}, roles.why.rstrip(".")


def _said(values: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str | None, str | None]:
    """What a raw row asks, and what it answers, as far as it says so."""
    if columns:
        asked = values.get(columns.get(INPUT) or columns.get(TEXT) or "")
        answer = values.get(columns.get(EXPECTED, ""))
        return _text(asked), _text(answer)
    turns: list[Any] = next((values[key] for key in _TALKS if isinstance(values.get(key), list)), [])
    asked = answer = None
    for turn in turns:
        if isinstance(turn, dict):
            role, text = turn.get("role", turn.get("from")), _text(turn.get("content", turn.get("value")))
            asked = text if role in _ASKERS else asked
            answer = text if role in _ANSWERERS else answer
    return asked, answer


def _text(value: Any) -> str | None:
    """A value as text; of a list of parts, those that are texts."""
    if isinstance(value, list):
        return (
            "\n".join(str(part["text"]) for part in value if isinstance(part, dict) and "text" in part)
            or None
        )
    return None if value is None else str(value)


def _drawn(lines: Iterable[Line], seed: int) -> tuple[list[Line], int]:
    """At most MOST of the lines, in their order, each as likely (Vitter 1985, algorithm R), and how many there were."""
    chance = random.Random(seed)
    kept: list[tuple[int, Line]] = []
    count = 0
    for line in lines:
        count += 1
        if len(kept) < MOST:
            kept.append((count, line))
        elif (at := chance.randrange(count)) < MOST:
            kept[at] = (count, line)
    return [line for _, line in sorted(kept, key=lambda one: one[0])], count


def _few(name: str, count: int) -> str:
    return f"{name}: {MOST:,} of {count:,} rows are looked at, drawn with the seed"
