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

RECIPE = "recipe.json"
"""What each op of the recipe kept and dropped, row by row."""


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
    """Examples → the recipe's ops → train, dev and test, frozen, with their audit and what each op dropped."""
    result = apply_recipe(ctx.file.recipe, read_examples(ctx.inputs["ingest"].file(EXAMPLES)))
    parts = split_examples(result.examples, ctx.file.split)
    info = freeze.freeze(parts, ctx.out)
    found = audit({"train": parts.train, "dev": parts.dev, "test": parts.test}, result.steps)
    write_json(ctx.out / "audit.json", found.model_dump(mode="json"))
    write_json(ctx.out / RECIPE, [step.model_dump(mode="json") for step in result.steps])
    dropped = [
        {"op": step.op, "rows": len(step.dropped), "of": step.rows_in}
        for step in result.steps
        if step.dropped
    ]
    ctx.emit("split.done", rows=info.rows, dropped=dropped, findings=len(found.findings))
