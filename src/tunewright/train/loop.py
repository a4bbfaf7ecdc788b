"""The loop: the only one. It knows that a method gives batches and a loss, and nothing else of it.

A step's loss is the sum over its batches divided by the step's trained tokens, so cutting a step into more batches
changes nothing. Everything random comes from the seed and the step's number, so a run that was cut off goes on
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
from tunewright.train.pack import Batch, Row, epoch_order, fill
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
    """Row indices of each optimizer step, all epochs in turn."""
    per_epoch: tuple[int, ...]
    """Steps up to the end of each epoch."""
    dev_every: int
    prefix: int
    """Tokens that the task's rows, dev's too, have in common at their beginning."""
    dev: tuple[int, ...]
    """The dev rows that are looked at."""

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


def make_plan(rows: Sequence[Row], dev_rows: Sequence[Row], spec: TrainSpec, prefix: int) -> Plan:
    """The plan of a run; it depends on the rows and the spec alone. `prefix` is the task's rows' shared beginning."""
    lengths = [len(row.ids) for row in rows]
    steps: list[tuple[int, ...]] = []
    per_epoch: list[int] = []
    for epoch in range(spec.epochs):
        steps += map(tuple, fill(lengths, epoch_order(len(rows), spec.seed, epoch), spec.batch_tokens))
        per_epoch.append(len(steps))
    dev_every = spec.dev_every or max(1, per_epoch[0] // 4)
    budget = _DEV_SHARE * dev_every * spec.batch_tokens
    dev: list[int] = []
    for index in epoch_order(len(dev_rows), spec.seed, -1):
        budget -= len(dev_rows[index].ids)
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

    def run(self, rows: Sequence[Row], dev_rows: Sequence[Row], work: WorkFolder, emit: Emit) -> Finished:
        """Train from the last checkpoint, or from the start, to the end."""
        optimizer = Optimizer(self._parameters, self._spec)
        progress = self._resume(optimizer, work)
        if progress.step == 0 and not work.history():
            self._look_at_dev(dev_rows, progress, work, emit)
        stopped = self._given_up(progress)
        while progress.step < len(self._plan.steps) and not stopped:
            begin = time.perf_counter()
            facts = self._step(rows, optimizer, progress)
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
                self._look_at_dev(dev_rows, progress, work, emit)
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

    def _step(self, rows: Sequence[Row], optimizer: Optimizer, progress: Progress) -> dict[str, Any]:
        """One optimizer step; returns its facts for the history."""
        group = self._plan.steps[progress.step]
        batches = self._batches(rows, group)
        trained = sum(len(batch.labels) for batch in batches)
        torch.manual_seed(int(hash_value([self._spec.seed, "step", progress.step])[:15], 16))
        self._policy.model.train()
        total = 0.0
        for batch in batches:
            loss = self._method.loss(self._policy, batch) / trained
            total += float(loss.detach())
            self._refuse_nan(total, batch, progress.step)
            loss.backward()
        rate = learning_rate(self._spec, progress.step, len(self._plan.steps))
        norm, norms = optimizer.step(rate)
        self._refuse_nan(norm, batches[-1], progress.step)
        progress.step += 1
        progress.tokens += sum(batch.tokens for batch in batches)
        progress.trained_tokens += trained
        progress.reached = [before or now > 0 for before, now in zip(progress.reached, norms, strict=True)]
        return {
            "step": progress.step,
            "epoch": round(self._plan.epochs(progress.step), 4),
            "loss": total,
            "lr": rate,
            "grad_norm": norm,
            "tokens": sum(batch.tokens for batch in batches),
            "trained_tokens": trained,
        }

    def _batches(self, rows: Sequence[Row], group: Sequence[int]) -> list[Batch]:
        return self._method.batches(rows, group, self._plan.prefix, self._limit, self._policy.packed)

    def _look_at_dev(self, dev_rows: Sequence[Row], progress: Progress, work: WorkFolder, emit: Emit) -> None:
        """Take the dev loss, and keep the weights where it is the best since the first step."""
        if not self._plan.dev:
            return
        loss, trained = self._dev_loss(dev_rows)
        better = progress.step > 0 and (progress.best_loss is None or loss < progress.best_loss)
        if better:
            progress.best_step, progress.best_loss, progress.misses = progress.step, loss, 0
            work.save_best(progress.step, self._copy())
        elif progress.step > 0:
            progress.misses += 1
        work.note(kind="dev", step=progress.step, loss=loss, trained_tokens=trained)
        emit("train.dev", step=progress.step, steps=len(self._plan.steps), loss=loss, best=better)

    def _dev_loss(self, dev_rows: Sequence[Row]) -> tuple[float, int]:
        """Mean loss of a trained token in nats, and their number."""
        self._policy.model.eval()
        total, trained = 0.0, 0
        with torch.no_grad():
            for batch in self._batches(dev_rows, self._plan.dev):
                total += float(self._method.loss(self._policy, batch))
                trained += len(batch.labels)
        return (total / trained if trained and math.isfinite(total) else math.inf), trained

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
        rows = ", ".join(batch.rows[:5])
        message = f"The loss is no longer a number at step {step + 1}."
        raise GateError(
            [Problem(message, where=f"rows {rows}", fix="Lower train.learning_rate, or look at these rows.")]
        )
