"""Freeze: a split written down for good, train.jsonl, dev.jsonl, test.jsonl and dataset.json with their hashes."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tunewright.core.errors import IntegrityError
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.core.hashing import hash_file, hash_hashes
from tunewright.data.examples import from_lines, write_examples
from tunewright.data.parts import PARTS, Part
from tunewright.data.split import Split

INFO = "dataset.json"


class DatasetInfo(BaseModel):
    """What a frozen dataset holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[str, int]
    """Part → rows."""
    files: dict[str, str]
    """File → sha256 of its bytes."""
    hash: str
    """The content hash over all files: the dataset's identity."""


def freeze(split: Split, out: Path) -> DatasetInfo:
    """Write the parts into the folder `out` (made if need be); dataset.json comes last."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {part: write_examples(out / _file(part), getattr(split, part)) for part in PARTS}
    names = [_file(part) for part in PARTS]
    files = {name: hash_file(out / name) for name in names}
    info = DatasetInfo(rows=rows, files=files, hash=hash_hashes(files))
    write_json(out / INFO, info.model_dump(mode="json"))
    return info


def load_info(folder: Path) -> DatasetInfo:
    """What a frozen dataset's dataset.json says. Raises IntegrityError."""
    try:
        return DatasetInfo.model_validate(read_json(folder / INFO))
    except (OSError, ValueError, ValidationError):
        raise IntegrityError(
            "there is no frozen dataset here (dataset.json is absent or broken).", where=str(folder)
        ) from None


def load_part(folder: Path, part: Part) -> list[Example]:
    """The examples of one part, checked against its hash. Raises IntegrityError."""
    path = folder / _file(part)
    info = load_info(folder)
    if not path.is_file() or hash_file(path) != info.files.get(path.name):
        raise IntegrityError(
            "the file is not the one that was frozen (its hash differs, or it is gone).",
            where=str(path),
            fix="Run the split again.",
        )
    return from_lines(path.read_bytes(), str(path))


def places(folder: Path) -> dict[str, str]:
    """Example id → where it came from (file:row), for every part. Raises IntegrityError."""
    return {example.id: example.place for part in PARTS for example in load_part(folder, part)}


def _file(part: Part) -> str:
    return f"{part}.jsonl"
