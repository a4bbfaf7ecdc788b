"""The reference: every row's log-probability under the base, taken once before training and kept beside the checkpoints.

Before the first step the model is the base, whatever is trained of it.
"""

from collections.abc import Sequence
from typing import cast

from tunewright.core.events import Emit
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.pack import Tree, batches
from tunewright.train.policy import Policy

_TOKENS = 4096
"""Tokens of a batch: there is no backward pass to keep memory for."""


def refer(
    policy: Policy, parts: tuple[list[Tree], list[Tree]], prefix: int, work: WorkFolder, emit: Emit
) -> tuple[list[Tree], list[Tree]]:
    """The trees with their rows' log-probabilities under the base. A run that goes on reads them back."""
    every = [*parts[0], *parts[1]]
    values = work.references()
    if values is None or len(values) != sum(len(tree.rows) for tree in every):
        values = _measured(policy, every, prefix, emit)
        work.save_references(values)
    left = iter(values)
    known = [
        tree._replace(rows=tuple(row._replace(reference=next(left)) for row in tree.rows)) for tree in every
    ]
    return known[: len(parts[0])], known[len(parts[0]) :]


def _measured(policy: Policy, trees: Sequence[Tree], prefix: int, emit: Emit) -> list[float]:
    """Summed log-probabilities, row by row in the trees' order. Trees of like length go together."""
    order = sorted(range(len(trees)), key=lambda index: trees[index].tokens)
    found: dict[int, list[float]] = {}
    for batch in batches(trees, order, prefix, _TOKENS):
        values = iter(cast("list[float]", policy.still_logprobs(batch).tolist()))
        found |= {id(tree): [next(values) for _ in tree.rows] for tree in batch.trees}
        emit("train.reference", done=len(found), total=len(trees))
    return [value for tree in trees for value in found[id(tree)]]
