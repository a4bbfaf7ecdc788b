"""Which commit of a data set on the hub a revision stands for, and which files that commit has.

A branch or a tag is looked up on the hub, or, where that cannot be reached, is what it stood for last: `older` says so then.
What was looked up is noted beside the client's cache, which does not tell what it lacks.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HubSpec

_FRESH = 60.0
"""Seconds for which what a branch stands for is not asked again."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHOWN = 10
"""Digits of a commit that are shown."""
_known: dict[tuple[str, str], tuple[float, "Commit"]] = {}


class Commit(NamedTuple):
    """A commit of a data set."""

    commit: str
    names: list[str]
    whole: bool
    """Whether these are all names that the commit has, not just those that were fetched."""
    older: str | None = None
    """Where the hub could not be asked whether the revision stands for another commit by now: that, in a sentence."""


class Unreachable(Exception):
    """The hub does not answer."""


def commit_of(repo: str, spec: HubSpec) -> Commit:
    """What a revision stands for: as the hub says, or, where it cannot be reached, as it said last.

    Raises BadFile.
    """
    key = (repo, spec.revision)
    if key in _known and (spec.pinned or time.monotonic() - _known[key][0] < _FRESH):
        return _known[key][1]
    kept = _kept(repo, spec.revision) if spec.pinned else None
    found = kept if kept is not None and kept.whole else _asked(repo, spec.revision)
    _known[key] = (time.monotonic(), found)
    return found


def _asked(repo: str, revision: str) -> Commit:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        with told(repo):
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
    except Unreachable as why:
        kept = _kept(repo, revision)
        if kept is None:
            raise BadFile(
                f"the hub could not be reached for the data set {repo} ({why}), and it was not fetched before.",
                fix="Go online once, or give a folder.",
            ) from None
        return kept if _COMMIT.fullmatch(revision) else kept._replace(older=_older(repo, revision, kept, why))
    found = Commit(str(info.sha), sorted(file.rfilename for file in info.siblings or ()), True)
    _keep(repo, revision, found)
    return found


def _older(repo: str, revision: str, kept: Commit, why: Unreachable) -> str:
    place = _place(repo, revision)
    when = datetime.fromtimestamp(place.stat().st_mtime, UTC).date().isoformat() if place.is_file() else None
    return (
        f"the hub could not be reached ({why}), so {shown(repo)} is read at the commit {kept.commit[:_SHOWN]}, where"
        f" {shown(revision)} was {f'on {when}' if when else 'when it was fetched'}; it may have moved on since."
    )


@contextmanager
def told(repo: str) -> Iterator[None]:
    """What the hub's client raises, as BadFile or Unreachable; what the caller knows more of is passed on."""
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
    except (BadFile, RepositoryNotFoundError, RevisionNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001  # the client has many ways to say: no network
        raise Unreachable(type(error).__name__) from None


def _kept(repo: str, revision: str) -> Commit | None:
    """What was fetched before of a revision; None where nothing was.

    The names of a commit's files are kept beside the client's cache, which does not tell what it lacks. Of what another
    program fetched only what is there is known.
    """
    commit = revision if _COMMIT.fullmatch(revision) else _note(repo, revision)
    names = None if commit is None else _note(repo, str(commit))
    if isinstance(commit, str) and isinstance(names, list):
        return Commit(commit, [str(name) for name in names], True)
    return _fetched_by_others(repo, revision)


def _fetched_by_others(repo: str, revision: str) -> Commit | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    there = (path for path in folder.rglob("*") if path.is_file())
    return Commit(folder.name, sorted(path.relative_to(folder).as_posix() for path in there), False)


def _keep(repo: str, revision: str, at: Commit) -> None:
    """Note which commit a revision stood for, and the names of its files."""
    if _note(repo, at.commit) is None:
        _write_note(repo, at.commit, at.names)
    if revision != at.commit and _note(repo, revision) != at.commit:
        _write_note(repo, revision, at.commit)
    elif revision != at.commit:
        with suppress(OSError):
            os.utime(_place(repo, revision))  # it stood so today, too


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
