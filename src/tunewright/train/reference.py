"""The reference: every row's log-probability under the base, taken once before training and kept beside the checkpoints.

Before the first step the model is the base, whatever is trained of it. What was taken is kept for other runs, too
(train/reference_store.py).
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

from tunewright.core.events import Emit
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.layout import Laying
from tunewright.train.pack import Size, pack
from tunewright.train.policy import Policy
from tunewright.train.reference_store import Kept, placing
from tunewright.train.shelf import Shelves

_TOKENS = 4096
"""Tokens of a batch: there is no backward pass to keep memory for."""
_NEAR = 1e-4
"""By how much an accelerator may read a row otherwise the second time, as a share: it sums in no fixed order."""


def refer(
    policy: Policy, trees: Shelves, prefix: int, work: WorkFolder, emit: Emit, kept: Kept | None = None
) -> None:
    """Note the rows' log-probabilities under the base with them. A run that goes on reads them back.

    Another run takes what is `kept` of one like it, where a batch that is read anew comes out the same.
    """
    values = work.references()
    if values is None or len(values) != trees.rows:
        values = _recalled(policy, trees, prefix, kept, emit) if kept else None
        if values is None:
            values = _measured(policy, trees, prefix, emit)
            if kept:
                kept.save(values)
        work.save_references(values)
    trees.refer(values)


def kept_for(policy: Policy, trees: Shelves, prefix: int, folder: Path, origin: Sequence[Any]) -> Kept:
    """What the store in `folder` has of these rows; `origin` is what the numbers hang on besides them."""
    groups = reference_groups(trees.sizes(), policy.laying)
    return Kept(folder, [*origin, *placing(policy, trees, prefix, groups)], trees.rows)


def reference_groups(sizes: Sequence[Size], laying: Laying) -> list[list[int]]:
    """The trees of each batch, by index, from the size of each: those of like length go together.

    Those that rehearse are left out: they are held against nothing.
    """
    order = [index for index, size in enumerate(sizes) if not size.rehearses]
    order.sort(key=lambda index: sizes[index].tokens)
    return laying.cut(sizes, order, _TOKENS)


def reference_tokens(sizes: Sequence[Size], laying: Laying) -> int:
    """What goes through the model to refer trees of these sizes."""
    groups = reference_groups(sizes, laying)
    return sum(laying.cost([sizes[index] for index in group]).tokens for group in groups)


def _recalled(policy: Policy, trees: Shelves, prefix: int, kept: Kept, emit: Emit) -> list[float] | None:
    """The values that are kept. None where there are none, or where the smallest batch has others now.

    So nothing that the store's name for them has missed, a machine that rounds otherwise among it, goes unseen.
    """
    if kept.values is None:
        return None
    sizes, laying = trees.sizes(), policy.laying
    groups = reference_groups(sizes, laying)
    group = min(groups, key=lambda group: laying.cost([sizes[index] for index in group]).tokens)
    starts = [0, *accumulate(len(size.rows) for size in sizes)]
    near = 0.0 if policy.device.type == "cpu" else _NEAR
    for index, values in _read(policy, trees, prefix, group).items():
        known = kept.values[starts[index] : starts[index + 1]]
        if not all(math.isclose(*pair, rel_tol=near) for pair in zip(values, known, strict=True)):
            return None
    words = f"reference log-probs taken from the store ({len(trees):,} rows)"
    emit("train.recalled", rows=len(trees), words=words)
    return kept.values


def _measured(policy: Policy, trees: Shelves, prefix: int, emit: Emit) -> list[float]:
    """Summed log-probabilities, row by row in the trees' order."""
    found: dict[int, list[float]] = {}
    for group in reference_groups(trees.sizes(), policy.laying):
        found |= _read(policy, trees, prefix, group)
        emit("train.reference", done=len(found), total=len(trees))
    return [value for index in range(len(trees)) for value in found[index]]


def _read(policy: Policy, trees: Shelves, prefix: int, group: Sequence[int]) -> dict[int, list[float]]:
    """Summed log-probabilities of the rows of one batch's trees, by the trees' index."""
    batch = pack([trees[index] for index in group], prefix)
    values = iter(cast("list[float]", policy.still_logprobs(batch).tolist()))
    return {index: [next(values) for _ in tree.rows] for index, tree in zip(group, batch.trees, strict=True)}
