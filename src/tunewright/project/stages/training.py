"""The training steps: the gate before training, and training itself."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import chain, tee
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tunewright.core.errors import GateError, Problem
from tunewright.core.events import Emit
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.core.generation import Decoding, Generator
from tunewright.data.examples import read_examples, write_examples
from tunewright.data.freeze import load_part
from tunewright.decide.spec import PriceSpec
from tunewright.evals.general import practice
from tunewright.evals.run import evaluate
from tunewright.evals.suites import askable, asked
from tunewright.generate.prompted import Prompted
from tunewright.generate.variant import Variant
from tunewright.models.base import Base, resolve_base
from tunewright.project.file import GENERAL
from tunewright.project.stages.measuring import FINE_TUNE, dev_suite, measure
from tunewright.project.steps import StepContext
from tunewright.store.artifact import Artifact
from tunewright.train.summary import TrainSummary

REHEARSAL = "rehearsal.jsonl"
REHEARSED = Decoding(max_new_tokens=256)
"""How the base answers general prompts: not as the task's answers are cut."""
_LIBRARIES = ("tunewright", "torch", "transformers", "peft")
"""Whose versions a run is shown with."""
_TIMES = {"train.preflight": "seconds", "train.estimate": "seconds", "train.step": "elapsed"}
"""Events that say how long training takes, and in which fact: the cost goes by it."""


def read_summary(train: Artifact) -> TrainSummary:
    """What is known of a training run."""
    return TrainSummary.model_validate(read_json(train.file("train.json")))


def gate(ctx: StepContext) -> None:
    """Every row of train and dev rendered and its loss mask checked, what suites ask measured; refuses on any failure."""
    from tunewright.generate.constraint import Constraints
    from tunewright.models.load import base_positions, base_width
    from tunewright.models.template import Rendered, Renderer
    from tunewright.train.defaults import facts_of
    from tunewright.train.gate import check_answers, check_rows, unseen_words
    from tunewright.train.length import emptied, fit
    from tunewright.train.methods import find_method
    from tunewright.train.positions import beyond
    from tunewright.train.weights import own_tokenizer

    base = resolve_base(ctx.file.base, ctx.root)
    folder = ctx.inputs["split"].path
    spec, system = ctx.file.train, ctx.file.task.system
    renderer = Renderer(own_tokenizer(base, spec.adapter))
    train, dev = (load_part(folder, part) for part in ("train", "dev"))
    method = find_method(spec.method)
    method.examine([*train, *dev], spec)
    fitted, fitted_dev = (fit(part, method, renderer, system, spec, ctx.work) for part in (train, dev))
    examples = chain(fitted.trained(train), fitted_dev.trained(dev))
    rows, known = tee(
        ((example.id, talk), [Rendered(list(tree.rows[at].ids), list(tree.rows[at].mask)) for tree in trees])
        for example, trees in zip(examples, chain(fitted.by_example(), fitted_dev.by_example()), strict=True)
        for at, talk in enumerate(method.conversations(example))
    )
    ctx.emit("gate.start", rows=fitted.shelf.rows + fitted_dev.shelf.rows)
    report = check_rows(
        (row for row, _ in rows),
        renderer,
        spec.max_length,
        system,
        rendered=(rendered for _, rendered in known),
        over_long=spec.over_long,
    )
    if (schema := ctx.file.answering.json_schema) is not None:
        answered = [*train, *dev, *load_part(folder, "test")]
        barred = check_answers(answered, Constraints(renderer).for_schema(schema))
        report = report.model_copy(update={"problems": (*report.problems, *barred)})
    facts = facts_of(fitted.shelf, base_width(base))
    cut, dropped = fitted.cut + fitted_dev.cut, fitted.dropped + fitted_dev.dropped
    report = report.model_copy(update={"facts": facts, "cut": cut, "dropped": dropped})
    write_json(ctx.out / "gate.json", report.model_dump(mode="json"))
    problems = [found.problem() for found in report.problems]
    problems += unseen_words(spec.adapter.new_words, renderer, fitted.rendered() if not problems else [])
    problems += emptied("train", fitted, spec.max_length) + emptied("dev", fitted_dev, spec.max_length)
    fitting = [length for length in report.lengths if length <= spec.max_length]
    problems += beyond(chain(fitted.shelf, fitted_dev.shelf), fitting, base_positions(base))
    problems += _asked_problems(ctx, base)
    ctx.emit(
        "gate.done",
        rows=report.rows,
        problems=len(problems),
        cut=len(report.cut),
        dropped=len(report.dropped),
    )
    if problems:
        raise GateError(problems)


def _asked_problems(ctx: StepContext, base: Base) -> list[Problem]:
    """What is wrong with examples of the project's own suites before any is asked: the untouched base has to take them."""
    from tunewright.models.load import base_positions, load_tokenizer
    from tunewright.models.template import Renderer
    from tunewright.train.gate import check_asked

    test = load_part(ctx.inputs["split"].path, "test")
    task, most = ctx.file.task, ctx.file.decoding.max_new_tokens
    suites = {name: spec for name, spec in ctx.file.suites.items() if spec.examples != GENERAL}
    examples = (
        example for name, spec in suites.items() for example in asked(name, spec, test, task, ctx.root)
    )
    once = {example.id: example for example in examples}
    renderer = Renderer(load_tokenizer(base))
    return check_asked(list(once.values()), renderer, task.system, most, base_positions(base))


def rehearse(ctx: StepContext) -> None:
    """General prompts with the base's own answers, as many as `train.rehearsal` asks for; those cut short are left out."""
    from tunewright.train.rehearsal import rehearsal_rows

    count = round(ctx.file.train.rehearsal * len(load_part(ctx.inputs["split"].path, "train")))
    suite = practice("rehearsal", count)
    answered = []
    if count:
        base = resolve_base(ctx.file.base, ctx.root)
        card = measure(ctx, base, Variant(name="base", base_hash=base.hash, decoding=REHEARSED), suite)
        replies = zip(suite.examples, card.replies, strict=True)
        answered = [(example.prompt, reply.text) for example, reply in replies if reply.finish == "stop"]
    rows = rehearsal_rows(answered)
    write_examples(ctx.out / REHEARSAL, rows)
    ctx.emit("rehearse.done", rows=len(rows), asked=count)


def train(ctx: StepContext) -> None:
    """The adapter, its history and the proof that it learnt."""
    from tunewright.train import sinks
    from tunewright.train.run import train as train_adapter

    folder = ctx.inputs["split"].path
    dev = load_part(folder, "dev")
    base = resolve_base(ctx.file.base, ctx.root)
    named, place = ctx.file.train.sinks, ctx.store.root / "sinks"
    with sinks.shown(named, ctx.file.name, ctx.work.name, place, ctx.emit, described(ctx, base)) as shown:
        train_adapter(
            ctx.file.train,
            load_part(folder, "train"),
            dev,
            base=base,
            system=ctx.file.task.system,
            rehearsal=read_examples(ctx.inputs["rehearse"].file(REHEARSAL)),
            judge=_judge(ctx, dev),
            work=ctx.work,
            out=ctx.out,
            emit=priced(shown, ctx.file.prices),
            threads=ctx.threads,
            references=ctx.store.root / "references",
        )


def described(ctx: StepContext, base: Base) -> dict[str, Any]:
    """What tells this run from others: how it trains, with what the data decided, on which base and rows, and by what."""
    from tunewright.train.defaults import Facts, settle

    facts = Facts(*read_json(ctx.inputs["gate"].file("gate.json"))["facts"])
    settled, _ = settle(ctx.file.train, facts)
    idle = {"dpo", "orpo", "kto", "sinks"} - {settled.method}
    rows = {"artifact": ctx.inputs["split"].id, "hash": ctx.inputs["split"].manifest.content}
    return {
        "train": settled.model_dump(exclude=idle),
        "base": {"name": base.portable_ref, "hash": base.hash},
        "rows": rows,
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def priced(emit: Emit, prices: PriceSpec) -> Emit:
    """Says with each estimate what training will cost, and with each step what it has, cut-off attempts too."""
    if not prices.machine_per_hour:
        return emit

    def tell(kind: str, **data: Any) -> None:
        if kind in _TIMES:
            data |= {"cost": data[_TIMES[kind]] / 3600 * prices.machine_per_hour, "currency": prices.currency}
        emit(kind, **data)

    return tell


def _judge(ctx: StepContext, dev: Sequence[Example]) -> Callable[[Generator], float] | None:
    """Grades answers to dev rows by the target suite's headline grader; none where none are asked for."""
    rows = askable(dev)[: ctx.file.train.dev_answers]
    if not rows:
        return None
    suite = dev_suite(ctx, "train.dev", rows)

    def judge(generator: Generator) -> float:
        prompted = Prompted(generator, ctx.file.task.system, ())
        with TemporaryDirectory(dir=ctx.work) as work:
            found = evaluate(prompted, FINE_TUNE, suite, ctx.file.answering, work=Path(work))
        return found.scorecard.mean()

    return judge
