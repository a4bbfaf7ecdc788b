"""The loop: the only one. It knows that a method gives trees and a loss, and nothing else of it.

A step's loss is the sum of its batches' shares, each of which knows the whole step's totals, so cutting a step into more
batches changes nothing. Everything random comes from the seed and the step's number, so a run that was cut off goes on
exactly as it would have.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tunewright.core.errors import GateError, Problem
from tunewright.core.events import Emit
from tunewright.core.hashing import hash_value
from tunewright.train.checkpoint import Progress, WorkFolder
from tunewright.train.methods import Method
from tunewright.train.optimizer import Optimizer, learning_rate
from tunewright.train.pack import Batch, Tree, batches, epoch_order, fill
from tunewright.train.policy import Policy
from tunewright.train.spec import TrainSpec

_SEQUENCE = {"cpu": 2048, "cuda": 16384}
"""The longest flat sequence of packed rows, in tokens, by device: longer ones were no faster."""
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


class Finished(NamedTuple):
    """What the loop leaves behind."""

    progress: Progress
    stopped_early: bool
    best: dict[str, Tensor]
    """The best parameters, by name, on the CPU."""


def make_plan(trees: Sequence[Tree], dev_trees: Sequence[Tree], spec: TrainSpec, prefix: int) -> Plan:
    """The plan of a run; it depends on the trees and the spec alone. `prefix` is what the task's rows begin with."""
    lengths = [tree.tokens for tree in trees]
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


class Loop:
    """One training run. Raises GateError where the loss or the gradient is no number."""

    def __init__(
        self,
        policy: Policy,
        parameters: Mapping[str, nn.Parameter],
        method: Method,
        spec: TrainSpec,
        plan: Plan,
    ) -> None:
        self._policy = policy
        self._parameters = parameters
        self._method = method
        self._spec = spec
        self._plan = plan
        self._limit = _SEQUENCE.get(policy.device.type, 2048)

    def run(self, trees: Sequence[Tree], dev_trees: Sequence[Tree], work: WorkFolder, emit: Emit) -> Finished:
        """Train from the last checkpoint, or from the start, to the end."""
        optimizer = Optimizer(self._parameters, self._spec)
        progress = self._resume(optimizer, work)
        if progress.step == 0 and not work.history():
            self._look_at_dev(dev_trees, progress, work, emit)
        stopped = self._given_up(progress)
        while progress.step < len(self._plan.steps) and not stopped:
            begin = time.perf_counter()
            facts = self._step(trees, optimizer, progress)
            work.note(kind="step", **facts)
            seconds = time.perf_counter() - begin
            emit(
                "train.step",
                steps=len(self._plan.steps),
                tokens_per_s=round(facts["tokens"] / seconds),
                **facts,
            )
            last = progress.step == len(self._plan.steps)
            if last or progress.step % self._plan.dev_every == 0:
                self._look_at_dev(dev_trees, progress, work, emit)
                stopped = self._given_up(progress)
            work.save(progress, optimizer.tensors(), due=last or stopped)
        return Finished(
            progress, stopped and progress.step < len(self._plan.steps), self._best(progress, work)
        )

    def _resume(self, optimizer: Optimizer, work: WorkFolder) -> Progress:
        found = work.load()
        if found is None:
            return Progress(reached=[False] * len(self._parameters))
        progress, tensors = found
        optimizer.restore(tensors, progress.step)
        return progress

    def _step(self, trees: Sequence[Tree], optimizer: Optimizer, progress: Progress) -> dict[str, Any]:
        """One optimizer step; returns its facts for the history."""
        group = self._plan.steps[progress.step]
        cut = batches(trees, group, self._plan.prefix, self._limit)
        torch.manual_seed(int(hash_value([self._spec.seed, "step", progress.step])[:15], 16))
        self._policy.model.train()
        totals = self._method.totals(self._policy, cut, self._spec)
        total, means = 0.0, dict[str, float]()
        for batch in cut:
            part = self._method.part(self._policy, batch, totals, self._spec)
            total += float(part.loss.detach())
            self._refuse_nan(total, batch, progress.step)
            part.loss.backward()
            means = {name: means.get(name, 0.0) + float(value) for name, value in part.means.items()}
        rate = learning_rate(self._spec, progress.step, len(self._plan.steps))
        norm, norms = optimizer.step(rate)
        self._refuse_nan(norm, cut[-1], progress.step)
        trained, tokens = sum(len(batch.labels) for batch in cut), sum(batch.tokens for batch in cut)
        progress.step += 1
        progress.tokens += tokens
        progress.trained_tokens += trained
        progress.reached = [before or now > 0 for before, now in zip(progress.reached, norms, strict=True)]
        return {
            "step": progress.step,
            "epoch": round(self._plan.epochs(progress.step), 4),
            "loss": total,
            "lr": rate,
            "grad_norm": norm,
            "tokens": tokens,
            "trained_tokens": trained,
            **means,
        }

    def _look_at_dev(
        self, dev_trees: Sequence[Tree], progress: Progress, work: WorkFolder, emit: Emit
    ) -> None:
        """Take the dev loss, and keep the weights where it is the best since the first step."""
        if not self._plan.dev:
            return
        loss, trained = self._dev_loss(dev_trees)
        better = progress.step > 0 and (progress.best_loss is None or loss < progress.best_loss)
        if better:
            progress.best_step, progress.best_loss, progress.misses = progress.step, loss, 0
            work.save_best(progress.step, self._copy())
        elif progress.step > 0:
            progress.misses += 1
        work.note(kind="dev", step=progress.step, loss=loss, trained_tokens=trained)
        emit("train.dev", step=progress.step, steps=len(self._plan.steps), loss=loss, best=better)

    def _dev_loss(self, dev_trees: Sequence[Tree]) -> tuple[float, int]:
        """The method's loss over the dev trees as one step, and their trained tokens."""
        self._policy.model.eval()
        cut = batches(dev_trees, self._plan.dev, self._plan.prefix, self._limit)
        with torch.no_grad():
            totals = self._method.totals(self._policy, cut, self._spec)
            parts = (self._method.part(self._policy, batch, totals, self._spec) for batch in cut)
            total = sum(float(part.loss) for part in parts)
        return (total if math.isfinite(total) else math.inf), sum(len(batch.labels) for batch in cut)

    def _given_up(self, progress: Progress) -> bool:
        return progress.misses >= self._spec.patience

    def _best(self, progress: Progress, work: WorkFolder) -> dict[str, Tensor]:
        """The kept parameters: the best on dev, or the last where there is no dev."""
        if progress.best_loss is None:
            progress.best_step = progress.step
            return self._copy()
        kept = work.load_best()
        if kept is None or kept[0] != progress.best_step:
            problem = Problem(
                "The best weights are gone from the work folder.", fix="Run again: training starts over."
            )
            work.clear()
            raise GateError([problem])
        return kept[1]

    def _copy(self) -> dict[str, Tensor]:
        return {name: value.detach().to("cpu", copy=True) for name, value in self._parameters.items()}

    def _refuse_nan(self, value: float, batch: Batch, step: int) -> None:
        if math.isfinite(value):
            return
        rows = ", ".join(tree.id for tree in batch.trees[:5])
        message = f"The loss is no longer a number at step {step + 1}."
        raise GateError(
            [Problem(message, where=f"rows {rows}", fix="Lower train.learning_rate, or look at these rows.")]
        )
