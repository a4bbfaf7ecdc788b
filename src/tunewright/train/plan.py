"""Plan: which rows each step of a run has, and when dev is looked at."""

from collections.abc import Sequence
from typing import NamedTuple

from tunewright.train.pack import Tree, epoch_order, fill
from tunewright.train.shelf import tokens_of
from tunewright.train.spec import SettledSpec

_DEV_SHARE = 0.25
"""Dev rows are taken until they have this share of the tokens trained between two dev losses: about a tenth of the time."""
_DEV_ROWS = 32
"""Dev rows that are taken at any rate."""


class Plan(NamedTuple):
    """Which rows each step has, and when dev is looked at."""

    steps: tuple[tuple[int, ...], ...]
    """Tree indices of each optimizer step, all epochs in turn."""
    per_epoch: tuple[int, ...]
    """Steps up to the end of each epoch."""
    dev_every: int
    prefix: int
    """Tokens that the task's rows, dev's too, have in common at their beginning."""
    dev: tuple[int, ...]
    """The dev trees that are looked at."""

    def epochs(self, step: int) -> float:
        """Epochs done after `step` steps."""
        begin = 0
        for number, end in enumerate(self.per_epoch):
            if step <= end:
                return number + (step - begin) / (end - begin)
            begin = end
        return float(len(self.per_epoch))


def make_plan(trees: Sequence[Tree], dev_trees: Sequence[Tree], spec: SettledSpec, prefix: int) -> Plan:
    """The plan of a run; it depends on the trees and the spec alone. `prefix` is what the task's rows begin with."""
    lengths = tokens_of(trees)
    steps: list[tuple[int, ...]] = []
    per_epoch: list[int] = []
    for epoch in range(spec.epochs):
        steps += map(tuple, fill(lengths, epoch_order(len(trees), spec.seed, epoch), spec.batch_tokens))
        per_epoch.append(len(steps))
    dev_every = spec.dev_every or max(1, per_epoch[0] // 4)
    budget = _DEV_SHARE * dev_every * spec.batch_tokens
    dev: list[int] = []
    for index in epoch_order(len(dev_trees), spec.seed, -1):
        budget -= dev_trees[index].tokens
        if budget < 0 and len(dev) >= _DEV_ROWS:
            break
        dev.append(index)
    return Plan(tuple(steps), tuple(per_epoch), dev_every, prefix, tuple(sorted(dev)))
