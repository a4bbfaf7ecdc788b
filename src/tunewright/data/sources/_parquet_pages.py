"""What the pages of a Parquet file say of themselves, read from the file's footer and their heads alone.

Both are Thrift structs in the compact protocol (parquet.thrift has their fields). Readers allocate what a page's head says,
whatever the footer does; so only the heads tell what reading will take. The library's own way to look at a footer ends the
process over some that are broken, so it is not asked.
"""

import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tunewright.data.rows import BadFile

_HEAD = 4096
"""Bytes that are looked at first for a head; statistics in it may make it longer."""
_WINDOW = 2**20
"""The most bytes that are looked at for many heads, where pages are small."""
_ALIKE = 4
"""Heads that are remembered: small pages mostly have one of a few."""
PAGES = 2**24
"""The most pages of a file: each costs time, whatever it holds."""
_LONGEST_HEAD = 2**24
_FOOTER = 2**26
"""The most bytes of a footer."""
_DATA, _DICTIONARY = 0, 2
"""Kinds of pages; the others are data pages of the second version."""
_TEXTS, _FIXED = 6, 7
"""Types of columns: texts of any length, values of a fixed one."""
_REPEATED = 2
_GROWING = 7
"""The encoding in which each value begins as the one before it (DELTA_BYTE_ARRAY)."""
_CODECS = {0: None, 1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
_COUNTED = 2**22
"""The most bytes of a dictionary whose longest text is looked for."""
_VALUES = 2**24
"""The most values of a footer: one that takes a byte there takes a hundred in memory."""
_NESTED = 32
"""How deep structs may lie in one another."""


class Chunk(NamedTuple):
    """A column's pages in one group of rows."""

    path: str
    nested: bool
    """Whether a row may hold many of its values."""
    width: int
    """Bytes of each value, where all have the same number by the column's type; else 0."""
    values: int
    page: int
    """Bytes of its largest page, uncompressed."""
    dictionary: int
    """Bytes of its dictionary, uncompressed; 0 without one."""
    longest: int
    """The most bytes that a text of the dictionary has; 0 where it holds none."""
    growing: int
    """Bytes of its largest page in which each value may begin as the one before it; 0 without one."""


class _Column(NamedTuple):
    """What the schema says of a column."""

    path: str
    nested: bool
    width: int


def chunks(path: Path) -> Iterator[Chunk]:
    """The chunks of a file.

    Raises ValueError where its footer or a page's head cannot be read, BadFile where it has too many pages.
    """
    with path.open("rb") as stream:
        footer, size = _footer(stream)
        heads = _Heads(stream)
        columns = _columns(_structs(footer, 2))
        for group in _structs(footer, 4):
            for number, chunk in enumerate(_structs(group, 1)):
                about = chunk.get(3)
                if not isinstance(about, dict) or number >= len(columns):
                    raise ValueError("a column is not described")
                yield _chunk(heads, size, about, columns[number])


def _footer(stream: BinaryIO) -> tuple[dict[int, Any], int]:
    """The footer, and the size of what stands before it."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 8))
    end = stream.read(8)
    length = int.from_bytes(end[:4], "little")
    if len(end) < 8 or end[4:] != b"PAR1" or not 0 < length <= min(size - 8, _FOOTER):
        raise ValueError("it has no footer")
    stream.seek(size - 8 - length)
    try:
        return _Compact(stream.read(length)).struct(), size - 8 - length
    except IndexError:
        raise ValueError("its footer is broken") from None


def _structs(holder: dict[int, Any], field: int) -> list[dict[int, Any]]:
    found = holder.get(field)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("its footer is broken")
    return found


def _columns(elements: list[dict[int, Any]]) -> list[_Column]:
    """The columns of a schema, which lists each element before its children."""
    found: list[_Column] = []
    around: list[_Column] = []
    to_come: list[int] = []
    for at, element in enumerate(elements):
        while to_come and to_come[-1] == 0:
            around.pop()
            to_come.pop()
        above = around[-1] if around else _Column("", False, 0)
        if to_come:
            to_come[-1] -= 1
        name = element.get(4, b"")
        name = name.decode("utf-8", "replace") if isinstance(name, bytes) else ""
        path = f"{above.path}.{name}" if above.path else name if at else ""
        repeats = above.nested or element.get(3) == _REPEATED
        children = element.get(5)
        if isinstance(children, int) and children > 0:
            around.append(_Column(path, repeats, 0))
            to_come.append(children)
        elif at:
            width = element.get(2) if element.get(1) == _FIXED else 0
            found.append(_Column(path, repeats, width if isinstance(width, int) else 0))
    return found


def _number(holder: dict[int, Any], field: int) -> int:
    found = holder.get(field)
    if not isinstance(found, int) or found < 0:
        raise ValueError("a size is missing")
    return found


def _chunk(heads: "_Heads", size: int, about: dict[int, Any], column: _Column) -> Chunk:
    start, count = _number(about, 9), _number(about, 5)
    first = about.get(11)
    if isinstance(first, int) and 0 < first < start:
        start = first
    end = start + _number(about, 7)
    if not start <= end <= size:
        raise ValueError("a column lies beyond the file")
    values = page = dictionary = longest = growing = 0
    while start < end and values < count:
        head, length = heads.at(start)
        raw, packed = _number(head, 2), _number(head, 3)
        start += length
        kind = head.get(1)
        if kind == _DICTIONARY:
            dictionary = max(dictionary, raw)
            longest = max(longest, _longest_text(heads.stream, start, packed, raw, about))
        else:
            inner = head.get(5 if kind == _DATA else 8)
            inner = inner if isinstance(inner, dict) else {}
            said, encoding = inner.get(1), inner.get(2 if kind == _DATA else 4)
            values += max(0, said) if isinstance(said, int) else 0
            page = max(page, raw)
            growing = max(growing, raw if encoding == _GROWING else 0)
        start += packed
    return Chunk(*column, values, page, dictionary, longest, growing)


def _longest_text(stream: BinaryIO, start: int, packed: int, raw: int, about: dict[int, Any]) -> int:
    """The most bytes of a text; of a dictionary that is not looked through, all that it has."""
    import pyarrow

    if about.get(1) != _TEXTS:
        return 0
    if max(packed, raw) > _COUNTED:
        return raw
    stream.seek(start)
    data = stream.read(packed)
    codec = _CODECS.get(about.get(4, 0), "unknown")
    try:
        plain = data if codec is None else pyarrow.decompress(data, raw, codec, asbytes=True)
    except (pyarrow.ArrowException, OSError, ValueError, TypeError):
        return raw
    at = most = 0
    while at + 4 <= len(plain):
        (length,) = struct.unpack_from("<I", plain, at)
        most = max(most, min(length, raw))
        at += 4 + length
    return most


class _Heads:
    """The heads of pages, read one after the other."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self._data = b""
        self._begin = 0
        self._alike: deque[tuple[bytes, dict[int, Any]]] = deque(maxlen=_ALIKE)
        self._left = PAGES

    def at(self, start: int) -> tuple[dict[int, Any], int]:
        """The head that begins there, as field → value, and how many bytes it has."""
        self._left -= 1
        if self._left < 0:
            raise BadFile(f"it has more than {PAGES:,} pages.", fix="Write it anew, with pages of more rows.")
        at = start - self._begin
        if not 0 <= at <= len(self._data) - _HEAD:
            small = 0 <= at <= len(self._data)  # the page ended in the window: look at more in one go
            self._look(start, min(2 * max(len(self._data), _HEAD), _WINDOW) if small else _HEAD)
            at = 0
        for known, head in self._alike:
            if self._data.startswith(known, at):
                return head, len(known)
        head, end = self._read(start)
        at = start - self._begin
        self._alike.appendleft((self._data[at:end], head))
        return head, end - at

    def _read(self, start: int) -> tuple[dict[int, Any], int]:
        """The head, and its end in the data."""
        room = _HEAD
        while True:
            reader = _Compact(self._data, start - self._begin)
            try:
                return reader.struct(), reader.at
            except IndexError:
                if self._begin + len(self._data) < start + room or room >= _LONGEST_HEAD:
                    raise ValueError("a page has no head") from None
                room *= 16
                self._look(start, room)

    def _look(self, start: int, room: int) -> None:
        self.stream.seek(start)
        self._data, self._begin = self.stream.read(room), start


class _Compact:
    """Reads Thrift's compact protocol. Runs off the data's end with an IndexError."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._left = _VALUES
        self.at = at

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Field → value."""
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._zigzag()
            found[field] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _NESTED:
            raise ValueError("it is nested too deep")
        self._left -= 1
        if self._left < 0:
            raise ValueError("it says too much of itself")
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return self._skip(8)
        if kind == 8:
            return self._skip(self._varint())
        if kind in (9, 10):
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            kind = head & 15
            return [self._byte() if kind in (1, 2) else self._value(kind, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("a head is broken")

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = self._byte()
        if value < 128:
            return value
        value, shift = value & 127, 7
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a head is broken")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self._data):
            raise IndexError
        return self._data[self.at - count : self.at]
