"""Finding the files of a source. Ingest reads what is found here, and the plan hashes the same."""

import glob
import os
import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tunewright.data.names import did_you_mean
from tunewright.data.rows import BadFile
from tunewright.data.spec import SourceSpec

_INSIDE = re.compile(r"\.zip/", re.IGNORECASE)
_FROM_THERE = "Write the path as it is seen from that folder."


class InputFile(NamedTuple):
    """A file to read, and the name it goes by: its path relative to the root. An entry of a zip archive is one file, whose
    path goes on into the archive."""

    path: Path
    name: str


def source_paths(root: Path, path: str) -> list[Path]:
    """The files that a source's path names, sorted: the file of just that name, or else all that the pattern takes
    (`*`, `?`, `[…]`, `**`). Of a path that goes on into a zip archive, the archives. Empty when there is none."""
    plain = root / path
    if plain.is_file():
        return [plain]
    path, _ = _into_archive(root, path)
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


def _into_archive(root: Path, path: str) -> tuple[str, str | None]:
    """The part of a path that names zip archives, and what it says of their entries: None where it ends with them."""
    inside = _INSIDE.search(path)
    if not inside or (root / path).exists():
        return path, None
    return path[: inside.end() - 1], path[inside.end() :]


def _files_of(path: Path, root: Path, spec: SourceSpec) -> list[InputFile]:
    """The file itself, or the entries of a zip archive that are asked for."""
    from tunewright.data.sources import ARCHIVES
    from tunewright.data.sources._unpack import entries

    name = shown_name(path, root)
    if path.suffix.lower() != ".zip" or spec.format in ARCHIVES:
        return [InputFile(path, name)]
    _, pattern = _into_archive(root, spec.path)
    try:
        found = entries(path, pattern)
    except BadFile as bad:
        raise BadFile(f"{name}: {bad.message}", fix=bad.fix) from None
    if not found:
        what = f"matches {pattern!r}" if pattern else "is a file"
        raise BadFile(f"{name}: no entry of the archive {what}.", fix="List them: unzip -l.")
    return [InputFile(path / entry, f"{name}/{PurePosixPath(entry)}") for entry in found]


def _found(spec: SourceSpec, root: Path) -> list[InputFile]:
    plain = root / spec.path
    if plain.is_dir():
        raise BadFile(
            f"{spec.path!r} is a folder.", fix=f"Name its files: {spec.path.rstrip('/')}/*.csv, say."
        )
    files = [file for path in source_paths(root, spec.path) for file in _files_of(path, root, spec)]
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
