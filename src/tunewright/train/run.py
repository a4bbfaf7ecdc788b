"""A training run from rows to an adapter folder.

    train(spec, examples, dev_examples, base=base, system=prompt, work=scratch, out=folder, emit=emit)

`out` gets adapter/ in PEFT's format, history.json and train.json, and checkpoints/ where `spec.keep` asks for more than the
best; equal inputs give equal bytes on one machine, whether or not the run was cut off on the way. `work` keeps the
checkpoints until the run is done.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from tunewright.core.errors import DataError, GateError, ModelError, Problem
from tunewright.core.events import Emit, silent
from tunewright.core.example import Example
from tunewright.core.files import write_json
from tunewright.core.hashing import hash_value
from tunewright.generate.torch import TorchGenerator
from tunewright.models.base import Base
from tunewright.models.load import base_width, default_device
from tunewright.models.machine import free_cores, has_fast_bf16, set_threads
from tunewright.models.template import Renderer
from tunewright.train import attention, bos, learnt, weights
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.compiled import compiled_layers, prove
from tunewright.train.defaults import Choice, facts_of, settle
from tunewright.train.fast import fast_layers
from tunewright.train.idle import idle
from tunewright.train.judged import Judge, Judged
from tunewright.train.length import Fitted, fit
from tunewright.train.loop import Finished, Loop
from tunewright.train.methods import Method, find_method, sft
from tunewright.train.methods._rehearsed import General, Rehearsed
from tunewright.train.pack import Row, Tree, digest, pack
from tunewright.train.plan import Plan, make_plan
from tunewright.train.policy import Layout, Policy
from tunewright.train.reference import kept_for, refer
from tunewright.train.reference_store import arithmetic
from tunewright.train.served import serving_warnings
from tunewright.train.shelf import Shelves
from tunewright.train.spec import LIKELIHOODS, SettledAdapter, SettledSpec, TrainSpec
from tunewright.train.strength import Measure, Strength, between, choose, put
from tunewright.train.summary import LearntCheck, TrainSummary
from tunewright.train.untouched import stacked_experts, untouched_experts
from tunewright.train.version import VERSION

_PROBES, _PROBED = 2, 32
"""Rows on which the saved adapter must give the logits of training, and trained tokens of each."""


class _Rows(NamedTuple):
    """What is trained and looked at, rendered."""

    task: Fitted
    dev: Fitted
    rehearsal: Fitted

    def trees(self) -> Shelves:
        """The trees that are trained. Raises ModelError where the template refuses a row of the task."""
        return Shelves(self.task.rendered(), self.rehearsal.shelf)

    @property
    def unsaid(self) -> int:
        """General rows that the template refuses: the base may have thought aloud. Nobody could mend them."""
        return self.rehearsal.pieces.count(0)


def train(
    spec: TrainSpec,
    examples: Sequence[Example],
    dev_examples: Sequence[Example],
    *,
    base: Base,
    system: str,
    work: Path,
    out: Path,
    rehearsal: Sequence[Example] = (),
    judge: Judge | None = None,
    emit: Emit = silent,
    threads: int | None = None,
    references: Path | None = None,
) -> TrainSummary:
    """Train an adapter and write it to `out`. Takes up the run that lies in `work`, where it is the same one.

    `rehearsal` examples are trained beside the others, without the task's system prompt, by their likelihood. `judge` scores
    what the model answers at each look at dev, the higher the better; then the score decides which weights are kept.
    `references` is a folder that keeps what the base gives the rows, for runs like it (train/reference_store.py).

    Raises DataError without examples or for one that the method cannot take, ModelError for the base or the template,
    GateError where training went wrong.
    """
    method = find_method(spec.method)
    work.mkdir(parents=True, exist_ok=True)
    found = method.examine([*examples, *dev_examples], spec)
    if not examples:
        raise DataError("There are no rows to train on.", fix="Look at the split: its train part is empty.")
    emit("train.load", base=base.ref)
    renderer = Renderer(weights.own_tokenizer(base, spec.adapter))
    rows = _rendered(spec, method, renderer, system, (examples, dev_examples, rehearsal), work)
    own, dev, trees = rows.task.rendered(), rows.dev.rendered(), rows.trees()
    settled, choices = settle(spec, facts_of(own, base_width(base)))
    found += _of_the_adapter(settled.adapter, base)
    device = default_device()
    told = _told([*found, *bos.missing(renderer, spec), *idle(spec, device.type)], emit)
    precision = spec.products(has_fast_bf16())
    origin = [base.hash, renderer.template_hash, precision, device.type]
    identity = [VERSION, settled.deciding, origin, digest(trees), digest(dev), _versions(settled)]
    folder = _opened(work, identity, threads, emit)
    seen = Shelves(own, dev)
    plan = make_plan(trees, dev, settled, seen.shared_prefix())
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = _prepared(base, settled, device, dtype)
    parameters = weights.trained(model)
    start = weights.copied(parameters)
    tried = [*trees[:_PROBES], *dev[:_PROBES]]
    proven = _proven(model, tried, dtype)
    with fast_layers(model, dtype), compiled_layers(model, spec.compile):
        policy = _policy(model, tried, settled, dtype, proven)
        _tell_start(policy, plan, trees, folder, emit)
        judged = Judged(judge, TorchGenerator.around(model, renderer), policy, dev) if judge else None
        whole = Rehearsed(method) if rehearsal and spec.method not in LIKELIHOODS else method
        loop = Loop(policy, parameters, whole, settled, plan, judged)
        referred = method.needs_reference(spec)
        by = [base.hash, *_versions(settled), *arithmetic(settled, device, precision, folder.threads)]
        kept = kept_for(policy, seen, plan.prefix, references, by) if references and referred else None
        loop.look_ahead(trees, dev, folder, emit, known=kept is not None and kept.values is not None)
        if referred:
            refer(policy, seen, plan.prefix, folder, emit, kept)
        finished = loop.run(trees, dev, folder, emit)
        measure = partial(loop.dev_losses, dev)
        strength = _strength(settled, parameters, start, finished.best, plan, measure, emit)
    policy.restore()
    attention.forget()
    end = between(start, finished.best, strength.value)
    emit("train.check", step=finished.progress.step)
    _save(model, base, settled.adapter, start, end, folder, out)
    probes = [tree.rows[0].begun(_PROBED) for tree in islice(chain(dev, trees), _PROBES)]
    counts = _counts(model, parameters, rows) | {"rows": trees.rows}
    checks = _prove(model, settled.adapter, out, probes, start, end, finished)
    finished = finished._replace(warnings=(*told, *finished.warnings))
    summary = _summary(
        settled, choices, finished, strength, plan, counts, checks, precision, policy.layout, folder
    )
    _write(out, summary, folder)
    done = summary.model_dump(include={"steps", "best_step", "best_dev_loss"})
    emit("train.done", peak=finished.peak, **done)
    return summary


def _proven(model: Any, probes: Sequence[Tree], dtype: torch.dtype) -> Policy | None:
    """The policy in exact numbers, where the weights are exact and the products are not to be; its way is right in both."""
    if dtype == torch.float32 or model.dtype != torch.float32:
        return None
    with fast_layers(model, torch.float32):
        found = Policy(model, probes, torch.float32)
    found.restore()
    return found


def _policy(
    model: Any, probes: Sequence[Tree], spec: SettledSpec, dtype: torch.dtype, proven: Policy | None
) -> Policy:
    """The model as the losses see it, proven on some trees; where it is to be compiled, that too."""
    stock = spec.adapter.kind == "full" or spec.adapter.sized  # no layer of ours does it
    mixed = stock and dtype != model.dtype
    policy = Policy(model, probes, dtype, spec.neftune, mixed=mixed, proven=proven)
    if spec.compile:
        prove(policy, pack(probes[:_PROBES]), exact=not (spec.adapter.dropout or spec.neftune))
    return policy


def _prepared(base: Base, spec: SettledSpec, device: torch.device, dtype: torch.dtype) -> Any:
    """The base, ready to train what the spec names."""
    model = weights.prepare(base, spec.adapter, device, spec.seed, dtype)
    if spec.gradient_checkpointing:
        _checkpoint_activations(model)
    return model


def _tell_start(policy: Policy, plan: Plan, trees: Shelves, work: WorkFolder, emit: Emit) -> None:
    """What is about to be done, and how."""
    refused = {"not_packed": policy.refused} if policy.refused else {}
    facing = {"steps": len(plan.steps), "rows": trees.rows, "threads": work.threads}
    emit("train.start", packed=policy.packed, padded=policy.padded, **facing, **refused)


def _of_the_adapter(spec: SettledAdapter, base: Base) -> list[Problem]:
    """What keeps the adapter from being served, and what it leaves as it is."""
    experts = stacked_experts(spec, base)
    return [*serving_warnings(spec, experts), *untouched_experts(spec, experts)]


def _told(problems: Sequence[Problem], emit: Emit) -> tuple[str, ...]:
    """What should be known of the rows and the adapter, a sentence each; also an event each."""
    said = tuple(f"{str(problem).rstrip('.')}." for problem in problems)
    for words in said:
        emit("train.warning", words=words)
    return said


def _save(
    model: Any,
    base: Base,
    spec: SettledAdapter,
    start: Mapping[str, Tensor],
    end: Mapping[str, Tensor],
    work: WorkFolder,
    out: Path,
) -> None:
    """The adapters of the last looks at dev, a folder each, then the one that is kept, which the model is left with."""
    for folder in ("adapter", "checkpoints"):
        shutil.rmtree(out / folder, ignore_errors=True)
    for step, past in work.past():
        put(weights.trained(model), past)
        weights.save(model, base, spec, start, past, out / "checkpoints" / f"step-{step}")
    put(weights.trained(model), end)
    weights.save(model, base, spec, start, end, out / "adapter")


def _opened(work: Path, identity: Sequence[Any], threads: int | None, emit: Emit) -> WorkFolder:
    """The work folder, with as many threads as the run that lies there began with."""
    folder = WorkFolder(work, hash_value(identity), threads or free_cores())
    set_threads(folder.threads)
    if folder.discarded:
        emit("train.discarded", words="rows, settings or library versions changed: training starts over")
    return folder


def _strength(
    spec: SettledSpec,
    parameters: Mapping[str, torch.nn.Parameter],
    start: Mapping[str, Tensor],
    best: Mapping[str, Tensor],
    plan: Plan,
    measure: Measure,
    emit: Emit,
) -> Strength:
    """The spec's strength, or the one that dev chooses. Without dev, all the way."""
    if spec.strength != "auto":
        return Strength(spec.strength)
    return choose(parameters, start, best, measure, emit) if plan.dev else Strength(1.0)


def _checkpoint_activations(model: Any) -> None:
    """Let the model compute its layers again in the backward pass. Raises ModelError where it cannot."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    how = {"use_reentrant": False}
    # transformers 5.24 renamed it, and warns of the old name
    enable = getattr(inner, "activation_checkpointing_enable", None) or inner.gradient_checkpointing_enable
    try:
        enable(how)
    except ValueError as error:
        raise ModelError(
            f"The base cannot compute its layers again ({error}).",
            fix="Set train.gradient_checkpointing to false.",
        ) from error


def _counts(model: Any, parameters: Mapping[str, Tensor], rows: _Rows) -> dict[str, int]:
    """The model's weights, and the examples that were too long, by the summary's names."""
    return {
        "parameters": weights.base_size(model),
        "trained_parameters": sum(value.numel() for value in parameters.values()),
        "cut_rows": len(rows.task.cut) + len(rows.dev.cut),
        "rehearsal_rows": len(rows.rehearsal.kept) - rows.unsaid,
        "dropped_rows": sum(len(part.dropped) for part in rows) + rows.unsaid,
    }


def _rendered(
    spec: TrainSpec,
    method: Method,
    renderer: Renderer,
    system: str,
    parts: tuple[Sequence[Example], Sequence[Example], Sequence[Example]],
    work: Path,
) -> _Rows:
    """What there is, rendered. Raises DataError where nothing would be trained, or a row trains nothing."""
    task, dev, rehearsal = parts
    lenient = spec.model_copy(update={"over_long": "drop"})
    rows = _Rows(
        fit(task, method, renderer, system, spec, work),
        fit(dev, method, renderer, system, spec, work),
        fit(rehearsal, sft if spec.method in LIKELIHOODS else General(), renderer, "", lenient, work),
    )
    if not rows.task.kept:
        raise DataError(
            f"Every row is longer than train.max_length ({spec.max_length} tokens).", fix="Raise it."
        )
    empty = [row.id for tree in rows.trees() for row in tree.rows if not row.trained]
    if empty:
        fix = "Run `tunewright check`: the gate says why."
        raise DataError(f"{len(empty)} rows have no trained token, row {empty[0]} among them.", fix=fix)
    return rows


def _versions(spec: SettledSpec) -> list[str]:
    packing = ["bitsandbytes"] if spec.adapter.kind == "qlora" else []
    return [version(name) for name in ("torch", "transformers", "peft", *packing)]


def _prove(
    model: Any,
    spec: SettledAdapter,
    out: Path,
    probes: Sequence[Row],
    start: Mapping[str, Tensor],
    end: Mapping[str, Tensor],
    finished: Finished,
) -> tuple[LearntCheck, ...]:
    """The checks that it learnt, by the model's own forward pass; the model is left with what was saved.

    Raises GateError where one fails.
    """
    parameters = weights.trained(model)
    tuned = learnt.row_logits(model, probes)
    put(parameters, start)  # whatever is trained begins as the base
    plain = learnt.row_logits(model, probes)
    put(parameters, end)
    checks = (
        learnt.check_changed(start, end),
        learnt.check_gradients(list(start), finished.progress.reached, finished.progress.step),
        learnt.check_effect(plain, tuned),
        learnt.check_reload(
            weights.without(model, spec, start), out / "adapter", probes, tuned, exact=spec.kind != "pissa"
        ),
    )
    try:
        learnt.refuse_unlearnt(checks)
    except GateError:
        shutil.rmtree(out / "adapter")
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
        raise
    return checks


def _summary(
    spec: SettledSpec,
    choices: Sequence[Choice],
    finished: Finished,
    strength: Strength,
    plan: Plan,
    counts: Mapping[str, int],
    checks: tuple[LearntCheck, ...],
    precision: Literal["fp32", "bf16"],
    layout: Layout,
    folder: WorkFolder,
) -> TrainSummary:
    progress = finished.progress
    first = next(
        (line["loss"] for line in folder.history() if line["kind"] == "dev" and line["step"] == 0), None
    )
    return TrainSummary(
        method=spec.method,
        rank=spec.adapter.rank,
        learning_rate=spec.learning_rate,
        batch_tokens=spec.batch_tokens,
        chosen=(*(choice.words() for choice in choices), *([strength.words()] if strength.tried else [])),
        strength=strength.value,
        strengths=strength.tried,
        steps=progress.step,
        steps_planned=len(plan.steps),
        epochs=round(plan.epochs(progress.step), 4),
        stop_reason=finished.stop_reason,
        warnings=finished.warnings,
        best_step=progress.best_step,
        best_dev_loss=progress.best_loss,
        best_dev_score=progress.best_score,
        first_dev_loss=first,
        tokens=progress.tokens,
        trained_tokens=progress.trained_tokens,
        **counts,
        dev_rows=len(plan.dev),
        precision=precision,
        packed=layout == "packed",
        padded=layout == "padded",
        shared_prefix=plan.prefix if layout == "packed" else 0,
        threads=folder.threads,
        checks=checks,
    )


def _write(out: Path, summary: TrainSummary, folder: WorkFolder) -> None:
    """history.json and train.json."""
    lines = folder.history()
    steps, dev, trouble = (
        [
            {key: value for key, value in line.items() if key != "kind"}
            for line in lines
            if line["kind"] == kind
        ]
        for kind in ("step", "dev", "trouble")
    )
    write_json(out / "history.json", {"steps": steps, "dev": dev, "trouble": trouble})
    write_json(out / "train.json", summary.model_dump(mode="json"))
