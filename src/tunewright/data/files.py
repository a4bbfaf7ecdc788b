"""Finding the files of a source. Ingest reads what is found here, and the plan hashes the same."""

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tunewright.core.hashing import SHORT, hash_file, hash_value
from tunewright.data.names import did_you_mean
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HubSpec
from tunewright.data.spec import SourceSpec

_INSIDE = re.compile(r"\.zip/", re.IGNORECASE)
_OF_DATA_SETS = ("README.md", "dataset_dict.json", "state.json")
"""What lies in folders that are laid out as the hub's data sets are."""
_FROM_THERE = "Write the path as it is seen from that folder."


class InputFile(NamedTuple):
    """A file to read, and the name it goes by: its path relative to the root. An entry of a zip archive is one file, whose
    path goes on into the archive."""

    path: Path
    name: str
    warning: str | None = None
    """What is to be said of it, in a sentence."""


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
    """The files of a source, as `source_paths` has them, with their names. Raises BadFile when there is none.

    A query is one, by the name of its database; its path is the root.
    """
    if spec.sql is not None:
        from tunewright.data.sources.sql import database_name

        return [InputFile(root, database_name(spec.sql))]
    try:
        return _found(spec, root)
    except OSError as error:
        raise BadFile(f"the path cannot be looked up: {error.strerror}.") from None


def contents(spec: SourceSpec, root: Path) -> dict[str, str]:
    """What a source holds now, whatever it is: name → content hash. Raises BadFile, OSError.

    A query is asked, and its rows are hashed: nothing else tells whether they have changed.
    """
    if spec.sql is not None:
        from tunewright.data.sources.sql import database_name, hash_rows

        asked = hash_value([spec.sql.query, spec.sql.url, spec.sql.url_env])[
            :SHORT
        ]  # another user may see others
        name = f"{database_name(spec.sql)} (the rows of query {asked}, in their order)"
        return {name: hash_rows(root, spec.sql)}
    if spec.on_hub or spec.hub is not None:
        found = _hub_contents(spec, spec.hub or HubSpec(), root)
    else:
        found = {shown_name(path, root): hash_file(path) for path in source_paths(root, spec.path)}
    if spec.speech is not None:
        from tunewright.data.sources.audio import model_hash

        found[f"speech model {spec.speech.model}"] = model_hash(spec.speech, root)
    return found


def named_contents(names: Iterable[str], root: Path) -> dict[str, str]:
    """What these paths hold, files or data sets on the hub: name → content hash. Raises BadFile, OSError."""
    found: dict[str, str] = {}
    for name in names:
        found |= contents(SourceSpec(path=name), root)
    return dict(sorted(found.items()))


def _hub_contents(spec: SourceSpec, hub: HubSpec, root: Path) -> dict[str, str]:
    """A data set on the hub is known by its commit, a folder laid out as one by its files and its card."""
    from tunewright.data.sources._hub import CARD, folder_files, hub_content

    if spec.on_hub:
        return {f"{spec.path}@{hub.revision}": hub_content(spec.path, hub)}
    folder = root / spec.path
    paths = source_paths(root, spec.path)
    if folder.is_dir():
        card = [folder / CARD] if (folder / CARD).is_file() else []
        paths = card + folder_files(folder, hub, repr(spec.path)).paths
    return {shown_name(path, root): hash_file(path) for path in paths}


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


def _at_hub(spec: SourceSpec, hub: HubSpec, root: Path) -> list[InputFile]:
    from tunewright.data.sources._hub import folder_files, hub_files

    if not spec.on_hub:
        here = folder_files(root / spec.path, hub, repr(spec.path)).paths
        return [InputFile(path, shown_name(path, root)) for path in here]
    there = hub_files(spec.path, hub)
    repo = "/".join(spec.path.split("/")[:2])
    names = (f"{repo}/{name}" for name in there.names)
    return [InputFile(path, name, there.older) for path, name in zip(there.paths, names, strict=True)]


def _found(spec: SourceSpec, root: Path) -> list[InputFile]:
    plain = root / spec.path
    if spec.on_hub or (spec.hub is not None and plain.is_dir()):
        return _at_hub(spec, spec.hub or HubSpec(), root)
    if plain.is_dir():
        named = f"Name its files: {spec.path.rstrip('/')}/*.csv, say"
        laid_out = any((plain / name).is_file() for name in _OF_DATA_SETS)
        other = ", or set hub: {split: train}: it looks like a data set of the hub" if laid_out else ""
        raise BadFile(f"{spec.path!r} is a folder.", fix=f"{named}{other}.")
    if spec.hub is not None:
        raise BadFile(
            f"{spec.path!r} is no data set in the hub's layout.", fix="Leave out hub: for this source."
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
