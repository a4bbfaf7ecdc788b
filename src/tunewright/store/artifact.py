"""Artifact: a folder written once, with a manifest that names its inputs, its settings and every file's hash.

Files under `measured/` hold what a clock or a meter said. They are kept, but are no part of the content hash:
everything else is determined by the inputs, and equal inputs give equal bytes.
"""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tunewright.core.errors import IntegrityError
from tunewright.core.files import read_json, write_json
from tunewright.core.hashing import SHORT, hash_file, hash_value

MANIFEST = "manifest.json"
MEASURED = "measured"


class InputRef(BaseModel):
    """An artifact another one was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    content: str
    """The input's content hash."""


class Derivation(BaseModel):
    """All that determines an artifact: the step and its version, its settings, its inputs. Its hash is the key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    version: str
    """The step's own version, raised when its results change."""
    spec: dict[str, Any]
    """The settings the step reads."""
    inputs: dict[str, InputRef] = {}
    """The step's name → the artifact it reads."""
    external: dict[str, str] = {}
    """Things outside the store → their content hash: source files, the base model."""

    @property
    def key(self) -> str:
        """The hash that names the artifact. Inputs count by content, so a rebuilt equal input changes nothing."""
        inputs = {name: ref.content for name, ref in self.inputs.items()}
        return hash_value([self.step, self.version, self.spec, inputs, self.external])

    @property
    def id(self) -> str:
        """The artifact's name: the step and the key's first digits."""
        return f"{self.step}-{self.key[:SHORT]}"


class Manifest(BaseModel):
    """What an artifact is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    derivation: Derivation
    libraries: dict[str, str]
    """Versions of the code that made it."""
    files: dict[str, str]
    """File → sha256, without the measured ones."""
    content: str
    """The hash over `files`."""


class Artifact(NamedTuple):
    """A published artifact: its folder and manifest."""

    path: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """Its name."""
        return self.manifest.id

    @property
    def ref(self) -> InputRef:
        """How another artifact names it as input."""
        return InputRef(id=self.manifest.id, content=self.manifest.content)

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.path / name

    def verify(self) -> None:
        """Compare the manifest with what made it, and every file with the manifest.

        Raises IntegrityError naming the first thing that differs, is missing, or does not belong there.
        """
        manifest = self.manifest
        if manifest.id != manifest.derivation.id or manifest.content != hash_value(manifest.files):
            raise self._tampered("its manifest contradicts itself")
        there = set(_content_files(self.path))
        for name, expected in manifest.files.items():
            if name not in there or hash_file(self.path / name) != expected:
                raise self._tampered(f"the stored file {name} is missing or was changed after it was written")
        if extra := sorted(there - manifest.files.keys()):
            raise self._tampered(f"the file {extra[0]} does not belong to the artifact")

    def _tampered(self, what: str) -> IntegrityError:
        return IntegrityError(what, where=str(self.path), fix="Delete that folder and run again.")


def seal(folder: Path, derivation: Derivation, libraries: dict[str, str]) -> Manifest:
    """Write the manifest of a finished folder, which then is ready to be published."""
    files = {name: hash_file(folder / name) for name in _content_files(folder)}
    manifest = Manifest(
        id=derivation.id, derivation=derivation, libraries=libraries, files=files, content=hash_value(files)
    )
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    return manifest


def open_artifact(folder: Path) -> Artifact:
    """The artifact in a folder. Raises IntegrityError when its manifest cannot be read."""
    try:
        return Artifact(folder, Manifest.model_validate(read_json(folder / MANIFEST)))
    except (OSError, ValueError) as error:
        raise IntegrityError(
            "the artifact's manifest cannot be read",
            where=str(folder),
            fix="Delete that folder and run again.",
        ) from error


def _content_files(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.parts[0] != MEASURED and path.name != MANIFEST)
