"""What rows are compared by, by the split and by an audit: of each some hashes and lengths, worked out once.

    keyed({"train": rows, …})                    reads the rows
    keyed({"train": rows, …}, read=shared.read)  takes what the split worked out of them

Rows stay where they lie. What a recipe's last operation wrote is mostly what the next one or the split reads: where its keys
were worked out while it was at hand, they are kept until then (`keep`, `take`).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from tunewright.core.example import Example
from tunewright.core.hashing import digest_text
from tunewright.data.examples import Examples, from_lines
from tunewright.data.inputs import Digests, what_is_asked
from tunewright.data.labels import MOST_LABELS, Answers, Labels, answers_of
from tunewright.data.normal import keys_of
from tunewright.data.workers import MANY_ROWS, Workers

Made = TypeVar("Made")
_SOME = 5000
_NOTHINGS = {"n/a", "nan", "null", "nil", "tbd", "todo", "undefined"}
_KEYS = np.dtype(
    [
        ("id", "S16"),
        ("question", "S32"),
        ("instructions", "S32"),
        ("prompt", "S16"),
        ("whole", "S16"),
        ("answer", "S16"),
        ("good", "?"),
        ("document", "?"),
        ("object", "?"),
        ("trivial", "?"),
        ("input_chars", "<i8"),
        ("answer_chars", "<i8"),
        ("asked_chars", "<i8"),
    ]
)
"""What is kept of a row. A hash that is compared and not shown is kept by half."""
_packed = Struct("<16s32s32s16s16s16s????qqq").pack
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.void]
"""The keys of rows, `_KEYS` each. (n,)"""


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


class _Looked(NamedTuple):
    """Some rows' keys, to be put together. Plain values: it may come from another process."""

    keys: bytes
    answers: Answers
    """Of the rows that are not rated bad."""


class Read(NamedTuple):
    """The keys of rows that were read once, and which of them each part has."""

    keys: Keys
    asked: Digests
    """What each asks, among them all. (n,)"""
    places: Mapping[str, Places]
    """The places of each part's rows among them, in the part's order."""


def keyed(parts: Mapping[str, Sequence[Example]], workers: int = 1, read: Read | None = None) -> Keyed:
    """The keys of all rows, in order; `workers` processes share out what was not `read` before."""
    if read is not None:
        order = np.concatenate([read.places[part] for part in parts])
        keys = read.keys[order]
        asked = read.asked[order] if len(order) == len(read.keys) else asked_by(keys)
        return _keyed(parts, keys, asked, Labels(tuple(parts)) if _is_free(keys) else _labels(parts, workers))
    labels, found = Labels(tuple(parts)), bytearray()
    with _workers(parts, workers) as started:
        for part, rows in parts.items():
            for one in _each(_look, rows, started):
                labels.add(part, one.answers)
                found += one.keys  # no list of pieces to join: twice the memory
    keys = keys_in(found)
    return _keyed(parts, keys, asked_by(keys), labels)


def _keyed(parts: Mapping[str, Sequence[Example]], keys: Keys, asked: Digests, labels: Labels) -> Keyed:
    return Keyed(
        parts,
        np.repeat(np.arange(len(parts)), [len(rows) for rows in parts.values()]),
        keys["id"],
        asked,
        keys["prompt"],
        keys["whole"],
        keys["answer"],
        keys["good"],
        keys["document"],
        keys["trivial"],
        keys["input_chars"],
        keys["answer_chars"],
        int(keys["asked_chars"].sum()),
        labels,
    )


def keys_in(joined: bytes | bytearray) -> Keys:
    """The keys of `look` that lie one after the other."""
    return np.frombuffer(joined, _KEYS)


def asked_by(keys: Keys) -> Digests:
    """What rows ask, among those of these keys. (n,)"""
    return what_is_asked(keys["question"], keys["instructions"])


def _is_free(keys: Keys) -> bool:
    """Whether answers are surely free text, without labels: too many, and not all JSON objects."""
    good = keys[keys["good"] & ~keys["document"]]
    for some in (good[: 10 * MOST_LABELS], good):
        if len(np.unique(some["answer"])) > MOST_LABELS:
            return not good["object"].all()
    return False


def _labels(parts: Mapping[str, Sequence[Example]], workers: int) -> Labels:
    labels = Labels(tuple(parts))
    with _workers(parts, workers) as started:
        for part, rows in parts.items():
            for one in _each(_good_answers, rows, started):
                labels.add(part, one)
    return labels


def _workers(parts: Mapping[str, Sequence[Example]], number: int) -> Workers:
    return Workers(number if sum(map(len, parts.values())) >= MANY_ROWS else 1)


def _each(
    work: Callable[[Sequence[Example]], Made], rows: Sequence[Example], workers: Workers
) -> Iterator[Made]:
    """What is made of the rows, some at a time."""
    if isinstance(rows, Examples):
        yield from workers.each(partial(_of_lines, work, str(rows)), rows.chunks())
    else:
        for begin in range(0, len(rows), _SOME):
            yield work(rows[begin : begin + _SOME])


def _of_lines(work: Callable[[Sequence[Example]], Made], where: str, lines: bytes) -> Made:
    return work(from_lines(lines, where))


def look(rows: Iterable[Example]) -> bytes:
    """The keys of some rows, one after the other: they may come from another process."""
    return b"".join(map(_key, rows))


def _look(rows: Sequence[Example]) -> _Looked:
    return _Looked(look(rows), _good_answers(rows))


def _good_answers(rows: Sequence[Example]) -> Answers:
    return answers_of(row for row in rows if row.desirable)


def _key(row: Example) -> bytes:
    key, document, expected = keys_of(row), row.is_document, row.expected
    asked = len(expected) if document else len(row.input_text)
    return _packed(
        row.id.encode(),
        key.input,
        key.instructions,
        key.prompt,
        key.whole,
        digest_text(key.answer),
        row.desirable,
        document,
        expected.lstrip().startswith("{"),
        is_trivial(row, key.answer),
        len(expected) if document else sum(message.chars for message in row.prompt),
        len(expected),
        asked,
    )


def is_trivial(example: Example, answer: str) -> bool:
    """Whether its answer, given in its normal form too, says nothing."""
    if example.is_document:
        return not answer
    said = example.expected
    return answer in _NOTHINGS or not (said[:1].isalnum() or any(letter.isalnum() for letter in said))


class _Kept(NamedTuple):
    """The keys of one file's rows, and the file, which is held open: no other can be taken for it."""

    descriptor: int
    facts: tuple[int, ...]
    keys: Keys


_kept = list[_Kept]()
"""One at most."""
_at_it = Lock()


def keep(path: Path, keys: Keys) -> None:
    """Keep the keys of a file's rows until they are taken, or those of another file's are kept."""
    if os.name == "nt":  # there the folder of an open file cannot be renamed
        return
    descriptor = os.open(path, os.O_RDONLY)
    with _at_it:
        before = _kept.copy()
        _kept[:] = [_Kept(descriptor, _identity(os.fstat(descriptor)), keys)]
    for one in before:
        os.close(one.descriptor)


def take(rows: Sequence[Example]) -> Keys | None:
    """The keys of a whole file's rows where they were kept, and the file is as it was: under whatever name."""
    if not isinstance(rows, Examples) or rows.whole is None:
        return None
    with _at_it:
        if not _kept or _kept[0].facts != _identity(rows.whole.stat()):
            return None
        one = _kept.pop()
    os.close(one.descriptor)
    return one.keys if len(one.keys) == len(rows) else None


def _identity(facts: os.stat_result) -> tuple[int, ...]:
    """What tells a file of the store's own from others: a link to it moves the time of its last change of state."""
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
