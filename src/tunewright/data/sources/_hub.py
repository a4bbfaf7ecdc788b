"""Data sets on the Hugging Face hub, and folders laid out as one: which files are read, and where they lie.

    hub:owner/name            the split that `hub:` says, by the data set's layout (_layout.py)
    hub:owner/name/data/*.csv the files of the data set that a pattern takes

A branch or a tag is looked up on the hub, or, where that cannot be reached, is what was fetched last: the commit that it
stands for is what the source's content goes by. Only files of rows are fetched, and no code is run.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote

from tunewright.core.hashing import hash_value
from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HUB, HubSpec
from tunewright.data.sources._layout import CARD, matching, split_files

CARD_BYTES = 2 * 2**20
"""The most bytes of the settings at the head of a data set's card."""
FILES = 100_000
"""The most files of a folder that is looked through."""
_FRESH = 60.0
"""Seconds for which what a branch stands for is not asked again."""
_ID = re.compile(r"hub:([\w.-]+/[\w.-]+)(?:/(.+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)", re.DOTALL)
_CONFIGS = re.compile(r"^configs:.*(?:\n(?:[ \t#\]}-].*)?)*", re.MULTILINE)
"""A setting and all lines below it that are indented, or a list's."""
_known: dict[tuple[str, str], tuple[float, "_Commit"]] = {}


class HubFiles(NamedTuple):
    """The files of a data set that hold the rows, and what they are the content of."""

    paths: list[Path]
    names: list[str]
    """In the data set."""
    commit: str | None
    """None for a folder."""


class _Commit(NamedTuple):
    commit: str
    names: list[str]
    whole: bool
    """Whether these are all names that the commit has, not just those that were fetched."""


def folder_files(folder: Path, spec: HubSpec, what: str) -> HubFiles:
    """The files of a folder in the hub's layout. Raises BadFile, OSError."""
    names = []
    for path in folder.rglob("*"):
        if path.is_file():
            names.append(path.relative_to(folder).as_posix())
        if len(names) > FILES:
            raise BadFile(f"{what} holds more than {FILES:,} files.", fix="Name its files by a pattern.")
    card = _card(folder / CARD, what) if CARD in names else {}
    found = split_files(names, card, spec, what)
    return HubFiles([folder / name for name in found], found, None)


def hub_files(path: str, spec: HubSpec) -> HubFiles:
    """The files of a data set on the hub, fetched where they are not at hand. Raises BadFile, OSError."""
    asked = _ID.fullmatch(path)
    if asked is None:
        raise BadFile(f"{path!r} names no data set on the hub.", fix="Write hub:owner/name.")
    repo, pattern = asked[1], asked[2]
    what = f"{HUB}{repo}"
    at = _commit(repo, spec)
    if pattern is not None:
        if stray := {"config", "split"} & spec.model_fields_set:
            raise BadFile(
                f"{path!r} names files by a pattern, and hub: names a {min(stray)}.",
                fix="Leave one of them out.",
            )
        found = matching(at.names, pattern)
        if not found:
            raise BadFile(
                f"no file of {what} matches {pattern!r}.", fix=f"See huggingface.co/datasets/{repo}."
            )
    else:
        card = _card(_fetched(repo, at, CARD), what) if CARD in at.names else {}
        found = split_files(at.names, card, spec, what)
    return HubFiles([_fetched(repo, at, name) for name in found], found, at.commit)


def hub_content(path: str, spec: HubSpec) -> str:
    """What a data set on the hub is known by: the commit that its revision stands for. Raises BadFile.

    Without a network, of a commit that another program fetched, its files that are there are part of it: it may lack some.
    """
    asked = _ID.fullmatch(path)
    if asked is None:
        raise BadFile(f"{path!r} names no data set on the hub.", fix="Write hub:owner/name.")
    at = _commit(asked[1], spec)
    return at.commit if at.whole else f"{at.commit} {hash_value(at.names)}"


def _commit(repo: str, spec: HubSpec) -> _Commit:
    """What a revision stands for: as the hub says, or, where it cannot be reached, as it said last."""
    key = (repo, spec.revision)
    if key in _known and (spec.pinned or time.monotonic() - _known[key][0] < _FRESH):
        return _known[key][1]
    kept = _kept(repo, spec.revision) if spec.pinned else None
    found = kept if kept is not None and kept.whole else _asked(repo, spec.revision)
    _known[key] = (time.monotonic(), found)
    return found


def _asked(repo: str, revision: str) -> _Commit:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        with _told(repo):
            info = HfApi().dataset_info(repo, revision=revision, timeout=30)
    except RevisionNotFoundError:
        raise BadFile(
            f"the data set {repo} has no revision {shown(revision)}.", fix="Set hub: {revision: …}."
        ) from None
    except RepositoryNotFoundError:
        raise BadFile(
            f"there is no data set called {repo} on the hub, or it is private.",
            fix="Look at its name; log in with `hf auth login` where it is private.",
        ) from None
    except _Unreachable as why:
        kept = _kept(repo, revision)
        if kept is None:
            raise BadFile(
                f"the hub could not be reached for the data set {repo} ({why}), and it was not fetched before.",
                fix="Go online once, or give a folder.",
            ) from None
        return kept
    found = _Commit(str(info.sha), sorted(file.rfilename for file in info.siblings or ()), True)
    _keep(repo, revision, found)
    return found


class _Unreachable(Exception):
    """The hub does not answer."""


@contextmanager
def _told(repo: str) -> Iterator[None]:
    """What the hub's client raises, as BadFile or _Unreachable; what the caller knows more of is passed on."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError:
        raise BadFile(
            f"the hub lets only registered users have the data set {repo}.",
            fix="Accept the terms on its page and log in with `hf auth login`.",
        ) from None
    except HFValidationError:
        raise BadFile(f"{repo!r} is no id of a data set.", fix="Write hub:owner/name.") from None
    except (RepositoryNotFoundError, RevisionNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001  # the client has many ways to say: no network
        raise _Unreachable(type(error).__name__) from None


def _fetched(repo: str, at: _Commit, name: str) -> Path:
    """A file of a commit on this machine. Raises BadFile."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise BadFile(f"the data set {repo} has a file that leads out of it ({shown(name)}).")
    about: dict[str, Any] = {"repo_type": "dataset", "revision": at.commit}
    with suppress(EntryNotFoundError):  # which says that it is not at hand, too
        return Path(hf_hub_download(repo, name, local_files_only=True, **about))
    try:
        with _told(repo):
            return Path(hf_hub_download(repo, name, **about))
    except (_Unreachable, RepositoryNotFoundError, RevisionNotFoundError) as why:
        said = str(why) if isinstance(why, _Unreachable) else type(why).__name__
        raise BadFile(
            f"{shown(name)} of the data set {repo} could not be fetched ({said}).",
            fix="Go online, and ask again: what is there already is kept.",
        ) from None


def _kept(repo: str, revision: str) -> _Commit | None:
    """What was fetched before of a revision; None where nothing was.

    The names of a commit's files are kept beside the client's cache, which does not tell what it lacks. Of what another
    program fetched only what is there is known.
    """
    commit = revision if _COMMIT.fullmatch(revision) else _note(repo, revision)
    names = None if commit is None else _note(repo, str(commit))
    if isinstance(commit, str) and isinstance(names, list):
        return _Commit(commit, [str(name) for name in names], True)
    return _fetched_by_others(repo, revision)


def _fetched_by_others(repo: str, revision: str) -> _Commit | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    there = (path for path in folder.rglob("*") if path.is_file())
    return _Commit(folder.name, sorted(path.relative_to(folder).as_posix() for path in there), False)


def _keep(repo: str, revision: str, at: _Commit) -> None:
    """Note which commit a revision stood for, and the names of its files."""
    if _note(repo, at.commit) is None:
        _write_note(repo, at.commit, at.names)
    if revision != at.commit and _note(repo, revision) != at.commit:
        _write_note(repo, revision, at.commit)


def _note(repo: str, about: str) -> Any:
    """What was noted, None where nothing was."""
    try:
        return json.loads(_place(repo, about).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _write_note(repo: str, about: str, value: object) -> None:
    place = _place(repo, about)
    with suppress(OSError):  # a cache that cannot be written only makes us ask again
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(json.dumps(value), "utf-8")
        fresh.replace(place)


def _place(repo: str, about: str) -> Path:
    from huggingface_hub import cached_assets_path

    folder = cached_assets_path("tunewright", namespace=repo.replace("/", "--"), subfolder="data set")
    return Path(folder) / f"{quote(about, safe='')}.json"


def _card(path: Path, what: str) -> dict[str, Any]:
    """The configurations at the head of a card; none where it has none. Raises BadFile.

    The rest of the settings (what columns there are, in hundreds of kilobytes for some) is not looked at.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    with path.open("rb") as stream:
        text = stream.read(CARD_BYTES).decode("utf-8", "replace")
    head = _FRONT.match(text)
    if head is None and len(text) > CARD_BYTES // 4 and text.lstrip("\ufeff").startswith("---"):
        raise BadFile(f"the settings in the card of {what} have more than {CARD_BYTES:,} bytes.")
    configs = _CONFIGS.search(head[1]) if head else None
    if configs is None:
        return {}
    try:
        found = YAML(typ="safe", pure=True).load(configs[0])
    except (YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:100]
        why = said if said.isprintable() else "they are no YAML"
        raise BadFile(f"the settings in the card of {what} cannot be read ({why}).") from None
    return found if isinstance(found, dict) else {}
