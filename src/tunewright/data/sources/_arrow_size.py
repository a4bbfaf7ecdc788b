"""How much memory the batches of an Arrow stream want, looked up before they take it.

A compressed buffer begins with its length, uncompressed, which the library allocates at once. Where the buffers stand is
told by each message's head, a FlatBuffers table (Arrow's format/Message.fbs has its fields).
"""

import struct
from typing import Any

_DICTIONARY, _BATCH = 2, 3
"""Kinds of messages."""
_BUFFER = struct.Struct("<qq")


def wanted(message: Any) -> tuple[int, int]:
    """The bytes that a message's buffers have, uncompressed, and the rows that it says it holds.

    Raises struct.error where its head is none.
    """
    head = _Table.root(message.metadata.to_pybytes())
    kind, batch = head.byte(1), head.table(2)
    if kind == _DICTIONARY and batch is not None:
        batch = batch.table(1)
    elif kind != _BATCH:
        return 0, 0
    if batch is None:
        return 0, 0
    if batch.table(3) is None:
        return message.body.size, batch.long(0)
    size = 0
    for offset, length in batch.buffers(2):
        if not 0 <= offset <= offset + length <= message.body.size:
            raise struct.error("a buffer reaches beyond its message")
        if length >= 8:
            (said,) = struct.unpack("<q", message.body.slice(offset, 8).to_pybytes())
            size += max(said, length)
    return size, batch.long(0)


class _Table:
    """A table of FlatBuffers: its fields by their numbers."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]

    @classmethod
    def root(cls, data: bytes) -> "_Table":
        """The table that the data begin with."""
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def byte(self, number: int) -> int:
        """A field of one byte, 0 where it is left out."""
        place = self._place(number)
        return int(struct.unpack_from("<B", self._data, place)[0]) if place else 0

    def long(self, number: int) -> int:
        """A field of eight bytes, 0 where it is left out."""
        place = self._place(number)
        return int(struct.unpack_from("<q", self._data, place)[0]) if place else 0

    def table(self, number: int) -> "_Table | None":
        """A field that is a table."""
        place = self._place(number)
        return _Table(self._data, self._target(place)) if place else None

    def buffers(self, number: int) -> list[tuple[int, int]]:
        """A field that lists buffers: (offset, length) of each."""
        place = self._place(number)
        if not place:
            return []
        start = self._target(place)
        (count,) = struct.unpack_from("<I", self._data, start)
        if start + 4 + count * _BUFFER.size > len(self._data):
            raise struct.error("a list reaches beyond its message")
        return [_BUFFER.unpack_from(self._data, start + 4 + at * _BUFFER.size) for at in range(count)]

    def _place(self, number: int) -> int:
        """Where a field stands, 0 where it is left out."""
        (size,) = struct.unpack_from("<H", self._data, self._fields)
        at = 4 + 2 * number
        offset = struct.unpack_from("<H", self._data, self._fields + at)[0] if at < size else 0
        return self._at + offset if offset else 0

    def _target(self, place: int) -> int:
        return place + int(struct.unpack_from("<I", self._data, place)[0])
