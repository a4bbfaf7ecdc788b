"""The deciding steps: the verdict, and the release that it allows."""

import shutil
from pathlib import Path

from tunewright.baselines import prompt
from tunewright.core.files import read_json, write_json
from tunewright.core.hashing import canonical_json
from tunewright.decide.decide import decide as decide_verdict
from tunewright.decide.verdict import Verdict
from tunewright.evals.io import load_scorecard
from tunewright.evals.scorecard import Scorecard
from tunewright.models.base import Base, resolve_base
from tunewright.project.file import GENERAL, TARGET
from tunewright.project.stages.measuring import (
    FINE_TUNE,
    built_suites,
    card_name,
    fine_tune_variant,
    read_variants,
)
from tunewright.project.steps import StepContext
from tunewright.store.artifact import Artifact

VERDICT = "verdict.json"
RELEASE = "release.json"
PROMPT = prompt.NAME
ADAPTER_CONFIG = "adapter_config.json"


def decide(ctx: StepContext) -> None:
    """The fine-tune against every rival on the same examples; gates; the verdict in words."""
    candidate, *rivals = suite_cards(ctx, TARGET)
    # the order of suites in the file is in no key
    others = sorted(name for name in ctx.file.suites if name not in (TARGET, GENERAL))
    verdict = decide_verdict(
        candidate,
        rivals,
        general=general_cards(ctx),
        others=[card for name in others for card in suite_cards(ctx, name)],
        gates=ctx.file.gates,
        prices=ctx.file.prices,
        clusters=_clusters(ctx),
    )
    write_json(ctx.out / VERDICT, verdict.model_dump(mode="json"))
    ctx.emit("decide.done", outcome=verdict.outcome, words=verdict.words, releasable=verdict.releasable)


def suite_cards(ctx: StepContext, suite: str) -> list[Scorecard]:
    """The fine-tune's card on a suite (not the general one), then every rival's."""
    rivals = read_variants(ctx.inputs["baselines"].path)
    return [
        read_card(ctx.inputs["evaluate"], FINE_TUNE, suite),
        *(read_card(ctx.inputs["baselines"], rival.name, suite) for rival in rivals),
    ]


def general_cards(ctx: StepContext) -> list[Scorecard]:
    """The base's card on the general suite, the fine-tune's, then the few-shot rival's, where there is one."""
    made = ctx.inputs["baselines"]
    return [
        read_card(made, PROMPT, GENERAL),
        read_card(ctx.inputs["evaluate"], FINE_TUNE, GENERAL),
        *(read_card(made, rival.name, GENERAL) for rival in read_variants(made.path) if rival.shots),
    ]


def _clusters(ctx: StepContext) -> dict[str, str] | None:
    """Example → its group, where the split keeps groups together: rows of one group are not independent.

    As in the split, a blank ties no rows together: an example without a group is left out.
    """
    field = ctx.file.split.group_by
    if field is None:
        return None
    groups = {
        example.id: example.fields.get(field)
        # the target suite last: where an example stands in two suites, its group there counts
        for suite in sorted(built_suites(ctx), key=lambda suite: (suite.name == TARGET, suite.name))
        if suite.name != GENERAL
        for example in suite.examples
    }
    return {name: canonical_json(group) for name, group in groups.items() if group not in (None, "")}


def release(ctx: StepContext) -> None:
    """The variant frozen with its adapter and scorecards. The alias is moved by the run, once the artifact stands."""
    base = resolve_base(ctx.file.base, ctx.root)
    verdict = read_verdict(ctx.inputs["decide"])
    shutil.copytree(ctx.inputs["train"].file("adapter"), ctx.out / "adapter")
    for name in ("evaluate", "baselines"):
        shutil.copytree(ctx.inputs[name].file("cards"), ctx.out / "cards", dirs_exist_ok=True)
    _name_base(ctx.out / "adapter" / ADAPTER_CONFIG, base)
    variant = fine_tune_variant(ctx, base, ctx.out / "adapter").model_copy(
        update={"adapter": "adapter", "base": base.ref}
    )
    write_json(
        ctx.out / RELEASE,
        {
            "project": ctx.file.name,
            "variant": variant.model_dump(mode="json"),
            "template": _template_hash(base),
            "schema": ctx.file.task.output.model_dump(mode="json", by_alias=True).get("schema"),
            "verdict": verdict.model_dump(mode="json"),
            "passed": verdict.releasable,
        },
    )
    ctx.emit("release.done", passed=verdict.releasable)


def read_card(artifact: Artifact, variant: str, suite: str) -> Scorecard:
    """A scorecard out of a measuring step's artifact."""
    return load_scorecard(artifact.file(card_name(variant, suite)))


def read_verdict(artifact: Artifact) -> Verdict:
    """The verdict a decide step reached."""
    return Verdict.model_validate(read_json(artifact.file(VERDICT)))


def _name_base(config: Path, base: Base) -> None:
    """Write the base's name into a released adapter, for engines that look for the base there. A whole model needs none."""
    if not config.exists():
        return
    write_json(config, {**read_json(config), "base_model_name_or_path": base.portable_ref})


def _template_hash(base: Base) -> str:
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer

    return Renderer(load_tokenizer(base)).template_hash
