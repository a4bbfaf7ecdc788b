"""The data steps: ingest, then audit and split."""

from tunewright.core.example import Example
from tunewright.core.files import read_jsonl, write_json
from tunewright.data import freeze
from tunewright.data.audit import audit
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
    rows = read_jsonl(ctx.inputs["ingest"].file("examples.jsonl"))
    examples = [Example.model_validate(row) for row in rows]
    result = apply_recipe(ctx.file.recipe, examples)
    parts = split_examples(result.examples, ctx.file.split)
    info = freeze.freeze(parts, ctx.out)
    found = audit({"train": parts.train, "dev": parts.dev, "test": parts.test})
    write_json(ctx.out / "audit.json", found.model_dump(mode="json"))
    write_json(ctx.out / "recipe.json", [step.model_dump(mode="json") for step in result.steps])
    ctx.emit("split.done", rows=info.rows, findings=len(found.findings))
