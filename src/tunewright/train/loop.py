"""The loop: the only one. It knows that a method gives trees and a loss, and nothing else of it.

A step's loss is the sum of its batches' shares, each of which knows the whole step's totals, so cutting a step into more
batches changes nothing. Everything random comes from the seed and the step's number, so a run that was cut off goes on
exactly as it would have.
"""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tunewright.core.errors import GateError, Problem
from tunewright.core.events import Emit
from tunewright.core.hashing import hash_value
from tunewright.models.load import is_shortage
from tunewright.models.machine import settled_objects
from tunewright.train import preflight
from tunewright.train.checkpoint import Progress, WorkFolder
from tunewright.train.judged import Judged
from tunewright.train.learnt import refuse_unreached
from tunewright.train.methods import Method, Part
from tunewright.train.optimizer import Optimizer, learning_rate
from tunewright.train.pace import PLAIN, SURE, Pace
from tunewright.train.pack import Batch, Tree, pack
from tunewright.train.plan import Plan
from tunewright.train.policy import Policy
from tunewright.train.preflight import Besides, Load
from tunewright.train.reference import reference_groups, reference_tokens
from tunewright.train.shelf import Joined, sizes_of
from tunewright.train.spec import SettledSpec
from tunewright.train.strength import TRIES
from tunewright.train.summary import StopReason
from tunewright.train.watch import Look, Watch, rising, trouble, watched, words

_SEQUENCE = {"cpu": 2048, "cuda": 16384}
"""The longest flat sequence of packed rows, in tokens, by device: longer ones were no faster."""
_PARTS = 10
"""Parts of dev whose losses tell how sure their mean is."""
_WORTH = 60
"""Steps from which a run is worth a long look ahead; a shorter one has a brief one, where memory allows."""
_PLENTY = 40
"""Times the model's size: with less memory free, a short run has a long look too."""
_LATER = {"cpu": 32, "cuda": 16}
"""Bytes a trained weight that the first steps do not show, by device: AdamW's moments, and on a CPU a checkpoint's copies
and the best weights, which an accelerator leaves to the host."""
_GATHERED, _GATHERING = 300 << 20, 100
"""Bytes that may gather in bf16 on a CPU in so many steps, which the first do not show: the products it has compiled for
each shape, and what lies free between them. 140 to 450 MB were seen; in fp32 nothing gathers."""
_SHORTER = 6
"""Bytes a trained weight that moments in eight bits are less."""
_NAMED = 5
"""Rows named where a loss is out of the way."""
_ENDS = ("diverged", "broken")
_FIX = {
    "diverged": "Lower train.learning_rate or lengthen train.warmup, or look at the rows.",
    "broken": "Lower train.learning_rate or train.clip, set train.precision to fp32 where it is not, or look at the rows.",
}
_WATCHED = 0.05
"""Seconds between two looks at a CPU's memory while steps run: 20 looks a second take a thousandth of the time."""


class Finished(NamedTuple):
    """What the loop leaves behind."""

    progress: Progress
    stop_reason: StopReason
    warnings: tuple[str, ...]
    """Loss spikes and a divergence, a sentence each."""
    best: dict[str, Tensor]
    """The best parameters, by name, on the CPU."""
    peak: int = 0
    """The most memory in use while steps ran, in bytes: of this process, or of the accelerator."""


class Loop:
    """One training run. Raises GateError where it would not fit, or broke down and left no good weights."""

    def __init__(
        self,
        policy: Policy,
        parameters: Mapping[str, nn.Parameter],
        method: Method,
        spec: SettledSpec,
        plan: Plan,
        judged: Judged | None = None,
    ) -> None:
        """`judged` answers and grades dev rows with the weights as they stand; without it the dev loss decides."""
        self._policy = policy
        self._judged = judged
        self._parameters = parameters
        self._method = method
        self._spec = spec
        self._plan = plan
        self._limit = _SEQUENCE.get(policy.device.type, 2048)
        self._watch = Watch()
        self._foreseen: preflight.Estimate | None = None
        self._long_look = False
        self._known: Load | None = None

    def run(self, trees: Sequence[Tree], dev_trees: Sequence[Tree], work: WorkFolder, emit: Emit) -> Finished:
        """Train from the last checkpoint, or from the start, to the end."""
        device = self._policy.device
        told = preflight.shortage_told(
            self._load(trees, dev_trees), device, self._spec.gradient_checkpointing
        )
        with preflight.peak_bytes(device, _WATCHED) as peak, settled_objects(), told:
            finished = self._trained(trees, dev_trees, work, emit)
        return finished._replace(peak=peak[0])

    def _trained(
        self, trees: Sequence[Tree], dev_trees: Sequence[Tree], work: WorkFolder, emit: Emit
    ) -> Finished:
        optimizer = Optimizer(self._parameters, self._spec)
        progress = self._resume(optimizer, work)
        done = (line for line in work.history() if line["kind"] == "step")
        self._watch = Watch(watched(line["loss"], line) for line in done)
        answering = self._foreseen.answering if self._foreseen else 0.0
        pace = Pace(self._load(trees, dev_trees), progress.step, None if self._judged is None else answering)
        if progress.step == 0 and not work.history():
            with pace.looking(measured=self._judged is None):  # this look asks for no answers
                self._look_at_dev(dev_trees, progress, work, emit)
        stopped = self._given_up(progress)
        while progress.step < len(self._plan.steps) and not stopped:
            begin = time.perf_counter()
            facts, look = self._step(trees, optimizer, progress, work, emit)
            if look.state in _ENDS:
                return self._rolled_back(trees, dev_trees, progress, work)
            refuse_unreached(list(self._parameters), progress.reached, progress.step)
            work.note(kind="step", **facts)
            took = time.perf_counter() - begin
            pace.stepped()
            emit(
                "train.step",
                steps=len(self._plan.steps),
                tokens_per_s=round(facts["tokens"] / took),
                trained_tokens_per_s=round(facts["trained_tokens"] / took),
                memory=preflight.used_bytes(self._policy.device),
                seconds_left=round(pace.left, 1),
                elapsed=round(work.seconds(), 3),
                **facts,
            )
            if pace.seen == SURE or (pace.seen == PLAIN and not self._long_look):
                emit("train.estimate", seconds=round(work.seconds() + pace.left, 1), by_steps=pace.seen)
            last = progress.step == len(self._plan.steps)
            if last or progress.step % self._plan.dev_every == 0:
                with pace.looking():
                    self._look_at_dev(dev_trees, progress, work, emit)
                stopped = self._given_up(progress)
                if self._spec.keep > 1:
                    work.save_past(progress.step, self._copy(), self._spec.keep)
            work.save(progress, optimizer.tensors, due=last or stopped or progress.best_step == progress.step)
        early = stopped and progress.step < len(self._plan.steps)
        no_better: StopReason = "dev score got no better" if self._judged else "dev loss got no better"
        reason: StopReason = no_better if early else "epochs done"
        warnings = tuple(f"{words(line)}." for line in _troubles(work))
        return Finished(progress, reason, warnings, self._best(progress, work))

    def look_ahead(
        self,
        trees: Sequence[Tree],
        dev_trees: Sequence[Tree],
        work: WorkFolder,
        emit: Emit,
        *,
        known: bool = False,
    ) -> None:
        """Say what the run will take, before its first step. Raises GateError if it would not fit.

        A short run has a brief look, unless memory is scarce beside the model. What of the base is `known` is not read.
        """
        if work.history():
            return
        plan, device = self._plan, self._policy.device
        brief = len(plan.steps) < _WORTH and preflight.free_bytes(device) > _PLENTY * self._size()
        load = self._load(trees, dev_trees)
        if known:
            load = load._replace(forward_tokens=0)

        def probe(group: Sequence[int]) -> None:
            self._gradients(self._cut(trees, group), 0)
            for parameter in self._parameters.values():
                parameter.grad = None

        besides = self._besides(trees, dev_trees, work)
        found = preflight.look_ahead(load, probe, device, self._spec.gradient_checkpointing, besides, brief)
        self._foreseen, self._long_look = found, not brief
        emit("train.preflight", seconds=found.seconds, peak=found.peak, available=found.available)

    def _besides(self, trees: Sequence[Tree], dev_trees: Sequence[Tree], work: WorkFolder) -> Besides:
        """What the run does besides its gradients, to be tried out: of rows a batch, of the rest all."""
        optimizer, laying = Optimizer(self._parameters, self._spec), self._policy.laying

        def look() -> int:
            sizes = sizes_of(dev_trees)
            some = (groups := laying.cut(sizes, self._plan.dev, self._limit))[len(groups) // 2]
            self._dev_loss(dev_trees, some)
            return laying.tokens(sizes, some, self._limit)

        def refer() -> int:
            groups = reference_groups(sizes_of(trees), laying)
            batch = pack([trees[index] for index in groups[len(groups) // 2]], self._plan.prefix)
            self._policy.still_logprobs(batch)
            return laying.cost([tree.size for tree in batch.trees]).tokens

        def update() -> None:
            optimizer.norms()
            optimizer.step(0.0, 0.0)

        def save() -> float:
            return work.trial(optimizer.tensors())

        return Besides(
            look, refer, update, save, self._judged.trial if self._judged and self._plan.dev else None
        )

    def _load(self, trees: Sequence[Tree], dev_trees: Sequence[Tree]) -> Load:
        """What there is to compute; looked up once."""
        if self._known is not None:
            return self._known
        plan, laying = self._plan, self._policy.laying
        sizes, dev_sizes = sizes_of(trees), sizes_of(dev_trees)
        held_against = self._method.needs_reference(self._spec)
        self._known = preflight.load_of(
            plan.steps,
            sizes,
            laying,
            self._limit,
            forward_tokens=reference_tokens(Joined(sizes, dev_sizes), laying) if held_against else 0,
            later=self._later(),
            gradients=sum(value.numel() * value.element_size() for value in self._parameters.values()),
            packable=0 if self._spec.adapter.kind in ("qlora", "full") else self._size(),
            look_tokens=laying.tokens(dev_sizes, plan.dev, self._limit),
            dev_every=plan.dev_every,
            last_looks=TRIES if self._spec.strength == "auto" else 0,
        )
        return self._known

    def _size(self) -> int:
        """Bytes of the model."""
        return sum(value.numel() * value.element_size() for value in self._policy.model.parameters())

    def _later(self) -> int:
        """Bytes that the first steps do not show."""
        each = _LATER.get(self._policy.device.type, _LATER["cpu"])
        each -= _SHORTER if self._spec.optimizer == "adamw8bit" else 0
        gathered = _GATHERED if self._policy.compiles_products else 0
        gathered = round(gathered * min(1.0, len(self._plan.steps) / _GATHERING))
        return gathered + each * sum(value.numel() for value in self._parameters.values())

    def _resume(self, optimizer: Optimizer, work: WorkFolder) -> Progress:
        found = work.load()
        if found is None:
            return Progress(reached=[False] * len(self._parameters))
        progress, tensors = found
        optimizer.restore(tensors, progress.step)
        return progress

    def _cut(self, trees: Sequence[Tree], group: Sequence[int]) -> list[Batch]:
        """The batches of one step, or of one look at dev."""
        return self._policy.laying.batches(trees, group, self._plan.prefix, self._limit)

    def _step(
        self,
        trees: Sequence[Tree],
        optimizer: Optimizer,
        progress: Progress,
        work: WorkFolder,
        emit: Emit,
    ) -> tuple[dict[str, Any], Look]:
        """One optimizer step; returns its facts for the history, and what its loss is. A diverged one changes nothing."""
        group = self._plan.steps[progress.step]
        cut = self._cut(trees, group)
        total, means = self._gradients(cut, progress.step)
        norms = optimizer.norms()
        norm = float(torch.linalg.vector_norm(norms))
        look = self._look(total, watched(total, means), norm, cut, progress, work, emit)
        if look.state in _ENDS:
            return {}, look
        rate = learning_rate(self._spec, progress.step, len(self._plan.steps))
        optimizer.step(rate, norm)
        trained, tokens = sum(len(batch.labels) for batch in cut), sum(batch.tokens for batch in cut)
        progress.step += 1
        progress.tokens += tokens
        progress.trained_tokens += trained
        progress.reached = [
            before or now > 0 for before, now in zip(progress.reached, norms.tolist(), strict=True)
        ]
        return {
            "step": progress.step,
            "epoch": round(self._plan.epochs(progress.step), 4),
            "loss": total,
            "lr": rate,
            "grad_norm": norm,
            "tokens": tokens,
            "trained_tokens": trained,
            **means,
        }, look

    def _gradients(self, cut: Sequence[Batch], step: int) -> tuple[float, dict[str, float]]:
        """The step's loss and means; the gradients are left in the parameters."""
        torch.manual_seed(int(hash_value([self._spec.seed, "step", step])[:15], 16))
        self._policy.model.train()
        totals = self._method.totals(self._policy, cut, self._spec)
        parts = list[Part]()
        for batch in cut:
            with self._kept():
                part = self._method.part(self._policy, batch, totals, self._spec)
            part.loss.backward()
            shown = {name: value.detach() for name, value in part.means.items()}
            parts.append(Part(part.loss.detach(), shown))
        # read last: an accelerator would be waited for at each
        total = sum(float(part.loss) for part in parts)
        means = Counter[str]()
        for part in parts:
            means.update({name: float(value) for name, value in part.means.items()})
        return total, dict(means)

    def _kept(self) -> AbstractContextManager[Any]:
        """Where a forward pass keeps what its backward pass needs."""
        if not self._spec.activation_offload:
            return nullcontext()
        return torch.autograd.graph.save_on_cpu(pin_memory=self._policy.device.type == "cuda")

    def _look(
        self,
        total: float,
        own: float | None,
        norm: float,
        cut: Sequence[Batch],
        progress: Progress,
        work: WorkFolder,
        emit: Emit,
    ) -> Look:
        """What a step's loss is, by its `own` part. Spikes, divergences and broken steps are noted with their worst rows:
        those whose gradient is no number where the loss is one, else those with the least likely answers.
        """
        look = self._watch.look(own, norm)
        if look.state in ("calm", "high"):
            return look
        unsound = self._unsound(cut) if look.state == "broken" and math.isfinite(total) else []
        rows = unsound or self._policy.unlikeliest(cut, _NAMED)
        line = trouble(progress.step + 1, total if own is None else own, norm, look, rows)
        work.note(**line)
        emit("train.trouble", words=words(line), **{name: line[name] for name in ("step", "state", "rows")})
        if look.state == "spike" and progress.best_loss is None:
            work.save_best(progress.step, self._copy())
        return look

    def _unsound(self, cut: Sequence[Batch]) -> list[str]:
        """The ids of rows whose own gradient is no number, where the step's is none; none where memory does not allow it."""
        totals = self._method.totals(self._policy, cut, self._spec)
        for parameter in self._parameters.values():
            parameter.grad = None

        def loss(batch: Batch) -> Tensor:
            return self._method.part(self._policy, batch, totals, self._spec).loss

        try:
            with self._kept():
                return self._policy.unsound(cut, loss, list(self._parameters.values()), _NAMED)
        except (MemoryError, RuntimeError) as error:
            if is_shortage(error):
                return []
            raise

    def _rolled_back(
        self, trees: Sequence[Tree], dev_trees: Sequence[Tree], progress: Progress, work: WorkFolder
    ) -> Finished:
        """The end of a run that diverged or broke down: the best weights on dev, without dev those before the loss rose.

        Where there are none, those of the last step, if they are sound. Raises GateError where they are not.
        """
        lines = _troubles(work)
        fix = _FIX[lines[-1]["state"]]
        kept = work.load_best()
        if progress.best_loss is None and not rising(lines):
            # weights from before a spike that the loss came down from are older than they need be
            kept = None
        if kept is not None:
            progress.best_step, best = kept
        elif self._sound(trees, dev_trees, progress):
            progress.best_step, best = progress.step, self._copy()
        else:
            raise GateError([Problem(f"{words(lines[-1])}.", fix=fix)])
        which = "" if kept is not None else ", the last one before,"
        said = f"{words(lines[-1])}; the weights of step {progress.best_step}{which} are kept. {fix}"
        return Finished(progress, "diverged", (*(f"{words(line)}." for line in lines[:-1]), said), best)

    def _sound(self, trees: Sequence[Tree], dev_trees: Sequence[Tree], progress: Progress) -> bool:
        """Whether the weights as they stand are numbers that have learnt something and give numbers.

        Their loss on dev is noted; without dev they are asked for that of the last step's rows.
        """
        if progress.step == 0 or not all(bool(value.isfinite().all()) for value in self._parameters.values()):
            return False
        if self._plan.dev:
            progress.best_loss, _ = self._dev_loss(dev_trees, self._plan.dev)
            return math.isfinite(progress.best_loss)
        return math.isfinite(self._dev_loss(trees, self._plan.steps[progress.step - 1])[0])

    def _look_at_dev(
        self, dev_trees: Sequence[Tree], progress: Progress, work: WorkFolder, emit: Emit
    ) -> None:
        """Take the dev loss, and the score where there is one; keep the weights that are the best since the first step."""
        if not self._plan.dev:
            return
        loss, trained = self._dev_loss(dev_trees, self._plan.dev)
        score = self._judged.score() if self._judged and progress.step > 0 else None
        better = progress.step > 0 and _rank(score, loss) > _rank(progress.best_score, progress.best_loss)
        if better:
            progress.best_step, progress.misses = progress.step, 0
            progress.best_loss, progress.best_score = loss, score
            work.save_best(progress.step, self._copy())
        elif progress.step > 0:
            progress.misses += 1
        found = {"loss": loss} | ({} if score is None else {"score": score})
        work.note(kind="dev", step=progress.step, trained_tokens=trained, **found)
        emit("train.dev", step=progress.step, steps=len(self._plan.steps), best=better, **found)

    def dev_losses(self, dev_trees: Sequence[Tree]) -> list[float]:
        """The dev loss of each of some equal parts of the dev trees that are looked at."""
        parts = min(_PARTS, len(self._plan.dev))
        return [self._dev_loss(dev_trees, self._plan.dev[part::parts])[0] for part in range(parts)]

    def _dev_loss(self, dev_trees: Sequence[Tree], group: Sequence[int]) -> tuple[float, int]:
        """The method's loss over a group of dev trees as one step, and their trained tokens."""
        self._policy.model.eval()
        cut = self._cut(dev_trees, group)
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


def _rank(score: float | None, loss: float | None) -> tuple[float, float]:
    """What says how good weights are on dev: the score first, then the loss. Nothing is worse than no look at all."""
    return (0.0 if score is None else score, -math.inf if loss is None or not math.isfinite(loss) else -loss)


def _troubles(work: WorkFolder) -> list[dict[str, Any]]:
    return [line for line in work.history() if line["kind"] == "trouble"]
