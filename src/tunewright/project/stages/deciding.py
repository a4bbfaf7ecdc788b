"""The deciding steps: the verdict, and the release that it allows."""

import shutil

from tunewright.core.files import read_json, write_json
from tunewright.data.freeze import load_part
from tunewright.decide.decide import decide as decide_verdict
from tunewright.decide.verdict import Verdict
from tunewright.evals.io import load_scorecard
from tunewright.evals.scorecard import Scorecard
from tunewright.models.base import Base, resolve_base
from tunewright.project.file import GENERAL, TARGET
from tunewright.project.stages.measuring import FINE_TUNE, card_name, fine_tune_variant, read_variants
from tunewright.project.steps import StepContext
from tunewright.store.artifact import Artifact

VERDICT = "verdict.json"
RELEASE = "release.json"
PROMPT = "prompt"


def decide(ctx: StepContext) -> None:
    """The fine-tune against every rival on the same examples; gates; the verdict in words."""
    rivals = [
        read_card(ctx.inputs["baselines"], v.name, TARGET)
        for v in read_variants(ctx.inputs["baselines"].path)
    ]
    verdict = decide_verdict(
        read_card(ctx.inputs["evaluate"], FINE_TUNE, TARGET),
        rivals,
        general=(
            read_card(ctx.inputs["baselines"], PROMPT, GENERAL),
            read_card(ctx.inputs["evaluate"], FINE_TUNE, GENERAL),
        ),
        gates=ctx.file.gates,
        prices=ctx.file.prices,
        clusters=_clusters(ctx),
    )
    write_json(ctx.out / VERDICT, verdict.model_dump(mode="json"))
    ctx.emit("decide.done", outcome=verdict.outcome, words=verdict.words, releasable=verdict.releasable)


def _clusters(ctx: StepContext) -> dict[str, str] | None:
    """Test example → its group, where the split keeps groups together: rows of one group are not independent."""
    field = ctx.file.split.group_by
    if field is None:
        return None
    return {
        example.id: str(example.fields.get(field)) for example in load_part(ctx.inputs["split"].path, "test")
    }


def release(ctx: StepContext) -> None:
    """The variant frozen with its adapter and scorecards. The alias is moved by the run, once the artifact stands."""
    base = resolve_base(ctx.file.base, ctx.root)
    verdict = read_verdict(ctx.inputs["decide"])
    shutil.copytree(ctx.inputs["train"].file("adapter"), ctx.out / "adapter")
    for name in ("evaluate", "baselines"):
        shutil.copytree(ctx.inputs[name].file("cards"), ctx.out / "cards", dirs_exist_ok=True)
    variant = fine_tune_variant(ctx, base, ctx.out / "adapter").model_copy(update={"adapter": "adapter"})
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


def _template_hash(base: Base) -> str:
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer

    return Renderer(load_tokenizer(base)).template_hash
