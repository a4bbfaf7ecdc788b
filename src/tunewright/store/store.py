"""Store: a project's `.tunewright` folder.

.tunewright/artifacts/<id>/   write-once folders, published by one rename
.tunewright/work/<id>/        a step's scratch, kept when it is cut off so that it can go on
.tunewright/runs/<n>.jsonl    the events of a run
.tunewright/catalogue.sqlite  runs and aliases
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunewright.core.errors import UserError
from tunewright.store.artifact import Artifact, Derivation, Manifest, open_artifact, seal
from tunewright.store.catalogue import Catalogue

FOLDER = ".tunewright"


class Store:
    """The artifacts, scratch folders, run logs and catalogue below one project folder."""

    def __init__(self, project: Path) -> None:
        self.root = project / FOLDER
        for name in ("artifacts", "work", "runs"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        self.catalogue = Catalogue(self.root / "catalogue.sqlite")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the project for one process. Raises UserError when another holds it; a killed one holds nothing."""
        with (self.root / "lock").open("a+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    "another tunewright is at work in this project",
                    where=str(self.root),
                    fix="Wait for it, or stop it.",
                ) from None
            yield

    def find(self, derivation: Derivation) -> Artifact | None:
        """The artifact a derivation makes, if it was made already."""
        return self.get(derivation.id)

    def get(self, artifact_id: str) -> Artifact | None:
        """The artifact of that name, or none."""
        folder = self.root / "artifacts" / artifact_id
        return open_artifact(folder) if folder.is_dir() else None

    def artifacts(self) -> list[Artifact]:
        """Every published artifact, by name."""
        folders = sorted((self.root / "artifacts").iterdir())
        return [open_artifact(folder) for folder in folders if folder.is_dir()]

    def work(self, derivation: Derivation) -> Path:
        """The scratch folder for a derivation, as a run that was cut off left it."""
        folder = self.root / "work" / derivation.id
        folder.mkdir(exist_ok=True)
        return folder

    def publish(self, derivation: Derivation, built: Path, libraries: dict[str, str]) -> Artifact:
        """Seal the folder `built` (inside the derivation's scratch) and move it into place; the scratch then goes."""
        manifest: Manifest = seal(built, derivation, libraries)
        _sync(built)
        target = self.root / "artifacts" / derivation.id
        os.rename(built, target)
        _sync_folder(target.parent)
        shutil.rmtree(self.root / "work" / derivation.id, ignore_errors=True)
        return Artifact(target, manifest)

    def run_log(self, run: int) -> Path:
        """Where a run's events lie."""
        return self.root / "runs" / f"{run:06d}.jsonl"


def _sync(folder: Path) -> None:
    """Make a finished folder durable before it is published: a rename must not outlive its content."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
