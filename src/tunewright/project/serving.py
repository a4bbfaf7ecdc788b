"""Answering as a release answers: the frozen variant, loaded from the store alone."""

from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.files import read_json
from tunewright.core.generation import Generator
from tunewright.generate.variant import Variant
from tunewright.project.stages.deciding import RELEASE
from tunewright.store import alias
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store


class Served(NamedTuple):
    """A release ready to answer: ask `generator` with the variant's decoding."""

    release: Artifact
    generator: Generator
    variant: Variant


def load_release(store: Store, root: Path, name: str, base_ref: str) -> Served:
    """The release an alias names, loaded.

    `root` is the project's folder, where a local base is looked for; `base_ref` the project's base now, which serves when
    it holds the same files (a base may have been moved since the release).

    Raises UserError when the alias names nothing, IntegrityError when the release's files changed since, ModelError when
    the base is not the one it was proven with.
    """
    from tunewright.generate.resolve import load_variant
    from tunewright.models.base import resolve_base
    from tunewright.models.machine import free_cores, set_threads

    release = find_release(store, name)
    release.verify()
    frozen = read_json(release.file(RELEASE))
    variant = Variant.model_validate(frozen["variant"])
    set_threads(free_cores())
    return Served(
        release, load_variant(variant, resolve_base(variant.base, root), root=release.path), variant
    )


def find_release(store: Store, name: str) -> Artifact:
    """The release an alias names. Raises UserError when it names none."""
    current = alias.current(store.catalogue, name)
    release = store.get(current) if current else None
    if release is None:
        raise UserError(f"{name} names no release yet", fix="`tunewright run` makes one when its gates pass.")
    return release
