"""The state of a run in two files, written over in turn: one of them is whole, whenever the process is killed.

    slots = Slots(folder)
    slots.write({"parameters": tensors}, {"step": 12})
    slots.read()        the tensors, several as one vector, and the facts of the newest file that is whole

Writing a file anew costs the system nine times as much as writing over it, which needs no new pages. So the older file is
written over: its first eight bytes, without which safetensors cannot read it, go first and come back last. A checksum tells
a file that a power cut has left torn.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

_NAMES = ("state-a.safetensors", "state-b.safetensors")
_TYPES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
    torch.uint8: "U8", torch.int8: "I8", torch.int32: "I32", torch.int64: "I64",
}  # fmt: skip
"""safetensors' names of types."""
_LENGTH = 8
"""Bytes at the head of a file that say how long its header is."""

Vectors = Mapping[str, Sequence[Tensor]]
"""Tensors by name: one, or several that are kept one after another as a vector."""


class Slots:
    """The two files. One run writes to them at a time."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / name for name in _NAMES]
        self._turn: int | None = None

    def clear(self) -> None:
        """Forget what is there."""
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._turn = None

    def write(self, vectors: Vectors, facts: Mapping[str, Any]) -> None:
        """Write over the older file, or the one that is torn. Raises OSError; then the other one stands."""
        if self._turn is None:
            self._turn = 0
            self.read()
        turn = self._turn + 1
        names = sorted(vectors, key=lambda name: (-vectors[name][0].element_size(), name))  # none lies askew
        parts = {name: [*map(_bytes, vectors[name])] for name in names}
        known: dict[str, Any] = {"facts": json.dumps(facts), "turn": str(turn)}
        known["checksum"] = str(
            _checksum(known["facts"], (part for name in sorted(parts) for part in parts[name]))
        )
        path = self._paths[turn % 2]
        try:
            with path.open("r+b" if path.exists() else "w+b") as stream:
                _lay(stream, _header(vectors, parts, known), chain.from_iterable(parts.values()))
        except OSError:
            path.unlink(missing_ok=True)  # unreadable as it is, and a full disk has room to say so
            raise
        self._turn = turn

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest file's vectors and facts, or none where neither is whole."""
        for turn, path in sorted(((_turn(path), path) for path in self._paths), reverse=True):
            if (found := _read(path)) is not None:
                self._turn = turn  # the other one is written over next, though it be newer: it is torn
                return found
        return None


def _bytes(tensor: Tensor) -> memoryview:
    """A tensor's bytes, on the CPU."""
    flat = tensor.detach().to("cpu").contiguous().flatten()
    return flat.view(torch.uint8).numpy().data


def _header(vectors: Vectors, parts: Mapping[str, Sequence[memoryview]], known: Mapping[str, str]) -> bytes:
    """safetensors' header, its length before it."""
    told: dict[str, Any] = {"__metadata__": known}
    end = 0
    for name, own in parts.items():
        begin, end = end, end + sum(map(len, own))
        tensors = vectors[name]
        several = [sum(tensor.numel() for tensor in tensors)]
        shape = [*tensors[0].shape] if len(tensors) == 1 else several
        told[name] = {"dtype": _TYPES[tensors[0].dtype], "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(told).encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text


def _lay(stream: BinaryIO, header: bytes, parts: Iterator[memoryview]) -> None:
    """Write a file over, so that it is unreadable until all of it is there."""
    stream.write(bytes(_LENGTH))
    stream.flush()
    stream.write(header[_LENGTH:])
    for part in parts:
        stream.write(part)
    stream.truncate()
    stream.flush()
    _seal(stream, header[:_LENGTH])


def _seal(stream: BinaryIO, length: bytes) -> None:
    """Make a file readable."""
    stream.seek(0)
    stream.write(length)


def _checksum(facts: str, parts: Iterator[memoryview]) -> int:
    found = zlib.crc32(facts.encode())
    for part in parts:
        found = zlib.crc32(part, found)
    return found


def _turn(path: Path) -> int:
    """The number of the write that a file comes from; 0 where it is missing or torn."""
    try:
        with safe_open(path, framework="pt") as stored:
            return int(stored.metadata()["turn"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return 0


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """A file's vectors and facts, or none where it is missing or torn."""
    try:
        with safe_open(path, framework="pt") as stored:
            known = stored.metadata()
            tensors = {name: stored.get_tensor(name).clone() for name in sorted(stored.keys())}
        whole = _checksum(known["facts"], map(_bytes, tensors.values())) == int(known["checksum"])
        return (tensors, json.loads(known["facts"])) if whole else None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
