"""Lineage: from an artifact back to everything it was made from."""

from typing import NamedTuple

from tunewright.core.errors import IntegrityError, UserError
from tunewright.store import alias
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store


class Ancestor(NamedTuple):
    """An artifact in a lineage, and how many arrows lie between it and the one asked for."""

    artifact: Artifact
    depth: int
    done: str = ""
    """What it did, where more is known of it than its manifest says: an operation's name in the recipe, rows kept."""


class Lineage(NamedTuple):
    """An artifact's ancestors, itself first, nearest first; and those that are no longer in the store."""

    ancestors: list[Ancestor]
    missing: list[str]

    def verify(self) -> None:
        """Compare every file with its hash, and every input with what it was when it was read. Raises IntegrityError."""
        contents = {node.artifact.id: node.artifact.manifest.content for node in self.ancestors}
        for node in self.ancestors:
            node.artifact.verify()
            for ref in node.artifact.manifest.derivation.inputs.values():
                if contents.get(ref.id, ref.content) != ref.content:
                    raise IntegrityError(
                        f"it was made from another content of {ref.id} than the store has now",
                        where=str(node.artifact.path),
                    )


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
    names = store.names()
    matches = [name for name in names if ref and name.startswith(ref)]
    if len(matches) > 1 and all(name.rpartition("-")[0] == ref for name in matches):
        made = [
            run.artifact for run in store.catalogue.runs() if run.artifact in matches and run.status == "done"
        ]
        matches = made[-1:] or matches
    artifact = store.get(matches[0]) if len(matches) == 1 else None
    if artifact is None:
        raise _unknown(store, ref, matches)
    return artifact


def _unknown(store: Store, ref: str, matches: list[str]) -> UserError:
    if matches:
        return UserError(f"{ref!r} is the start of several artifacts", fix=f"They are {', '.join(matches)}.")
    steps = sorted({name.rpartition("-")[0] for name in store.names()})
    known = [*store.catalogue.aliases(), *steps]
    hint = f"Known here: {', '.join(known)}." if known else "`tunewright run` makes them."
    return UserError(f"{ref!r} names no alias, step or artifact here", fix=hint)


def ancestors(store: Store, artifact: Artifact) -> Lineage:
    """The artifact and everything it was made from, each once."""
    found: dict[str, Ancestor] = {}
    missing: list[str] = []
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
            elif ref.id not in missing:
                missing.append(ref.id)
    return Lineage(list(found.values()), missing)
