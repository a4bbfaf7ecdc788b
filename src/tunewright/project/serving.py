"""Answering as a release answers: the frozen variant, loaded from the store alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunewright.core.errors import UserError
from tunewright.core.files import read_json
from tunewright.core.generation import Generator, Reply
from tunewright.core.message import Message
from tunewright.generate.variant import Variant
from tunewright.project.stages.deciding import RELEASE
from tunewright.store import alias
from tunewright.store.artifact import Artifact

if TYPE_CHECKING:
    from tunewright.project.project import Project


def answer(project: "Project", messages: Sequence[Message], name: str) -> Reply:
    """One reply of the release an alias names."""
    generator, variant = load_release(project, name)
    return generator.generate([tuple(messages)], variant.decoding)[0]


def load_release(project: "Project", name: str) -> tuple[Generator, Variant]:
    """The generator of the release an alias names, and its variant.

    Raises UserError when the alias names nothing, IntegrityError when the release's files changed since, ModelError when
    the base is not the one it was proven with.
    """
    release = find_release(project, name)
    release.verify()
    variant = Variant.model_validate(read_json(release.file(RELEASE))["variant"])
    from tunewright.generate.resolve import load_variant
    from tunewright.models.base import resolve_base
    from tunewright.models.machine import free_cores, set_threads

    base = resolve_base(variant.base, project.root)
    set_threads(free_cores())
    return load_variant(variant, base, root=release.path), variant


def find_release(project: "Project", name: str) -> Artifact:
    """The release an alias names."""
    current = alias.current(project.store.catalogue, name)
    release = project.store.get(current) if current else None
    if release is None:
        raise UserError(f"{name} names no release yet", fix="`tunewright run` makes one when its gates pass.")
    return release
