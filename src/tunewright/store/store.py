"""Store: a project's `.tunewright` folder.

.tunewright/artifacts/<id>/   write-once folders, published by one rename
.tunewright/work/<id>/        a step's scratch, kept when it is cut off so that it can go on
.tunewright/answers/          what teachers answered, so that nothing is asked for twice (generate/remembering.py)
.tunewright/references/       what bases give the rows of preference training (train/reference_store.py)
.tunewright/runs/<n>.jsonl    the events of a run
.tunewright/catalogue.sqlite  runs and aliases
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

from tunewright.core.errors import UserError
from tunewright.store.artifact import MANIFEST, Artifact, Derivation, Manifest, open_artifact, seal
from tunewright.store.catalogue import Catalogue

FOLDER = ".tunewright"
KEPT_SCRATCH_S = 7 * 24 * 3600
"""Seconds that the scratch of a step cut off is kept."""
_TRY_AGAIN_S = 0.01


class Store:
    """The artifacts, scratch folders, run logs and catalogue below one project folder."""

    def __init__(self, project: Path) -> None:
        self.root = project / FOLDER
        self.catalogue = Catalogue(self.root / "catalogue.sqlite")
        self._holder: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this thread holds the project by `lock` of this object."""
        return self._holder == get_ident()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the project for one process, making its folders where they are missing; what only reads needs no lock.

        Raises UserError when another holds it; a killed one holds nothing.
        """
        for name in ("artifacts", "work", "runs"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        with (self.root / "lock").open("a+") as stream:
            if not _taken(stream.fileno()):
                raise UserError(
                    "another tunewright is at work in this project",
                    where=str(self.root),
                    fix="Wait for it, or stop it.",
                )
            now = time.time_ns()  # since when it is held: an older log is of a run that died
            os.utime(stream.fileno(), ns=(now, now))
            self._holder = get_ident()
            try:
                yield
            finally:
                self._holder = None

    def find(self, derivation: Derivation) -> Artifact | None:
        """The artifact a derivation makes, if it was made already."""
        return self.get(derivation.id)

    def get(self, artifact_id: str) -> Artifact | None:
        """The artifact of that name, or none."""
        folder = self.root / "artifacts" / artifact_id
        return open_artifact(folder) if folder.is_dir() else None

    def names(self) -> list[str]:
        """The name of every published artifact."""
        return sorted(manifest.parent.name for manifest in (self.root / "artifacts").glob(f"*/{MANIFEST}"))

    def artifacts(self) -> list[Artifact]:
        """Every published artifact, by name."""
        return [open_artifact(self.root / "artifacts" / name) for name in self.names()]

    def work(self, derivation: Derivation) -> Path:
        """The scratch folder for a derivation, as a run that was cut off left it."""
        folder = self.root / "work" / derivation.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def settle(self, artifact_id: str) -> None:
        """Finish what a kill right after publishing left open: the run's record, the scratch folder."""
        self.catalogue.close_runs(artifact_id)
        shutil.rmtree(self.root / "work" / artifact_id, ignore_errors=True)

    def sweep(self) -> None:
        """Drop scratch that nobody went on with for a week."""
        for folder in (self.root / "work").iterdir():
            if time.time() - folder.stat().st_mtime > KEPT_SCRATCH_S:
                shutil.rmtree(folder, ignore_errors=True)

    def publish(self, derivation: Derivation, built: Path, libraries: dict[str, str]) -> Artifact:
        """Seal the folder `built` (inside the derivation's scratch) and move it into place; the scratch then goes."""
        manifest: Manifest = seal(built, derivation, libraries)
        _sync(built)
        target = self.root / "artifacts" / derivation.id
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(built, target)
        _sync_folder(target.parent)
        shutil.rmtree(self.root / "work" / derivation.id, ignore_errors=True)
        return Artifact(target, manifest)

    def run_log(self, run: int) -> Path:
        """Where a run's events lie."""
        return self.root / "runs" / f"{run:06d}.jsonl"


def _taken(lock: int) -> bool:
    """Whether the lock could be had: who asks whether it is held has it for an instant, so it is tried a few times."""
    for pause in (*[_TRY_AGAIN_S] * 5, 0):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


def _sync(folder: Path) -> None:
    """Make a finished folder durable before it is published: a rename must not outlive its content."""
    for path in folder.rglob("*"):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
