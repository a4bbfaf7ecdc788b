"""Where a config's data lie, as the project file will name them: a file, a folder, or a data set of the hub."""

import glob
import json
import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.data.files import find_files as files_of
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HUB
from tunewright.data.sources import ENDINGS
from tunewright.data.spec import SourceSpec
from tunewright.project.importing.naming import slug
from tunewright.project.importing.part import ALL, Part

ABOVE = 4
"""Folders above a config in which what it names is looked for."""
_OTHER_ENDINGS = (".txt", ".arrow", ".gz", ".zip", ".zst")
_PACKAGED = ("json", "csv", "parquet", "arrow", "text")
"""Paths of `datasets` that say how the data files are read, and not where they lie."""
_ON_HUB = re.compile(r"(?:hf://datasets/|hub:)?([\w-][\w.-]*/[\w-][\w.-]*)")
_LONGEST_LINE = 2**20
"""Bytes of a line that is looked at."""
_MOST_FILES = 10_000
"""Files and folders that are looked at for a pattern: a stranger's may ask for a whole disk."""


class Place(NamedTuple):
    """Where a config stands, and where the project will."""

    config: Path
    folder: Path
    """The project's folder."""
    dataset_info: Path | None = None
    """LLaMA-Factory's dataset_info.json, where it was named."""

    @property
    def roots(self) -> list[Path]:
        """Where relative paths of the config may begin: here, at the config, and above it."""
        return list(dict.fromkeys((Path.cwd(), *self.config.resolve().parents[: ABOVE + 1])))


class Data(NamedTuple):
    """A data set as a source of the project file, and what is to be done where its rows are not there."""

    source: dict[str, Any]
    """`path`, and `hub` for a data set of the hub or a folder laid out as one, `format` where the ending misleads."""
    note: str
    file: Path | None
    """A file of its rows, where it is there and can be looked at."""


def find_data(name: str, place: Place, part: Part = ALL) -> Data:
    """A data set's path, whether the config names a file, a folder or a set on a hub. Nothing is fetched."""
    for folder in place.roots:
        found = folder / name
        if _is_there(found):
            path = Path(os.path.relpath(found, place.folder.resolve())).as_posix()
            return _folder(found, path, part) if found.is_dir() else _file(found, path)
    if found_by_pattern := _by_pattern(name, place):
        return found_by_pattern
    if _is_local(name):
        return _missing(place.config.resolve().parent / name, name, place)
    return _on_a_hub(name, part)


def _missing(there: Path, name: str, place: Place) -> Data:
    """A file that is to come: an absolute name stays one."""
    path = name if os.path.isabs(name) else os.path.relpath(there, place.folder.resolve())
    return Data({"path": Path(path).as_posix()}, "there is no such file yet", None)


def _by_pattern(name: str, place: Place) -> Data | None:
    """The files here that a pattern takes, if there are some."""
    if not glob.has_magic(name) or "://" in name:
        return None
    base = name[: name.index(next(filter(glob.has_magic, name)))]  # before its first sign
    roots = place.roots if os.path.dirname(base) else place.roots[:2]  # what is above may be all of a disk
    for root in roots:
        if files := _matches(name, root):
            path = Path(os.path.relpath(root / name, place.folder.resolve())).as_posix()
            return _file(files[0], path)
    return None


def _matches(pattern: str, root: Path) -> list[Path]:
    """Files that a pattern takes below a root, those first whose ending is known."""
    parts = pattern.split("/")
    fixed = list(takewhile(lambda part: not glob.has_magic(part), parts))
    one_folder = len(fixed) == len(parts) - 1 and parts[-1] != "**"
    wide = (
        pattern if one_folder else "/".join([*fixed, "**"])
    )  # takes all there is, so that its end can be set
    try:
        seen = list(islice(glob.iglob(wide, root_dir=root, recursive=True), _MOST_FILES))
        found = [root / each for each in seen if one_folder or _takes(parts, each.split("/"))]
        files = [path for path in found if path.is_file()]
    except (OSError, ValueError, re.error):
        return []
    return sorted(files, key=lambda path: (path.suffix.lower() not in ENDINGS, path))


def _takes(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a pattern's parts take those of a path."""
    if not pattern or not path:
        return not path and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return _takes(pattern[1:], path) or _takes(pattern, path[1:])
    return fnmatchcase(path[0], pattern[0]) and _takes(pattern[1:], path[1:])


def find_files(path: str, name: str, place: Place, part: Part = ALL) -> Data:
    """A file of a data set: by itself, in the set's folder, or of a set on the hub."""
    if path in _PACKAGED or "://" in name:
        return find_data(name, place)
    here = next((root / path for root in place.roots if _is_folder(root / path)), None)
    tried = [name, f"{path}/{name}"]
    if glob.has_magic(name):  # the folder's own come first; a hub's have no folder here
        tried = tried[::-1] if here is not None else []
    for each in tried:
        if (data := find_data(each, place)).file is not None:
            return data
    if here is not None:
        return _missing(here / name, f"{path}/{name}", place)
    if path.startswith((".", "/", "~")):
        return find_data(f"{path}/{name}", place)
    return _on_a_hub(path, Part(revision=part.revision), f"/{name}")


def find_base(name: str, place: Place) -> str:
    """A base's name for the project file: a hub's as it is, a folder's as it is named from the project."""
    found = next((folder / name for folder in place.roots if _is_folder(folder / name)), None)
    if found is None:
        return name
    path = Path(os.path.relpath(found, place.folder.resolve())).as_posix()
    return path if path.startswith(("..", "/")) else f"./{path}"


def _folder(found: Path, path: str, part: Part) -> Data:
    """A folder, which both tools read as the hub's data sets are laid out."""
    hub = {"split": "train", **part._replace(revision="").hub}
    spec = SourceSpec.model_validate({"path": found.name, "hub": hub})
    try:
        first = files_of(spec, found.parent)[0].path
    except BadFile as bad:
        return Data({"path": path, "hub": hub}, f"it cannot be read yet: {bad.message}", None)
    return Data({"path": path, "hub": hub}, "", first)


def _file(found: Path, path: str) -> Data:
    if not found.is_file():
        return Data({"path": path}, "it is no file", None)
    lines = {"format": "jsonl"} if found.suffix.lower() == ".json" and _holds_lines(found) else {}
    return Data({"path": path, **lines}, "", found)


def _holds_lines(path: Path) -> bool:
    """Whether a .json file holds one object a line, as both tools read it, too."""
    try:
        with path.open("rb") as stream:
            first = stream.readline(_LONGEST_LINE)
        return isinstance(json.loads(first), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _on_a_hub(name: str, part: Part, files: str = "") -> Data:
    """A data set of the hub, or files of one; what lies elsewhere is to be saved by hand."""
    if found := _ON_HUB.fullmatch(name):
        path = f"{HUB}{found[1]}{files}"
        return Data({"path": path, "hub": part.hub} if part.hub else {"path": path}, "", None)
    bare = re.fullmatch(r"[\w.-]+", name) is not None and not files
    return by_hand(name + files, f"; or name its owner on the hub: {HUB}owner/{name}" if bare else "")


def by_hand(name: str, more: str = "") -> Data:
    """A data set that is read from nowhere."""
    path = f"data/{slug(name)}.jsonl"
    return Data({"path": path}, f"save the rows of {name} as {path}, one JSON object a line{more}", None)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_local(name: str) -> bool:
    suffix = Path(name).suffix.lower()
    return "://" not in name and (name.startswith((".", "/", "~")) or suffix in (*ENDINGS, *_OTHER_ENDINGS))
