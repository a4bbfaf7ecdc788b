"""The reference: every row's log-probability under the base, taken once before training and kept beside the checkpoints.

Before the first step the model is the base, whatever is trained of it.
"""

from collections.abc import Sequence
from typing import cast

from tunewright.core.events import Emit
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.pack import fill, pack
from tunewright.train.policy import Policy
from tunewright.train.shelf import Shelves

_TOKENS = 4096
"""Tokens of a batch: there is no backward pass to keep memory for."""


def refer(policy: Policy, trees: Shelves, prefix: int, work: WorkFolder, emit: Emit) -> None:
    """Note the rows' log-probabilities under the base with them. A run that goes on reads them back."""
    values = work.references()
    if values is None or len(values) != trees.rows:
        values = _measured(policy, trees, prefix, emit)
        work.save_references(values)
    trees.refer(values)


def reference_groups(tokens: Sequence[int]) -> list[list[int]]:
    """The trees of each batch, by index, from the tokens of each: those of like length go together."""
    order = sorted(range(len(tokens)), key=tokens.__getitem__)
    return fill(tokens, order, _TOKENS)


def _measured(policy: Policy, trees: Shelves, prefix: int, emit: Emit) -> list[float]:
    """Summed log-probabilities, row by row in the trees' order."""
    found: dict[int, list[float]] = {}
    for group in reference_groups(trees.tokens()):
        batch = pack([trees[index] for index in group], prefix)
        values = iter(cast("list[float]", policy.still_logprobs(batch).tolist()))
        for index, tree in zip(group, batch.trees, strict=True):
            found[index] = [next(values) for _ in tree.rows]
        emit("train.reference", done=len(found), total=len(trees))
    return [value for index in range(len(trees)) for value in found[index]]
