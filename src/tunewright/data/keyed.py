"""What an audit compares rows by: of each row some hashes and lengths, worked out once. Rows stay where they lie."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.example import Example
from tunewright.core.hashing import hash_text
from tunewright.data.examples import Examples, from_lines
from tunewright.data.inputs import Digests, digests, what_is_asked
from tunewright.data.labels import Answers, Labels, answers_of
from tunewright.data.normal import keys_of
from tunewright.data.workers import Workers

_ID = _SHORT = 16
"""Bytes kept of an id, and of a hash that is compared and not shown."""
_POOL = 20_000
"""Rows from which processes are started."""
_SOME = 5000
_NOTHINGS = {"n/a", "nan", "null", "nil", "tbd", "todo", "undefined"}
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Keyed(NamedTuple):
    """The rows of all parts, one part after the other."""

    rows: Mapping[str, Sequence[Example]]
    part: Places
    """Which of the parts each is in, by its place in `rows`. (n,)"""
    ids: npt.NDArray[np.bytes_]
    asked: Digests
    """Equal where the same is asked, or said: what a leak is."""
    prompt: npt.NDArray[np.bytes_]
    """Equal where the whole prompt is: what should be answered alike."""
    whole: npt.NDArray[np.bytes_]
    """Equal for duplicates."""
    answer: npt.NDArray[np.bytes_]
    """Equal where the normalised answer, or document, is."""
    good: Flags
    """Not rated bad."""
    document: Flags
    trivial: Flags
    """Answers that say nothing."""
    input_chars: Places
    answer_chars: Places
    said_chars: int
    """Characters of all questions, or documents."""
    labels: Labels
    """Of the rows that are not rated bad."""

    def name(self, at: int) -> str:
        """A row's id."""
        found: bytes = self.ids[at]
        return found.decode()

    def names(self, places: Places) -> list[str]:
        """The ids of some rows."""
        return [self.name(at) for at in places.tolist()]

    def example(self, at: int) -> Example:
        """A row, read again."""
        part = int(self.part[at])
        rows = list(self.rows.values())
        return rows[part][at - sum(map(len, rows[:part]))]

    def of(self, part: str) -> Places:
        """The places of a part's rows."""
        return np.flatnonzero(self.part == list(self.rows).index(part))


class _Some(NamedTuple):
    """Some rows' keys, to be put together. Plain values: it may come from another process."""

    ids: bytes
    questions: bytes
    instructions: bytes
    prompts: bytes
    wholes: bytes
    answers: bytes
    good: bytes
    document: bytes
    trivial: bytes
    input_chars: bytes
    answer_chars: bytes
    said_chars: int
    labels: Answers


_COLUMNS = [name for name, kind in _Some.__annotations__.items() if kind is bytes]


def keyed(parts: Mapping[str, Sequence[Example]], workers: int = 1) -> Keyed:
    """The keys of all rows, in order; `workers` processes share the work out."""
    labels = Labels(tuple(parts))
    columns = {name: bytearray() for name in _COLUMNS}
    of, said_chars = list[Places](), 0
    total = sum(map(len, parts.values()))
    with Workers(workers if total >= _POOL else 1) as started:
        for at, (part, rows) in enumerate(parts.items()):
            for one in _looked(rows, started):
                labels.add(part, one.labels)
                of.append(np.full(len(one.good), at, np.int64))
                said_chars += one.said_chars
                for name, column in columns.items():  # no list of pieces to join: twice the memory
                    column += getattr(one, name)

    def hashes(name: str, size: int) -> npt.NDArray[np.bytes_]:
        return np.frombuffer(columns[name], f"S{size}")

    def flags(name: str) -> Flags:
        return np.frombuffer(columns[name], np.bool_)

    def numbers(name: str) -> Places:
        return np.frombuffer(columns[name], np.int64)

    asked = what_is_asked(digests(columns["questions"]), digests(columns.pop("instructions")))
    return Keyed(
        parts,
        np.concatenate(of) if of else np.zeros(0, np.int64),
        hashes("ids", _ID),
        asked,
        hashes("prompts", _SHORT),
        hashes("wholes", _SHORT),
        hashes("answers", _SHORT),
        flags("good"),
        flags("document"),
        flags("trivial"),
        numbers("input_chars"),
        numbers("answer_chars"),
        said_chars,
        labels,
    )


def _looked(rows: Sequence[Example], workers: Workers) -> Iterator[_Some]:
    if isinstance(rows, Examples):
        yield from workers.each(partial(_look_at_lines, str(rows)), rows.chunks())
    else:
        for begin in range(0, len(rows), _SOME):
            yield _look(rows[begin : begin + _SOME])


def _look_at_lines(where: str, lines: bytes) -> _Some:
    return _look(from_lines(lines, where))


def _look(rows: Sequence[Example]) -> _Some:
    keys = [keys_of(row) for row in rows]
    good = [row for row in rows if row.desirable]
    return _Some(
        b"".join(row.id.encode()[:_ID].ljust(_ID, b"\0") for row in rows),
        b"".join(bytes.fromhex(key.input) for key in keys),
        b"".join(bytes.fromhex(key.instructions) for key in keys),
        b"".join(bytes.fromhex(key.prompt)[:_SHORT] for key in keys),
        b"".join(bytes.fromhex(key.whole)[:_SHORT] for key in keys),
        b"".join(bytes.fromhex(hash_text(key.answer))[:_SHORT] for key in keys),
        bytes(row.desirable for row in rows),
        bytes(row.is_document for row in rows),
        bytes(is_trivial(row, key.answer) for row, key in zip(rows, keys, strict=True)),
        np.array([_input_chars(row) for row in rows], np.int64).tobytes(),
        np.array([len(row.expected) for row in rows], np.int64).tobytes(),
        sum(len(row.input_text) for row in rows),
        answers_of(good),
    )


def is_trivial(example: Example, answer: str) -> bool:
    """Whether its answer, given in its normal form too, says nothing."""
    if example.is_document:
        return not answer
    return answer in _NOTHINGS or not any(letter.isalnum() for letter in example.expected)


def _input_chars(example: Example) -> int:
    if example.is_document:
        return len(example.expected)
    return sum(message.chars for message in example.prompt)
