"""Files of a data set on the hub, fetched within bounds: the hub says how large they are before any is.

What it does not say, or says wrongly, is counted as it comes.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from inspect import signature
from pathlib import Path, PurePosixPath
from typing import Any

from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.sources._hub_commit import Commit, Unreachable, told

FETCHED = 2**35
"""The most bytes that are fetched of a source."""
_AT_ONCE = 500
"""Files whose sizes are asked for in one call."""
_FIX = "Name fewer of its files (hub:owner/name/data/*-00000-*), or fetch them yourself and give the folder."


def fetched(repo: str, at: Commit, names: Sequence[str]) -> list[Path]:
    """The files of a commit on this machine, in this order. Raises BadFile."""
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BadFile(f"the data set {repo} has a file that leads out of it ({shown(name)}).")
    here = {name: _at_hand(repo, at, name) for name in names}
    missing = [name for name, path in here.items() if path is None]
    if missing:
        _check_size(repo, at, missing)
    room = FETCHED
    for name in missing:
        path = _downloaded(repo, at, name, room)
        room -= path.stat().st_size
        if room < 0:
            raise _too_much(repo)
        here[name] = path
    return [there for name in names if (there := here[name]) is not None]


def _about(at: Commit) -> dict[str, Any]:
    return {"repo_type": "dataset", "revision": at.commit}


def _at_hand(repo: str, at: Commit, name: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    with suppress(EntryNotFoundError):  # which says that it is not at hand, too
        return Path(hf_hub_download(repo, name, local_files_only=True, **_about(at)))
    return None


def _check_size(repo: str, at: Commit, names: Sequence[str]) -> None:
    """Raises BadFile where the files are larger than what is fetched, or than the disk has room for."""
    from huggingface_hub.constants import HF_HUB_CACHE

    with _or_could_not(repo, names[0]):
        size = sum(_sizes(repo, at, names))
    what = names[0] if len(names) == 1 else f"{len(names):,} files"
    found = f"{shown(what)} of the data set {repo} {'has' if len(names) == 1 else 'have'} {size:,} bytes"
    if size > FETCHED:
        raise BadFile(f"{found}, and up to {FETCHED:,} are fetched.", fix=_FIX)
    there = next(folder for folder in (Path(HF_HUB_CACHE), *Path(HF_HUB_CACHE).parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise BadFile(
            f"{found}, and the disk of the hub's cache has {free:,} free.", fix="Make room, or set HF_HOME."
        )


def _sizes(repo: str, at: Commit, names: Sequence[str]) -> Iterator[int]:
    """The bytes of each file, as the hub says: by its list, or, of one that gives no lists, file by file."""
    from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.hf_api import RepoFile

    for start in range(0, len(names), _AT_ONCE):
        some = list(names[start : start + _AT_ONCE])
        try:
            found = HfApi().get_paths_info(repo, some, **_about(at))
        except HfHubHTTPError:
            found = []
        told_of = {file.path: file.size for file in found if isinstance(file, RepoFile)}
        for name in some:
            size = told_of.get(name)
            if size is None:
                size = get_hf_file_metadata(hf_hub_url(repo, name, **_about(at))).size
            yield size or 0


def _downloaded(repo: str, at: Commit, name: str, room: int) -> Path:
    """The file, fetched; the client's progress bar ends what has more bytes than there is room for."""
    from huggingface_hub import hf_hub_download

    counted: dict[str, Any] = {}
    if (
        "tqdm_class" in signature(hf_hub_download).parameters
    ):  # older clients take none: see the size afterwards
        counted["tqdm_class"] = _bar(repo, room)
    try:
        with _or_could_not(repo, name):
            return Path(hf_hub_download(repo, name, **counted, **_about(at)))
    except _TooMuch:
        with suppress(Exception):  # what is refused is refused, whatever is left of it
            _forget(repo, at, name)
        raise


def _forget(repo: str, at: Commit, name: str) -> None:
    """Take away the part of a file that came: older clients keep it, to go on with."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.file_download import repo_folder_name

    etag = get_hf_file_metadata(hf_hub_url(repo, name, **_about(at))).etag
    if etag and PurePosixPath(etag).name == etag:
        folder = Path(HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="dataset") / "blobs"
        (folder / f"{etag}.incomplete").unlink(missing_ok=True)


def _bar(repo: str, room: int) -> type:
    from huggingface_hub.utils import tqdm

    class Counting(tqdm):
        """Knows how many bytes came, shown or not."""

        def __init__(self, *args: Any, initial: float | None = 0, **more: Any) -> None:
            """`initial` bytes are here already, from a time before."""
            self.came = int(initial or 0)
            super().__init__(*args, initial=initial or 0, **more)

        def update(self, n: float | None = 1) -> bool | None:
            """Some bytes came. Raises BadFile where they are too many."""
            self.came += int(n or 0)
            if self.came > room:
                raise _too_much(repo)
            return super().update(n)

    return Counting


class _TooMuch(BadFile):
    """More came than is fetched."""


def _too_much(repo: str) -> _TooMuch:
    found = f"the files of the data set {repo} have more than {FETCHED:,} bytes"
    return _TooMuch(f"{found}, and no more are fetched.", fix=_FIX)


@contextmanager
def _or_could_not(repo: str, name: str) -> Iterator[None]:
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        with told(repo):
            yield
    except (Unreachable, RepositoryNotFoundError, RevisionNotFoundError) as why:
        said = str(why) if isinstance(why, Unreachable) else type(why).__name__
        raise BadFile(
            f"{shown(name)} of the data set {repo} could not be fetched ({said}).",
            fix="Go online, and ask again: what is there already is kept.",
        ) from None
