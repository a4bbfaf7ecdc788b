"""Size: how many weights a base has, read from the heads of its files. Nothing is loaded, and the hub is not asked."""

import json
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import ModelError
from tunewright.core.files import read_json
from tunewright.models.base import folder_at_hand

_WHOLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_OUTSIDE = ("embed", "lm_head")
"""In the names of matrices that four bits leave as they are: embeddings and the head."""
_NF4 = (4 + 8 / 64 + 32 / (64 * 256)) / 8
"""Bytes of a weight in NF4 with double quantization (arXiv:2305.14314, section 3)."""


class BaseSize(NamedTuple):
    """How many weights a base has."""

    weights: int
    linear: int
    """Those of linear layers, the head not counted."""

    def bytes(self, width: int, *, four_bit: bool = False) -> int:
        """What they take with `width` bytes each; with `four_bit` those of linear layers are packed."""
        packed = self.linear if four_bit else 0
        return round(packed * _NF4 + (self.weights - packed) * width)


def size_at_hand(ref: str, root: Path) -> BaseSize | None:
    """The size of the base that `ref` names; None for one on the hub that was never fetched.

    Raises ModelError where there is none, or its files cannot be read.
    """
    folder = folder_at_hand(ref, root)
    if folder is None:
        return None
    try:
        sizes = [(name, shape) for file in _files(folder) for name, shape in _shapes(file)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "Fetch or save the model again."
        raise ModelError(
            f"the weights of {ref} cannot be read ({error})", where=str(folder), fix=fix
        ) from error
    linear = [prod(shape) for name, shape in sizes if len(shape) == 2 and not _outside(name)]
    return BaseSize(sum(prod(shape) for _, shape in sizes), sum(linear))


def _outside(name: str) -> bool:
    return any(part in name for part in _OUTSIDE)


def _files(folder: Path) -> list[Path]:
    """The files that are loaded: one, or those that the index names; a folder may hold the weights twice."""
    if (folder / _WHOLE).is_file():
        return [folder / _WHOLE]
    if (folder / _INDEX).is_file():
        return [folder / name for name in sorted(set(read_json(folder / _INDEX)["weight_map"].values()))]
    return sorted(folder.glob("*.safetensors"))


def _shapes(file: Path) -> Iterator[tuple[str, list[int]]]:
    """Name and shape of each tensor. The file begins with the length of its head, and the head is JSON."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > file.stat().st_size:
            raise ValueError(f"the head of {file.name} is longer than the file")
        head: dict[str, Any] = json.loads(stream.read(length))
    for name, tensor in head.items():
        if name != "__metadata__":
            yield name, tensor["shape"]
