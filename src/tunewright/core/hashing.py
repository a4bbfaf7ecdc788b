"""Content hashes: one canonical form for values, files and folders. sha256, shown as hex."""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json

SHORT = 12
"""How many hex digits a hash is shown with."""
_MOST = 10_000
"""Files whose hashes are remembered."""
_TICK_NS = 3_000_000_000
"""A tick of the clocks that stamp files, and some more: two seconds on some disks."""
_known: dict[tuple[int, ...], str] = {}


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text. Raises TypeError for what JSON has no form for."""
    return _CANONICAL.encode(value)


def hash_value(value: object) -> str:
    """The sha256 of a value's canonical JSON (pydantic models included)."""
    return hash_text(canonical_json(value))


def hash_plain(value: object) -> str:
    """`hash_value` of lists, tuples, texts and objects whose keys are in order already: in half the time, for many."""
    return hashlib.sha256(plain_json(value)).hexdigest()


def plain_json(value: object) -> bytes:
    """The bytes of `canonical_json` of such values."""
    try:
        return to_json(value)
    except PydanticSerializationError:  # half of a surrogate pair
        return canonical_json(value).encode("utf-8", "surrogatepass")


def hash_text(text: str) -> str:
    """The sha256 of a text's bytes."""
    return digest_text(text).hex()


def digest_text(text: str) -> bytes:
    """The same, as 32 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def hash_file(path: Path) -> str:
    """The sha256 of a file's bytes, read in blocks. It is remembered for as long as nothing was done to the file.

    A young file's is not: the clock that stamps it may be coarse. What is written through a mapping of memory may show late.
    """
    with path.open("rb") as stream:
        facts = os.fstat(stream.fileno())
        touched = max(facts.st_mtime_ns, facts.st_ctime_ns)
        key = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if key in _known:
            return _known[key]
        # what is done to it within one tick of the clock that stamps files would not show
        settled = time.time_ns() - touched > _TICK_NS
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if settled:
            if len(_known) >= _MOST:
                _known.clear()
            _known[key] = digest
        return digest


def hash_files(root: Path, names: Iterable[str]) -> str:
    """The sha256 over (name, file hash) pairs below `root`, in name order."""
    return hash_hashes({name: hash_file(root / name) for name in names})


def hash_hashes(files: Mapping[str, str]) -> str:
    """`hash_files` of files whose hashes are known, by name."""
    return hash_value([[name, files[name]] for name in sorted(files)])


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
