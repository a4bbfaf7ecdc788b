"""Examples as JSONL: the one form in which they lie in files."""

import json
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import IntegrityError
from tunewright.core.example import Example, Origin
from tunewright.core.message import Message, tools_of, with_tools

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_CHUNK = 1 << 18
"""Bytes of lines that are read at once."""
_TEXT, _ALIKE = frozenset((str,)), frozenset((str, int, bool, type(None)))
"""What pydantic's writer writes as `json` does, in a third of the time; floats it may write otherwise (1e-7, not 1e-07)."""


def to_line(example: Example) -> bytes:
    """One line with its end. Raises UnicodeEncodeError for half a surrogate pair, which is no character."""
    row = _row(example)
    if _is_quick(example, row):
        try:
            return to_json(row) + b"\n"
        except PydanticSerializationError:  # half a pair: told below
            pass
    return (_ENCODER.encode(row) + "\n").encode()


def _row(example: Example) -> dict[str, Any]:
    row: dict[str, Any] = {"id": example.id, "messages": list(map(_message, example.messages))}
    if tools := tools_of(example.messages):
        row["tools"] = json.loads(tools)
    if example.rejected is not None:
        row["rejected"] = example.rejected
    if example.rated:
        row["desirable"] = example.desirable
    if example.fields:
        row["fields"] = example.fields
    if example.origin:
        row["origin"] = _origin(example.origin)
    return row


def _is_quick(example: Example, row: dict[str, Any]) -> bool:
    """Whether nothing stands in it that the two write otherwise: a float, a key that is no text."""
    weighted = any("weight" in message for message in row["messages"])
    return not weighted and "tools" not in row and _is_alike(example.fields)


def _is_alike(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return _TEXT.issuperset(map(type, value)) and _are_alike(value.values())
    return _are_alike(value) if kind is list else kind in _ALIKE


def _are_alike(values: Collection[Any]) -> bool:
    return _ALIKE.issuperset(map(type, values)) or all(map(_is_alike, values))


def from_lines(data: bytes, where: str) -> list[Example]:
    """The examples that `to_line` wrote. Raises IntegrityError where a line is none."""
    examples = []
    *lines, cut = data.split(b"\n")
    if cut:
        raise IntegrityError(
            "the last line has no end: the file is cut off.",
            where=f"{where}:{len(lines) + 1}",
            fix="Run the step again.",
        )
    for number, line in enumerate(lines, 1):
        try:
            examples.append(_read(line))
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"this is not an example ({error}).", where=f"{where}:{number}", fix="Run the step again."
            ) from None
    return examples


def read_examples(path: Path) -> list[Example]:
    """The examples of a file. Raises IntegrityError, OSError."""
    return from_lines(path.read_bytes(), str(path))


class Examples(ByPlace[Example]):
    """The examples of a file, read as they are asked for: however many there are, a few lie in memory.

    Reading raises IntegrityError, OSError.
    """

    def __init__(self, path: Path, begin: int = 0, count: int | None = None) -> None:
        """`count` of the file's examples from number `begin` on; all of them without it."""
        self._path = path
        self._lines = (begin, None if count is None else begin + count)
        self._starts = array("q")
        self._count: int | None = None

    @property
    def whole(self) -> Path | None:
        """The file, where these are all of its examples."""
        return self._path if self._lines == (0, None) else None

    def __iter__(self) -> Iterator[Example]:
        for lines in self.chunks():
            yield from from_lines(lines, str(self._path))

    def __len__(self) -> int:
        if self._count is None:
            self._count = self._counted()
        return self._count

    def _counted(self) -> int:
        begin, end = self._lines
        lines, last = 0, b"\n"
        for block in self._blocks():
            lines, last = lines + block.count(b"\n"), block
        lines += not last.endswith(b"\n")
        return max(0, (lines if end is None else min(lines, end)) - begin)

    def read(self, place: int) -> Example:
        """The example at a place from 0 on."""
        begin, end = self._index()[place], self._index()[place + 1]
        with self._path.open("rb") as stream:
            stream.seek(begin)
            return from_lines(stream.read(end - begin), str(self._path))[0]

    def lines(self, places: Iterable[int]) -> Iterator[bytes]:
        """The lines at these places, in their order."""
        index = self._index()
        with self._path.open("rb") as stream:
            for place in places:
                stream.seek(index[place])
                yield stream.read(index[place + 1] - index[place])

    def chunks(self) -> Iterator[bytes]:
        """The lines, some hundred kilobytes at a time."""
        with self._path.open("rb") as stream:
            if self._lines == (0, None):
                while lines := stream.read(_CHUNK):
                    yield lines if lines.endswith(b"\n") else lines + stream.readline()
            else:
                yield from _joined(islice(stream, *self._lines))

    def _index(self) -> Sequence[int]:
        """Where each line begins, and the last ends."""
        if not self._starts:
            begin, end = self._lines
            starts, at = array("q", [0]), 0
            for block in self._blocks():
                place = 0
                while place := block.find(b"\n", place) + 1:
                    starts.append(at + place)
                at += len(block)
            if starts[-1] < at:  # a line without an end
                starts.append(at)
            self._starts = starts[begin : None if end is None else end + 1] or array("q", [at])
        return self._starts

    def _blocks(self) -> Iterator[bytes]:
        with self._path.open("rb") as stream:
            while block := stream.read(_CHUNK):
                yield block


class Picked(ByPlace[Example]):
    """Some examples of a file, in an order of their own. Reading raises IntegrityError, OSError."""

    def __init__(self, rows: Examples, places: "Sequence[int] | npt.NDArray[np.int64]") -> None:
        self._rows = rows
        self._places = places

    def __iter__(self) -> Iterator[Example]:
        for lines in self.chunks():
            yield from from_lines(lines, "rows")

    def __len__(self) -> int:
        return len(self._places)

    def read(self, place: int) -> Example:
        """The example at a place from 0 on."""
        return self._rows.read(int(self._places[place]))

    def chunks(self) -> Iterator[bytes]:
        """The lines, some hundred kilobytes at a time."""
        return _joined(self._rows.lines(map(int, self._places)))


class Texts(ByPlace[T]):
    """What a function says of each of some examples: worked out as it is asked for, and not kept."""

    def __init__(self, rows: Sequence[Example], of: Callable[[Example], T]) -> None:
        self._rows = rows
        self._of = of

    def __iter__(self) -> Iterator[T]:
        return map(self._of, self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, place: int) -> T:
        """Of the example at a place from 0 on."""
        return self._of(self._rows[place])


def picked(examples: Sequence[Example], places: "Sequence[int] | npt.NDArray[np.int64]") -> Sequence[Example]:
    """The examples at these places, in their order; those of a file stay there."""
    if isinstance(examples, Examples):
        return Picked(examples, places)
    return [examples[int(place)] for place in places]


def evenly(examples: Sequence[Example], most: int) -> Sequence[Example]:
    """So many of the examples at most, in even steps: of rows in an order, by time say, the first alone tell little."""
    if len(examples) <= most:
        return examples
    return picked(examples, [place * len(examples) // most for place in range(most)])


def chunks(examples: Iterable[Example]) -> Iterator[bytes]:
    """The lines of examples, some hundred kilobytes at a time; those of a file are not read as examples."""
    if isinstance(examples, Examples | Picked):
        yield from examples.chunks()
        return
    yield from _joined(map(to_line, examples))


def _joined(several: Iterable[bytes]) -> Iterator[bytes]:
    lines, size = list[bytes](), 0
    for line in several:
        lines.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield b"".join(lines)
            lines, size = [], 0
    if lines:
        yield b"".join(lines)


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write examples to a file; returns their number."""
    count = 0
    with path.open("wb") as stream:
        for lines in chunks(examples):
            stream.write(lines)
            count += lines.count(b"\n")
    return count


def _origin(origin: Origin) -> dict[str, Any]:
    row: dict[str, Any] = {"source": origin.source, "file": origin.file, "row": origin.row}
    return {**row, "teacher": origin.teacher, "depth": origin.depth} if origin.depth else row


def _message(message: Message) -> dict[str, Any]:
    row = message.wire()
    return row if message.weight is None else {**row, "weight": message.weight}


def _read(line: bytes) -> Example:
    """A row as most are is read and checked in one go, in a third of the time; what is wrong with one is told below."""
    try:
        example = Example.model_validate_json(line)
    except ValidationError:  # tools stand beside the messages, for one
        return _example(json.loads(line))
    given = example.model_fields_set
    if "rated" in given:  # no key of a line
        return _example(json.loads(line))
    return example.model_copy(update={"rated": True}) if "desirable" in given else example


def _example(row: dict[str, Any]) -> Example:
    origin = row.get("origin")
    messages = tuple(Message(**message) for message in row["messages"])
    if "tools" in row:
        messages = with_tools(messages, json.dumps(row["tools"], ensure_ascii=False))
    return Example(
        id=row["id"],
        messages=messages,
        rejected=row.get("rejected"),
        desirable=row.get("desirable", True),
        rated="desirable" in row,
        fields=row.get("fields", {}),
        origin=Origin(**origin) if origin else None,
    )
