"""Content hashes: one canonical form for values, files and folders. sha256, shown as hex."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json

SHORT = 12
"""How many hex digits a hash is shown with."""


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text. Raises TypeError for what JSON has no form for."""
    return _CANONICAL.encode(value)


def hash_value(value: object) -> str:
    """The sha256 of a value's canonical JSON (pydantic models included)."""
    return hash_text(canonical_json(value))


def hash_plain(value: object) -> str:
    """`hash_value` of lists, tuples, texts and objects whose keys are in order already: in half the time, for many."""
    try:
        return hashlib.sha256(to_json(value)).hexdigest()
    except PydanticSerializationError:  # half of a surrogate pair
        return hash_value(value)


def hash_text(text: str) -> str:
    """The sha256 of a text's bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def hash_file(path: Path) -> str:
    """The sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_files(root: Path, names: Iterable[str]) -> str:
    """The sha256 over (name, file hash) pairs below `root`, in name order."""
    return hash_value([[name, hash_file(root / name)] for name in sorted(names)])


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
