"""How to get a result again: the project file as it was used, the seeds in it, the commands.

The file as used has what `--set` laid over it and schema files' contents in it. What else decides the result: the rows
and the base, which the lineage names by their hashes, and the package, since another version may take other defaults from
the same rows; so the commands begin with its version. It is on no package index: the way is a checkout, at the commit
that trained, which the manifest of training has where the package was run from a clone. The libraries' versions stand on
the page beside them.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse
from urllib.request import url2pathname

from pydantic import BaseModel

from tunewright.project.file import ProjectFile
from tunewright.project.writing import flow, to_yaml

COMMIT = "commit"
"""Where a manifest has the clone's commit, beside the libraries' versions."""
_DECIDING = ("src", "constraints.txt", "pyproject.toml")
"""What of a clone decides a result: the package, and what is installed for it."""
_SECONDS = 10


class Checkout(NamedTuple):
    """The clone that the package is run from."""

    commit: str
    changed: bool
    """Whether its files are not those of the commit."""

    def words(self) -> str:
        """As a manifest has it."""
        return f"{self.commit}, changed" if self.changed else self.commit


def effective_file(file: ProjectFile) -> str:
    """The project file as used, as YAML. Read from the same folder it gives the same steps."""
    return to_yaml(file.model_dump(mode="json", by_alias=True, exclude_unset=True))


def seeds(file: ProjectFile) -> dict[str, int]:
    """Every seed among the settings, by its dotted name."""
    return dict(_seeds(file, ""))


def commands(file: ProjectFile, versions: Mapping[str, str]) -> tuple[str, ...]:
    """What to type to get the same report: first in a clone of Tunewright, then in the project's folder.

    `versions` are those in the manifest of training: the package's, and the commit where it was run from a clone.
    """
    settings = "".join(f" --set {setting}" for setting in laid_over(file))
    return (
        _install(versions["tunewright"], versions.get(COMMIT, "")),
        "# then in the project's folder:",
        f"tunewright check{settings}",
        f"tunewright run{settings}",
        "tunewright report --open",
    )


def laid_over(file: ProjectFile) -> tuple[str, ...]:
    """The `--set` values, each as one word of a command line."""
    return tuple(shlex.quote(f"{name}={flow(value)}") for name, value in file.laid_over.items())


def checkout() -> Checkout | None:
    """The clone that the package is installed from (`pip install -e .`), or none."""
    told = json.loads(metadata.distribution("tunewright").read_text("direct_url.json") or "{}")
    place = urlparse(told.get("url", ""))
    if place.scheme != "file" or not told.get("dir_info", {}).get("editable"):
        return None
    return checkout_at(Path(url2pathname(place.path)))


def checkout_at(folder: Path) -> Checkout | None:
    """Where a clone stands; none for a folder that is no clone's root, and where git is not there to tell."""
    if not (folder / ".git").exists():
        return None  # it may lie in another repository, whose commits are not ours
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", *_DECIDING)
    except (OSError, subprocess.SubprocessError):
        return None
    return Checkout(commit, bool(changes))


def _git(folder: Path, *words: str) -> str:
    """What git says of the folder, whatever repository a hook or an outer command is at; it writes nothing."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--no-optional-locks", "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS, env=own)
    return done.stdout.strip()


def _install(version: str, known: str) -> str:
    install = "pip install -c constraints.txt -e ."
    commit, comma, _ = known.partition(",")
    if not commit:
        return f"{install}  # in a checkout of Tunewright {version}"
    changed = ", some of whose files were changed" if comma else ""
    return f"git checkout {commit} && {install}  # in a clone of Tunewright {version}{changed}"


def _seeds(value: Any, prefix: str) -> Iterator[tuple[str, int]]:
    """Seeds are fields of settings models; a schema's property of that name is none."""
    fields: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, BaseModel):
        fields = value
    elif isinstance(value, Mapping):
        fields = value.items()
    elif isinstance(value, tuple):
        fields = enumerate(value)
    for name, inner in fields:
        if name == "seed" and isinstance(value, BaseModel):
            yield f"{prefix}seed", inner
        else:
            yield from _seeds(inner, f"{prefix}{name}.")
