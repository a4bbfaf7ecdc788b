"""Finding the files of a source. Ingest reads what is found here, and the plan hashes the same."""

import glob
import os
from pathlib import Path
from typing import NamedTuple

from tunewright.data.names import did_you_mean
from tunewright.data.rows import BadFile
from tunewright.data.spec import SourceSpec

_FROM_THERE = "Write the path as it is seen from that folder."


class InputFile(NamedTuple):
    """A file to read, and the name it goes by: its path relative to the root."""

    path: Path
    name: str


def source_paths(root: Path, path: str) -> list[Path]:
    """The files that a source's path names, sorted: the file of just that name, or else all that the pattern takes
    (`*`, `?`, `[…]`, `**`). Empty when there is none."""
    plain = root / path
    if plain.is_file():
        return [plain]
    found = {root / match for match in glob.glob(path, root_dir=root, recursive=True)}
    return sorted(file for file in found if file.is_file())


def shown_name(path: Path, root: Path) -> str:
    """A path as we show and store it: relative to the root even where it lies outside, so that a project moved with its
    data makes the same bytes. What is not text in it is spelt out."""
    name = Path(os.path.relpath(path, root)).as_posix()
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def find_files(spec: SourceSpec, root: Path) -> list[InputFile]:
    """The files of a source, as `source_paths` has them, with their names. Raises BadFile when there is none."""
    try:
        return _found(spec, root)
    except OSError as error:
        raise BadFile(f"the path cannot be looked up: {error.strerror}.") from None


def _found(spec: SourceSpec, root: Path) -> list[InputFile]:
    plain = root / spec.path
    if plain.is_dir():
        raise BadFile(
            f"{spec.path!r} is a folder.", fix=f"Name its files: {spec.path.rstrip('/')}/*.csv, say."
        )
    files = [InputFile(path, shown_name(path, root)) for path in source_paths(root, spec.path)]
    if files:
        return files
    if plain.exists():
        raise BadFile(f"{spec.path!r} is no regular file.", fix="Save its rows to a file.")
    if glob.has_magic(spec.path):
        raise BadFile(f"no file matches {spec.path!r} in {root}.", fix=_FROM_THERE)
    beside = os.listdir(plain.parent) if plain.parent.is_dir() else []
    raise BadFile(
        f"there is no file {spec.path!r} in {root}.", fix=did_you_mean(plain.name, beside) or _FROM_THERE
    )
