"""The data steps: ingest, the recipe, then audit and split."""

import os
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.data import freeze
from tunewright.data.audit import audit
from tunewright.data.examples import Examples
from tunewright.data.ingest import EXAMPLES, SUMMARY
from tunewright.data.ingest import ingest as ingest_sources
from tunewright.data.recipe import ROWS, Node, OpResult, graph, load_account, reads, work
from tunewright.data.split import split as split_examples
from tunewright.project.plan import Outside
from tunewright.project.steps import StepContext
from tunewright.store.artifact import Artifact, Derivation, InputRef

RECIPE = "recipe.json"
"""What each operation of the recipe did, in order, with the artifact that has its rows."""
_TOLD = {"id", "rows_in", "rows_out", "dropped", "changed", "added", "tally"}


class _Given(NamedTuple):
    """Rows that an operation may take, and the artifact that they stand in."""

    rows: Sequence[Example]
    ref: InputRef


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


def prepare(ctx: StepContext) -> None:
    """Examples → the recipe's operations, each an artifact of its own and made anew only where it is stale → rows.jsonl."""
    given = _sources(ctx)
    last = ctx.inputs["ingest"].file(EXAMPLES)
    done = []
    for node in graph(ctx.file.recipe, given):
        artifact = _worked(ctx, node, given)
        last = artifact.file(ROWS)
        given[node.id] = _Given(Examples(last), artifact.ref)
        # equal work under another name is not done twice
        account = load_account(artifact.path).model_copy(update={"id": node.id, "needs": node.needs})
        done.append({"artifact": artifact.id, "account": account.model_dump(mode="json")})
        ctx.emit("prepare.op", **account.model_dump(include=_TOLD))
    _link(last, ctx.out / ROWS)
    write_json(ctx.out / RECIPE, done)
    ctx.emit("prepare.done", operations=len(done), rows=len(Examples(last)))


def load_accounts(prepared: Path) -> list[OpResult]:
    """What the recipe's operations did, from the step's folder."""
    return [OpResult.model_validate(row["account"]) for row in read_json(prepared / RECIPE)]


def _sources(ctx: StepContext) -> dict[str, _Given]:
    """Each source's own rows: they lie in the file one source after the other."""
    made = ctx.inputs["ingest"]
    found, begin = dict[str, _Given](), 0
    for name, counts in read_json(made.file(SUMMARY))["sources"].items():
        rows = Examples(made.file(EXAMPLES), begin, counts["examples"])
        found[name] = _Given(rows, InputRef(id=made.id, content=_digest(rows)))
        begin += counts["examples"]
    return found


def _digest(rows: Examples) -> str:
    found = sha256()
    for lines in rows.chunks():
        found.update(lines)
    return found.hexdigest()


def _worked(ctx: StepContext, node: Node, given: dict[str, _Given]) -> Artifact:
    """The artifact of one operation: found, or made."""
    needs = {need: given[need] for need in node.needs}
    outside = Outside(ctx.file, ctx.root)
    derivation = Derivation(
        step=f"recipe.{node.spec.op}",
        version=node.version,
        spec=node.settings,
        inputs={need: one.ref for need, one in needs.items()},
        external={
            name: digest for kind in reads([node.spec]) for name, digest in outside.hashes(kind).items()
        },
    )
    found = ctx.store.find(derivation)
    if found is not None:
        found.verify()
        return found
    out = ctx.store.work(derivation) / "out"
    shutil.rmtree(out, ignore_errors=True)
    work(node, {need: one.rows for need, one in needs.items()}, out, root=ctx.root, workers=ctx.threads)
    return ctx.store.publish(derivation, out, {})


def _link(path: Path, target: Path) -> None:
    """The same file under another name: both are written once. Copied where the disk knows no second name."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def split(ctx: StepContext) -> None:
    """Rows → train, dev and test, frozen, with their audit."""
    prepared = ctx.inputs["prepare"]
    accounts = load_accounts(prepared.path)
    parts = split_examples(list(Examples(prepared.file(ROWS))), ctx.file.split)
    info = freeze.freeze(parts, ctx.out)
    found = audit({"train": parts.train, "dev": parts.dev, "test": parts.test}, accounts)
    write_json(ctx.out / "audit.json", found.model_dump(mode="json"))
    ctx.emit("split.done", rows=info.rows, findings=len(found.findings))
