"""Reference store: the log-probabilities under the base that earlier runs took, for runs that would take the same.

    kept = Kept(folder, [base.hash, *arithmetic(…), *placing(policy, trees, prefix, groups)], trees.rows)
    kept.values or kept.save(measured)

A file is named by the hash of all that its numbers hang on, and of nothing else: another learning rate or loss finds it,
other rows do not. Files are written whole or not at all, and what is torn or was put there by others is no file of ours.
The folder may be deleted at any time.
"""

import os
import platform
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from tunewright.core.files import write_atomic
from tunewright.core.hashing import hash_value
from tunewright.models.machine import has_fast_bf16
from tunewright.train.pack import Row, Tree, digest
from tunewright.train.policy import Policy
from tunewright.train.spec import SettledSpec
from tunewright.train.version import VERSION

_MOST = 64 << 20
"""Bytes that all files may take together: eight million rows. The least lately used go first; the newest one stays."""
_CHECKED = 32
"""Bytes of the checksum at a file's head."""


class Kept:
    """What the store has of one run's reference."""

    def __init__(self, folder: Path, origin: Sequence[Any], rows: int) -> None:
        """`origin` is all that the numbers hang on; `rows` is how many there are."""
        self._key = hash_value(origin)
        self._path = folder / self._key
        self.values = self._read(rows)
        """Summed log-probabilities, row by row in the trees' order; none where they were not taken yet."""

    def save(self, values: Sequence[float]) -> None:
        """Keep them. Where they cannot be, nothing is lost but time: the next run takes them anew."""
        body = array("d", values).tobytes()
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, self._checksum(body) + body)
            _trim(self._path.parent)

    def _read(self, rows: int) -> list[float] | None:
        """The values of a file that is whole, and of this origin."""
        values = array("d")
        size = _CHECKED + rows * values.itemsize
        try:
            if self._path.stat().st_size != size:  # nothing else is opened, however large it is
                return None
            with self._path.open("rb") as stream:
                checksum, body = stream.read(_CHECKED), stream.read(size - _CHECKED)
            if checksum != self._checksum(body):
                return None
            os.utime(self._path)
        except OSError:
            return None
        values.frombytes(body)
        return values.tolist()

    def _checksum(self, body: bytes) -> bytes:
        """Of the values and whose they are: a file under another name is none of ours."""
        return sha256(self._key.encode() + body).digest()


def placing(policy: Policy, trees: Iterable[Tree], prefix: int, groups: Sequence[Sequence[int]]) -> list[Any]:
    """What decides how the rows' numbers round: their tokens and trained spans, and the batches they are read in."""
    return [digest(map(_bare, trees)), prefix, groups, policy.layout, policy.shape]


def arithmetic(spec: SettledSpec, device: torch.device, precision: str, threads: int) -> list[Any]:
    """How this run computes what a base makes of rows: our code, the machine, and what the adapter makes of the layers.

    A plain adapter begins with B = 0, so that its rank, scale and seed add exact zeros. pissa takes the base apart first.
    """
    adapter = spec.adapter
    kind = adapter.kind if adapter.kind in ("pissa", "qlora", "full") else "lora"
    layers: list[Any] = [kind, adapter.sized, adapter.targets, adapter.new_words, spec.compile]
    if kind == "pissa":
        layers += [adapter.rank, adapter.alpha, adapter.scaled_by_root, spec.seed]
    return [VERSION, layers, precision, *_machine(device, threads)]


def _machine(device: torch.device, threads: int) -> list[Any]:
    """What of the machine decides how sums round."""
    if device.type == "cuda":
        return [device.type, torch.cuda.get_device_name(device)]
    instructions = [platform.machine(), torch.backends.cpu.get_cpu_capability(), has_fast_bf16()]
    return [device.type, *instructions, threads]


def _bare(tree: Tree) -> Tree:
    """The tree's tokens and trained spans: names, weights and ratings change no log-probability."""
    return Tree(tuple(Row("", row.ids, row.mask) for row in tree.rows))


def _trim(folder: Path) -> None:
    """Drop what was used least lately until the rest is small enough. Raises OSError."""
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another run trims too
            facts = path.stat()
            found.append((facts.st_mtime_ns, facts.st_size, path))
    used = 0
    for place, (_, size, path) in enumerate(sorted(found, reverse=True)):
        used += size
        if place and used > _MOST:
            path.unlink(missing_ok=True)
