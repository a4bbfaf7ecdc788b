"""The measuring steps: the baselines and the fine-tune, on every suite, example by example."""

from collections.abc import Sequence
from pathlib import Path

from tunewright.baselines import few_shot, prompt
from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.data.freeze import load_part
from tunewright.decide.cost import LatencySummary, latency_cost
from tunewright.decide.spec import PriceSpec
from tunewright.evals.calls import as_written, hangs_on_template
from tunewright.evals.io import save_scorecard
from tunewright.evals.leaks import leaks
from tunewright.evals.run import evaluate as evaluate_generator
from tunewright.evals.scorecard import Scorecard
from tunewright.evals.suite import Suite
from tunewright.evals.suites import SuiteError, askable, build_suite
from tunewright.generate.variant import Variant
from tunewright.models.base import Base, resolve_base
from tunewright.project.file import GENERAL, TARGET
from tunewright.project.steps import StepContext
from tunewright.store.artifact import MEASURED, Artifact

FINE_TUNE = "fine-tune"
VARIANTS = "variants.json"
DEV_SUITE = "few-shot.dev"
"""The suite that the number of shots is chosen by. No suite of the project file has a dot in its name."""


def baselines(ctx: StepContext) -> None:
    """The rivals: their variants, and a scorecard each."""
    suites = built_suites(ctx)
    _refuse_leak(ctx, suites)
    base = resolve_base(ctx.file.base, ctx.root)
    chosen = _few_shot_chosen_on_dev(ctx, base)
    plain = prompt.variant(base=base, system=ctx.file.task.system, decoding=ctx.file.answering)
    rivals = [plain] if ctx.file.baselines.prompt else []
    rivals += chosen
    if not rivals:
        raise UserError(
            "there is no rival left: no number of few_shot has as many training rows to show",
            where="baselines.few_shot",
            fix="Ask for fewer worked examples, or set baselines.prompt to true.",
        )
    for suite in suites:
        # what training loses of the base's other skills is measured from the bare base, a rival or not
        for variant in [plain, *chosen] if suite.name == GENERAL else rivals:
            measure(ctx, base, variant, suite)
    write_json(ctx.out / VARIANTS, [variant.model_dump(mode="json") for variant in rivals])


def evaluate(ctx: StepContext) -> None:
    """The fine-tune, on the same suites as the baselines."""
    base = resolve_base(ctx.file.base, ctx.root)
    variant = fine_tune_variant(ctx, base, ctx.inputs["train"].file("adapter"))
    for suite in built_suites(ctx):
        measure(ctx, base, variant, suite)


def fine_tune_variant(ctx: StepContext, base: Base, adapter: Path) -> Variant:
    """The base with the adapter and the task's prompt."""
    return Variant(
        name=FINE_TUNE,
        base_hash=base.hash,
        adapter=str(adapter),
        system=ctx.file.task.system,
        decoding=ctx.file.answering,
    )


def card_name(variant: str, suite: str) -> str:
    """The file of a scorecard inside a measuring step's artifact."""
    return f"cards/{variant}--{suite}.jsonl"


def timings_name(variant: str, suite: str) -> str:
    """The file of a scorecard's latencies, in seconds an example."""
    return f"{MEASURED}/{variant}--{suite}.json"


def read_variants(folder: Path) -> list[Variant]:
    """The variants a measuring step measured."""
    return [Variant.model_validate(row) for row in read_json(folder / VARIANTS)]


def latencies(baselines: Artifact, evaluate: Artifact, prices: PriceSpec) -> dict[str, LatencySummary]:
    """Variant → the times of its answers to the target suite, the rivals' first; without those that answered nothing."""
    rivals = [variant.name for variant in read_variants(baselines.path)]
    sources = {**dict.fromkeys(rivals, baselines), FINE_TUNE: evaluate}
    times = {name: read_json(artifact.file(timings_name(name, TARGET))) for name, artifact in sources.items()}
    found = {name: latency_cost(seconds, prices) for name, seconds in times.items()}
    return {name: summary for name, summary in found.items() if summary is not None}


def built_suites(ctx: StepContext) -> list[Suite]:
    """Every suite of the project, in the file's order. For steps that need the split."""
    test = load_part(ctx.inputs["split"].path, "test")
    suites = ctx.file.suites.items()
    return _as_answered(
        ctx, [build_suite(name, spec, test, ctx.file.task, ctx.root) for name, spec in suites]
    )


def dev_suite(ctx: StepContext, name: str, dev: Sequence[Example]) -> Suite:
    """Rows of dev, graded as the target suite is."""
    spec = ctx.file.suites[TARGET].model_copy(update={"examples": "test", "limit": None, "slices": ()})
    return _as_answered(ctx, [build_suite(name, spec, dev, ctx.file.task, ctx.root)])[0]


def _as_answered(ctx: StepContext, suites: list[Suite]) -> list[Suite]:
    """The suites with expected answers as the base's template has them."""
    if not any(map(hangs_on_template, suites)):
        return suites
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer

    renderer = Renderer(load_tokenizer(resolve_base(ctx.file.base, ctx.root)))
    return [as_written(suite, renderer, ctx.file.task.system) for suite in suites]


def _refuse_leak(ctx: StepContext, suites: Sequence[Suite]) -> None:
    """Raises SuiteError where the target suite's file asks what training rows ask: the verdict would flatter."""
    if ctx.file.suites[TARGET].examples == "test":
        return
    target = [suite for suite in suites if suite.name == TARGET]
    found = leaks(target, load_part(ctx.inputs["split"].path, "train"))
    if found:
        raise SuiteError(list(found.values()))


def _few_shot_chosen_on_dev(ctx: StepContext, base: Base) -> list[Variant]:
    """The few-shot variant whose number of shots does best on dev; none when none is asked for."""
    folder = ctx.inputs["split"].path
    train = askable(load_part(folder, "train"))
    if left_out := few_shot.left_out(ctx.file.baselines, train):
        ctx.emit("baselines.left_out", shots=left_out.shots, rows=left_out.rows, words=left_out.words)
    candidates = few_shot.candidates(
        ctx.file.baselines,
        train,
        base=base,
        system=ctx.file.task.system,
        decoding=ctx.file.answering,
    )
    if len(candidates) < 2:
        return candidates
    dev = askable(load_part(folder, "dev"))[: ctx.file.baselines.dev_limit]
    suite = dev_suite(ctx, DEV_SUITE, dev)
    cards = [measure(ctx, base, variant, suite) for variant in candidates]
    best = few_shot.choose(cards)
    return [variant for variant in candidates if variant.name == best]


def measure(ctx: StepContext, base: Base, variant: Variant, suite: Suite) -> Scorecard:
    """Ask, score, and save the scorecard with its latencies beside it."""
    from tunewright.generate.resolve import bare, load_variant
    from tunewright.models.machine import set_threads

    set_threads(ctx.threads)
    # the general suite asks without the task's prompt: it is about what answers, not about the task
    asked = bare(variant) if suite.name == GENERAL else variant
    generator = load_variant(asked, base)
    work = ctx.work / "replies" / f"{variant.name}--{suite.name}"
    work.mkdir(parents=True, exist_ok=True)
    found = evaluate_generator(generator, variant.name, suite, asked.decoding, work=work, emit=ctx.emit)
    card = ctx.out / card_name(variant.name, suite.name)
    card.parent.mkdir(exist_ok=True)
    save_scorecard(found.scorecard, card)
    timings = ctx.out / timings_name(variant.name, suite.name)
    timings.parent.mkdir(exist_ok=True)
    write_json(timings, found.timings)
    return found.scorecard
