"""Lineage: from an artifact back to everything it was made from."""

from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.store import alias
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store


class Ancestor(NamedTuple):
    """An artifact in a lineage, and how many arrows lie between it and the one asked for."""

    artifact: Artifact
    depth: int


def resolve(store: Store, ref: str) -> Artifact:
    """The artifact a reference means: an alias, an artifact's name, the start of one, or a step (its newest artifact).

    Raises UserError when nothing or several match, with what there is.
    """
    release = alias.current(store.catalogue, ref)
    if release is not None:
        found = store.get(release)
        if found is None:
            raise UserError(f"{ref} names {release}, which is no longer in the store", where=str(store.root))
        return found
    names = [artifact.id for artifact in store.artifacts()]
    matches = [name for name in names if name.startswith(ref)]
    if len(matches) > 1 and all(name.rpartition("-")[0] == ref for name in matches):
        made = [
            run.artifact for run in store.catalogue.runs() if run.artifact in matches and run.status == "done"
        ]
        matches = made[-1:] or matches
    artifact = store.get(matches[0]) if len(matches) == 1 else None
    if artifact is None:
        known = [*store.catalogue.aliases(), *names]
        problem = "matches several artifacts" if matches else "names no alias or artifact here"
        hint = ", ".join(matches or known) or "nothing yet: `tunewright run` makes them"
        raise UserError(f"{ref!r} {problem}", fix=f"There is: {hint}.")
    return artifact


def ancestors(store: Store, artifact: Artifact) -> list[Ancestor]:
    """The artifact and everything it was made from, nearest first, each once."""
    found: dict[str, Ancestor] = {}
    queue = [Ancestor(artifact, 0)]
    while queue:
        node = queue.pop(0)
        if node.artifact.id in found:
            continue
        found[node.artifact.id] = node
        for ref in node.artifact.manifest.derivation.inputs.values():
            parent = store.get(ref.id)
            if parent is not None:
                queue.append(Ancestor(parent, node.depth + 1))
    return list(found.values())
