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
_CARD = "README.md"
_OF_DATA_SETS = ("dataset_dict.json", "state.json")
"""What lies in folders that are laid out as the hub's data sets are."""
_HEAD = 100_000
"""Bytes at a README's head in which a data set's card says what it is."""
_MOST = 100_000
"""Files below a folder that are looked through."""
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


def _below(folder: Path) -> list[Path]:
    """The files below a folder, hidden ones (.DS_Store, .git) left out; of very many the first that are found."""
    found = list[Path]()
    for place, folders, names in os.walk(folder, onerror=_not_listed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if linked := next((name for name in folders if Path(place, name).is_symlink()), None):
            raise BadFile(
                f"{linked!r} in the folder {place} is a link to another folder.",
                fix="Name the files, or copy it.",
            )
        found += [Path(place, name) for name in names if not name.startswith(".")]
        if len(found) > _MOST:
            break
    return sorted(path for path in found if path.is_file())


def _not_listed(error: OSError) -> None:
    raise BadFile(f"the folder {error.filename} cannot be listed: {error.strerror}.") from None


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
        plain = root / spec.path
        folder = [file.path for file in _in_folder(plain, spec, root)] if plain.is_dir() else None
        paths = source_paths(root, spec.path) if folder is None else folder
        found = {shown_name(path, root): hash_file(path) for path in paths}
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
        return _in_folder(plain, spec, root)
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


def _in_folder(folder: Path, spec: SourceSpec, root: Path) -> list[InputFile]:
    """The files below a plain folder. Raises BadFile where they are not surely of one form."""
    paths = _below(folder)
    laid_out = any((folder / name).is_file() for name in _OF_DATA_SETS) or _has_card(folder, paths, spec)
    why = "that is laid out as a data set of the hub" if laid_out else _not_one_form(paths, folder, spec)
    if why is None:
        return [InputFile(path, shown_name(path, root)) for path in paths]
    ending = next((path.suffix for path in paths if path.suffix and path.name != _CARD), ".csv")
    named = f"Name its files: {spec.path.rstrip('/')}/*{ending}, say"
    other = ", or set hub: {split: train}" if laid_out else ""
    raise BadFile(f"{spec.path!r} is a folder {why}.", fix=f"{named}{other}.")


def _has_card(folder: Path, paths: list[Path], spec: SourceSpec) -> bool:
    """Whether a README is a data set's card: it says what the files are, or stands beside files that are no documents."""
    from tunewright.data.sources import format_of_ending
    from tunewright.data.sources._documents import DOCUMENTS

    card = folder / _CARD
    if not card.is_file() or spec.format != "auto":
        return False
    with card.open("rb") as stream:
        head = stream.read(_HEAD)
    says = head.startswith(b"---") and any(key in head for key in (b"\nconfigs:", b"\ndataset_info:"))
    return says or any(format_of_ending(path) not in DOCUMENTS for path in paths)


def _not_one_form(paths: list[Path], folder: Path, spec: SourceSpec) -> str | None:
    """What speaks against reading a folder's files as one source; texts and pages of several formats are documents all."""
    from tunewright.data.sources import format_of_ending
    from tunewright.data.sources._documents import DOCUMENTS

    if not paths:
        return "without files"
    if len(paths) > _MOST:
        return f"of more than {_MOST:,} files"
    if spec.format != "auto":
        return None
    forms = dict[str, Path]()
    for path in paths:
        form = format_of_ending(path)
        if form is None:
            return f"with {shown_name(path, folder)}, whose ending does not tell its format"
        forms.setdefault("documents" if form in DOCUMENTS else form, path)
    if len(forms) > 1:
        some = " and ".join(shown_name(path, folder) for path in list(forms.values())[:2])
        return f"of several formats ({some})"
    return None
