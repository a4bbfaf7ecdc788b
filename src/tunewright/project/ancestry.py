"""Lineage with each operation of the recipe: what `tunewright lineage` tells of an artifact, and a report of its release.

The operations' artifacts are no inputs of the step that works them: it makes them as it goes. They stand between what was
read and what was prepared.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunewright.core.files import read_json
from tunewright.data.names import listed
from tunewright.data.recipe import OpResult
from tunewright.project.stages.data import RECIPE
from tunewright.project.stages.deciding import RELEASE
from tunewright.project.steps import BY_NAME
from tunewright.report.data import LineageNode
from tunewright.store import lineage
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store


def whole_lineage(store: Store, artifact: Artifact) -> lineage.Lineage:
    """The artifact and all it was made from, nearest first; behind what was prepared stand the operations, last first."""
    found = lineage.ancestors(store, artifact)
    told, missing = dict[str, lineage.Ancestor](), list(found.missing)
    for ancestor in found.ancestors:
        told.setdefault(ancestor.artifact.id, ancestor)
        for depth, (account, name) in enumerate(reversed(_recipe(ancestor.artifact)), ancestor.depth + 1):
            operation = store.get(name)
            if operation is not None:
                told.setdefault(name, lineage.Ancestor(operation, depth, _named(account)))
            elif name not in missing:
                missing.append(name)
    return lineage.Lineage(list(told.values()), missing)


def _recipe(artifact: Artifact) -> list[tuple[OpResult, str]]:
    """The accounts of the operations that stand behind an artifact, and their artifacts' names; none of another step's."""
    if artifact.manifest.derivation.step != "prepare":
        return []
    try:
        rows = read_json(artifact.file(RECIPE))
        return [(OpResult.model_validate(row["account"]), row["artifact"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # it was changed since, which `verify` tells


def report_lineage(store: Store, release: Artifact) -> tuple[LineageNode, ...]:
    """The release and all it was made from, in the order of the table of steps."""
    found = [ancestor.artifact for ancestor in lineage.ancestors(store, release).ancestors]
    places = {name: place for place, name in enumerate(BY_NAME)}
    made = sorted(found, key=lambda one: (places[one.manifest.derivation.step], one.id))
    nodes = list[LineageNode]()
    for artifact in made:
        if artifact.manifest.derivation.step == "prepare":
            operations = list(_operations(store, artifact))
            nodes += operations
            nodes.append(_node(artifact, [node.id for node in operations[-1:]]))
        else:
            nodes.append(_node(artifact))
    return tuple(nodes)


def _node(artifact: Artifact, instead: Sequence[str] = ()) -> LineageNode:
    """A step's artifact; `instead` is what it was made from, where that is more than its inputs say."""
    derivation = artifact.manifest.derivation
    facts = {"content": artifact.manifest.content[:12], **{k: v[:12] for k, v in derivation.external.items()}}
    if derivation.step == "release":
        facts["template"] = read_json(artifact.file(RELEASE))["template"][:12]
    inputs = tuple(instead) or tuple(ref.id for ref in derivation.inputs.values())
    return LineageNode(derivation.step, artifact.id, inputs, facts, BY_NAME[derivation.step].title)


def _operations(store: Store, prepared: Artifact) -> Iterator[LineageNode]:
    """The operations' artifacts; a source's rows are those that were read."""
    read = tuple(ref.id for ref in prepared.manifest.derivation.inputs.values())
    made: dict[str, str] = {}
    for account, name in _recipe(prepared):
        needs = dict.fromkeys(
            other for need in account.needs for other in ((made[need],) if need in made else read)
        )
        made[account.id] = name
        yield LineageNode(account.id, name, tuple(needs), _facts(account, store.get(name)), _done(account))


def _facts(account: OpResult, artifact: Artifact | None) -> dict[str, Any]:
    if artifact is None:
        return {"rows": account.rows_out}
    outside: Mapping[str, str] = artifact.manifest.derivation.external
    files = {name: value[:12] for name, value in outside.items() if not name.startswith("rows ")}
    return {"content": artifact.manifest.content[:12], **files}


def _named(account: OpResult) -> str:
    """`english (filter) of tickets: keeps 190 of 200 rows`."""
    op = "" if account.op == account.id else f" ({account.op})"
    return f"{account.id}{op} of {listed(account.needs)}: {_counted(account)}"


def _done(account: OpResult) -> str:
    """`filter: keeps 190 of 200 rows`, for where its name stands already."""
    return _counted(account) if account.op == account.id else f"{account.op}: {_counted(account)}"


def _counted(account: OpResult) -> str:
    """`keeps 190 of 200 rows, changes 12`."""
    told = [f"keeps {account.rows_in - account.dropped:,} of {account.rows_in:,} rows"]
    told += [f"changes {account.changed:,}"] if account.changed else []
    told += [f"adds {account.added:,}"] if account.added else []
    return ", ".join(told)
