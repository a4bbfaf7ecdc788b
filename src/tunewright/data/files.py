"""Finding the files of a source."""

import glob
import os
from pathlib import Path
from typing import NamedTuple

from tunewright.data.names import did_you_mean
from tunewright.data.rows import BadFile
from tunewright.data.spec import SourceSpec


class InputFile(NamedTuple):
    """A file to read, and the name it goes by: relative to the root where it lies within."""

    path: Path
    name: str


def find_files(spec: SourceSpec, root: Path) -> list[InputFile]:
    """The files of a source, sorted by name; a pattern (`*`, `?`, `[…]`, `**`) takes several. Raises BadFile."""
    plain = root / spec.path
    if plain.is_dir():
        raise BadFile(
            f"{spec.path!r} is a folder.", fix=f"Name its files: {spec.path.rstrip('/')}/*.csv, say."
        )
    if plain.exists():
        return [InputFile(plain, _name(plain, root))]
    found = [root / match for match in glob.glob(spec.path, root_dir=root, recursive=True)]
    files = sorted(InputFile(path, _name(path, root)) for path in found if path.is_file())
    if files:
        return files
    if glob.has_magic(spec.path):
        raise BadFile(f"no file matches {spec.path!r} in {root}.")
    beside = os.listdir(plain.parent) if plain.parent.is_dir() else []
    raise BadFile(f"there is no file {spec.path!r} in {root}.", fix=did_you_mean(plain.name, beside))


def _name(path: Path, root: Path) -> str:
    absolute, top = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    name = absolute.relative_to(top) if absolute.is_relative_to(top) else absolute
    return os.fsencode(name.as_posix()).decode("utf-8", "backslashreplace")
