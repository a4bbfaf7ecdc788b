"""Answering as a release answers: the frozen variant, loaded from the store alone."""

from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import ModelError, UserError
from tunewright.core.files import read_json
from tunewright.core.generation import Generator
from tunewright.generate.variant import Variant
from tunewright.models.base import Base, resolve_base
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
    neither is the base it was proven with, or its chat template is rendered otherwise now.
    """
    from tunewright.generate.resolve import load_variant
    from tunewright.models.machine import free_cores, set_threads

    release = find_release(store, name)
    release.verify()
    frozen = read_json(release.file(RELEASE))
    variant = Variant.model_validate(frozen["variant"])
    set_threads(free_cores())
    base = _base(variant, root, base_ref)
    generator = load_variant(variant, base, root=release.path, template=frozen["template"])
    return Served(release, generator, variant)


def find_release(store: Store, name: str) -> Artifact:
    """The release an alias names. Raises UserError when it names none."""
    current = alias.current(store.catalogue, name)
    release = store.get(current) if current else None
    if release is None:
        raise UserError(f"{name} names no release yet", fix="`tunewright run` makes one when its gates pass.")
    return release


def _base(variant: Variant, root: Path, now: str) -> Base:
    """The base a variant was frozen with, or the project's base `now` where only that holds its files.

    Where neither does, the first is returned, or what is wrong with it raised as ModelError.
    """
    try:
        frozen = resolve_base(variant.base, root)
    except ModelError:
        if (moved := _held(variant, root, now)) is None:
            raise
        return moved
    return frozen if frozen.hash == variant.base_hash else _held(variant, root, now) or frozen


def _held(variant: Variant, root: Path, ref: str) -> Base | None:
    """The base `ref` where it holds the variant's files."""
    try:
        base = resolve_base(ref, root)
    except ModelError:
        return None
    return base if base.hash == variant.base_hash else None
