"""`init`: a project folder from a starter and the user's data."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunewright.core.errors import UserError
from tunewright.core.files import write_atomic
from tunewright.project.file import FILE_NAME
from tunewright.project.starters import find_starter
from tunewright.project.writing import to_yaml


def init(folder: Path, starter: str, data: Path | None) -> Path:
    """Write `folder`/tunewright.yaml; returns its path. Nothing is written when something is wrong.

    Raises UserError for an unknown starter, a missing data file, or a folder that is a project already.
    """
    target = folder / FILE_NAME
    if target.exists():
        raise UserError("there is a project here already", where=str(target), fix="Choose another name.")
    if data is not None and not data.is_file():
        raise UserError("there is no such data file", where=str(data))
    start: Callable[..., dict[str, Any]] = find_starter(starter)
    values = start(folder.resolve().name, data, columns_of(data) if data else None)
    if data is not None:
        for source in values["sources"].values():
            source["path"] = Path(os.path.relpath(data.resolve(), folder.resolve())).as_posix()
    text = to_yaml(values)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(target, text)
    return target


def columns_of(data: Path) -> list[str] | None:
    """The column names of a table's file, or none where its form has none to show (a chat file, an unknown ending)."""
    ending = data.suffix.lower()
    if ending in (".csv", ".tsv"):
        with data.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            return next(csv.reader(stream, delimiter="\t" if ending == ".tsv" else ","), None)
    if ending == ".parquet":
        import pyarrow.parquet

        return list(pyarrow.parquet.read_schema(data).names)
    if ending in (".jsonl", ".ndjson"):
        with data.open(encoding="utf-8-sig", errors="replace") as stream:
            return _keys(stream.readline())
    return None


def _keys(line: str) -> list[str] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return list(row) if isinstance(row, dict) else None
