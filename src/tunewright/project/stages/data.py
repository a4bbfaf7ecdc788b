"""The data steps: ingest, then audit and split."""

from tunewright.core.files import write_json
from tunewright.data import freeze
from tunewright.data.audit import audit
from tunewright.data.examples import read_examples
from tunewright.data.ingest import EXAMPLES
from tunewright.data.ingest import ingest as ingest_sources
from tunewright.data.recipe import apply_recipe
from tunewright.data.split import split as split_examples
from tunewright.project.steps import StepContext


def ingest(ctx: StepContext) -> None:
    """Sources → examples.jsonl, rejects.jsonl, summary.json."""
    ingest_sources(
        ctx.file.sources,
        ctx.file.task,
        ctx.root,
        ctx.out,
        reject_budget=ctx.file.data.reject_budget,
        emit=ctx.emit,
    )


def split(ctx: StepContext) -> None:
    """Examples → the recipe's ops → train, dev and test, frozen, with their audit."""
    result = apply_recipe(ctx.file.recipe, read_examples(ctx.inputs["ingest"].file(EXAMPLES)))
    parts = split_examples(result.examples, ctx.file.split)
    info = freeze.freeze(parts, ctx.out)
    found = audit({"train": parts.train, "dev": parts.dev, "test": parts.test})
    write_json(ctx.out / "audit.json", found.model_dump(mode="json"))
    write_json(ctx.out / "recipe.json", [step.model_dump(mode="json") for step in result.steps])
    ctx.emit("split.done", rows=info.rows, findings=len(found.findings))
