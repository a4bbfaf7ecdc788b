"""What is stale: each step's derivation, and whether its artifact stands."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import DataError, ProjectFileError
from tunewright.core.hashing import canonical_json, hash_file
from tunewright.project.file import GENERAL, ProjectFile
from tunewright.project.steps import STEPS, Step
from tunewright.store.artifact import Artifact, Derivation
from tunewright.store.store import Store


class Planned(NamedTuple):
    """A step and where it stands: `artifact` is there when it is fresh; `derivation` when its inputs are known."""

    step: Step
    derivation: Derivation | None
    artifact: Artifact | None

    @property
    def state(self) -> str:
        """fresh, stale, or waits (for a stale step before it)."""
        if self.artifact is not None:
            return "fresh"
        return "stale" if self.derivation is not None else "waits"


class Outside:
    """Hashes of what lies outside the store, each worked out once and only when a step asks."""

    def __init__(self, file: ProjectFile, root: Path) -> None:
        self._file = file
        self._root = root
        self._known: dict[str, dict[str, str]] = {}

    def hashes(self, kind: str) -> dict[str, str]:
        """Name → content hash, for `sources`, `base`, `suites`, `suite files` (not the built-in one), `recipe files`,
        `teachers`, `embeddings`."""
        if kind not in self._known:
            ways = {
                "sources": self._sources,
                "base": self._base,
                "suites": self._suites,
                "suite files": self._suite_files,
                "recipe files": self._recipe_files,
                "teachers": self._teachers,
                "embeddings": self._embeddings,
            }
            self._known[kind] = ways[kind]()
        return self._known[kind]

    def _sources(self) -> dict[str, str]:
        from tunewright.data.files import contents
        from tunewright.data.rows import BadFile

        found: dict[str, str] = {}
        for name, spec in self._file.sources.items():
            try:
                found |= contents(spec, self._root)
            except BadFile as bad:
                raise DataError(bad.message, where=f"sources.{name}", fix=bad.fix) from None
            except OSError as error:
                raise DataError(f"it cannot be read: {error.strerror}.", where=f"sources.{name}") from None
        return dict(sorted(found.items()))

    def _recipe_files(self) -> dict[str, str]:
        from tunewright.data.files import named_contents
        from tunewright.data.recipe import files
        from tunewright.data.rows import BadFile

        try:
            return named_contents(files(self._file.recipe), self._root)
        except BadFile as bad:
            raise DataError(bad.message, where="recipe", fix=bad.fix) from None

    def _teachers(self) -> dict[str, str]:
        from tunewright.project.teachers import identities

        return identities(self._file, self._root, self._file.recipe)

    def _embeddings(self) -> dict[str, str]:
        from tunewright.project.embeddings import identities

        return identities(self._root, self._file.recipe)

    def _base(self) -> dict[str, str]:
        from tunewright.models.base import resolve_base

        return {"base": resolve_base(self._file.base, self._root).hash}

    def _suites(self) -> dict[str, str]:
        from tunewright.evals.general import general_hash

        built_in = any(suite.examples == GENERAL for suite in self._file.suites.values())
        return self._suite_files() | ({"general suite": general_hash()} if built_in else {})

    def _suite_files(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, suite in self._file.suites.items():
            if suite.examples not in ("test", GENERAL):
                path = self._root / suite.examples
                if not path.is_file():
                    from tunewright.evals.suites import no_file

                    raise ProjectFileError([no_file(suite.examples, f"suites.{name}.examples")])
                found[suite.examples] = hash_file(path)
        return found


def derive(step: Step, file: ProjectFile, outside: Outside, inputs: Mapping[str, Artifact]) -> Derivation:
    """All that determines a step's artifact."""
    external = {name: digest for kind in step.reads(file) for name, digest in outside.hashes(kind).items()}
    return Derivation(
        step=step.name,
        version=step.version,
        spec=json.loads(canonical_json(step.settings(file))),
        inputs={name: inputs[name].ref for name in step.needs},
        external=external,
    )


def plan(file: ProjectFile, root: Path, store: Store) -> list[Planned]:
    """Where every step stands. Nothing is run or written."""
    outside = Outside(file, root)
    made: dict[str, Artifact] = {}
    planned: list[Planned] = []
    for step in STEPS:
        if not all(name in made for name in step.needs):
            planned.append(Planned(step, None, None))
            continue
        derivation = derive(step, file, outside, made)
        artifact = store.find(derivation)
        if artifact is not None:
            made[step.name] = artifact
        planned.append(Planned(step, derivation, artifact))
    return planned
