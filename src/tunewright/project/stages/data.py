"""The data steps: ingest, the recipe, then audit and split."""

import os
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, Self

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.core.hashing import hash_file
from tunewright.data import freeze
from tunewright.data.audit.audit import Audit, audit
from tunewright.data.examples import Examples
from tunewright.data.files import named_contents
from tunewright.data.ingest import EXAMPLES, SUMMARY
from tunewright.data.ingest import ingest as ingest_sources
from tunewright.data.parts import PARTS
from tunewright.data.recipe import ROWS, Node, OpResult, files, graph, load_account, uses, work
from tunewright.data.recipe_fields import check_fields
from tunewright.data.synthetic.beside import share_beside
from tunewright.data.workers import Sharing, sharing
from tunewright.models.base import resolve_base
from tunewright.project import embeddings
from tunewright.project.file import ProjectFile
from tunewright.project.means import ANSWERS, ProjectMeans
from tunewright.project.run import library_versions
from tunewright.project.steps import StepContext, of_task
from tunewright.project.teachers import identities
from tunewright.store.artifact import Artifact, Derivation, InputRef

RECIPE = "recipe.json"
"""What each operation of the recipe did, in order, with the artifact that has its rows."""
AUDIT = "audit.json"
"""What is odd about the split's rows. What the recipe did to them is not in it: rows that came out equal by other operations
are the same split."""
_TOLD = {"id", "rows_in", "rows_out", "dropped", "changed", "added", "given_up", "told", "tally"}


class Given(NamedTuple):
    """Rows that an operation may take, and the artifact that they are; of a source's, a part of one, their hash."""

    rows: Sequence[Example]
    ref: InputRef | None = None
    digest: str = ""

    @classmethod
    def of(cls, made: Artifact) -> Self:
        """What an operation made."""
        return cls(Examples(made.file(ROWS)), made.ref)


def ingest(ctx: StepContext) -> None:
    """Sources → examples.jsonl, rejects.jsonl, summary.json."""
    ingest_sources(
        ctx.file.sources,
        ctx.file.task,
        ctx.root,
        ctx.out,
        reject_budget=ctx.file.data.reject_budget,
        workers=ctx.threads,
        emit=ctx.emit,
    )


def prepare(ctx: StepContext) -> None:
    """Examples → the recipe's operations, each an artifact of its own and made anew only where it is stale → rows.jsonl."""
    given = of_sources(ctx.inputs["ingest"])
    last = ctx.inputs["ingest"].file(EXAMPLES)
    done = []
    nodes = graph(ctx.file.recipe, given)
    check_fields(nodes, {name: one.rows for name, one in given.items()})
    if ctx.file.data.scale == "ray" and (here := [node.id for node in nodes if not node.is_single]):
        ctx.emit("prepare.here", operations=here)
    with sharing(ctx.file.data.scale, ctx.threads, ctx.emit) as workers:
        for node, after in zip_longest(nodes, nodes[1:]):
            keyed = after is None or after.drops  # the split goes by keys, too
            artifact = _worked(ctx, node, given, workers, keyed)
            last = artifact.file(ROWS)
            given[node.id] = Given.of(artifact)
            account = account_of(node, artifact)
            done.append({"artifact": artifact.id, "account": account.model_dump(mode="json")})
            ctx.emit("prepare.op", **account.model_dump(include=_TOLD))
    _link(last, ctx.out / ROWS)
    write_json(ctx.out / RECIPE, done)
    ctx.emit("prepare.done", operations=len(done), rows=account.rows_out if done else len(Examples(last)))


class Reached(NamedTuple):
    """A part of the recipe, worked."""

    rows: dict[str, Sequence[Example]]
    """What each source and operation has, by its name."""
    made: dict[str, Artifact]
    """Each operation's artifact."""


def reach(ctx: StepContext, nodes: Sequence[Node]) -> Reached:
    """The sources, and these operations made anew where they are stale, with their rows."""
    given, made = of_sources(ctx.inputs["ingest"]), dict[str, Artifact]()
    check_fields(nodes, {name: one.rows for name, one in given.items()})
    with sharing(ctx.file.data.scale, ctx.threads, ctx.emit) as workers:
        for node in nodes:
            made[node.id] = _worked(ctx, node, given, workers)
            given[node.id] = Given.of(made[node.id])
    return Reached({name: one.rows for name, one in given.items()}, made)


def audit_of(made: Mapping[str, Artifact]) -> Audit:
    """What is odd about a project's rows, with what the recipe did; `made` has the artifacts of prepare and split."""
    found = Audit.model_validate(read_json(made["split"].file(AUDIT)))
    return found.with_recipe(load_accounts(made["prepare"].path))


def load_accounts(prepared: Path) -> list[OpResult]:
    """What the recipe's operations did, from the step's folder."""
    return [OpResult.model_validate(row["account"]) for row in read_json(prepared / RECIPE)]


def account_of(node: Node, made: Artifact) -> OpResult:
    """What an operation did, under the name that it has here: equal work under another name is not done twice."""
    return load_account(made.path).model_copy(update={"id": node.id, "needs": node.needs})


def of_sources(ingested: Artifact) -> dict[str, Given]:
    """Each source's own rows: they lie in the file one source after the other."""
    found, begin = dict[str, Given](), 0
    path, sources = ingested.file(EXAMPLES), read_json(ingested.file(SUMMARY))["sources"]
    if len(sources) == 1:
        return {name: Given(Examples(path), digest=hash_file(path)) for name in sources}
    for name, counts in sources.items():
        rows = Examples(path, begin, counts["examples"])
        found[name] = Given(rows, digest=_digest(rows))
        begin += counts["examples"]
    return found


def _digest(rows: Examples) -> str:
    found = sha256()
    for lines in rows.chunks():
        found.update(lines)
    return found.hexdigest()


def derivation_of(file: ProjectFile, root: Path, node: Node, given: Mapping[str, Given]) -> Derivation:
    """All that determines an operation's artifact. What it takes counts by content and order, not by name.

    Raises UserError where something that it uses besides rows is not there.
    """
    needs = [given[need] for need in node.needs]
    rows = {f"rows {number}": one.digest for number, one in enumerate(needs) if one.ref is None}
    return Derivation(
        step=f"recipe.{node.spec.op}",
        version=node.version,
        spec={**node.settings, **of_task(file, uses([node.spec]))},
        inputs={str(number): one.ref for number, one in enumerate(needs) if one.ref is not None},
        external={**rows, **_outside(file, root, node)},
    )


def _worked(
    ctx: StepContext, node: Node, given: dict[str, Given], workers: Sharing, keyed: bool = False
) -> Artifact:
    """The artifact of one operation: found, or made. Made with `keyed`, its rows' keys are at hand for what comes next."""
    derivation = derivation_of(ctx.file, ctx.root, node, given)
    found = ctx.store.find(derivation)
    if found is not None:
        found.verify()
        return found
    out = ctx.store.work(derivation) / "out"
    shutil.rmtree(out, ignore_errors=True)
    taken = {need: given[need].rows for need in node.needs}
    kept = ctx.store.root / ANSWERS
    means = ProjectMeans(ctx.file, ctx.root, kept=kept, asks=ctx.asks, threads=ctx.threads, emit=ctx.emit)
    work(node, taken, out, means=means, workers=workers, keyed=keyed)
    means.tell()
    if derivation_of(ctx.file, ctx.root, node, given).external != derivation.external:
        raise UserError(f"a file that {node.id} reads changed while it was at work", fix="Run again.")
    return ctx.store.publish(derivation, out, library_versions())


def _outside(file: ProjectFile, root: Path, node: Node) -> dict[str, str]:
    """What an operation uses besides rows, with its hashes."""
    used = uses([node.spec])
    held = named_contents(files([node.spec]), root)
    base = {"base": resolve_base(file.base, root).hash} if "base" in used else {}
    asked = identities(file, root, [node.spec]) | embeddings.identities(root, [node.spec])
    return {**base, **asked, **held}


def _link(path: Path, target: Path) -> None:
    """The same file under another name: both are written once. Copied where the disk knows no second name."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def split(ctx: StepContext) -> None:
    """Rows → train, dev and test, frozen, with their audit."""
    prepared = ctx.inputs["prepare"]
    rows = Examples(prepared.file(ROWS))
    shared = share_beside(rows, ctx.file.split, ctx.file.data, workers=ctx.threads)
    info = freeze.freeze(shared.parts, ctx.out)
    parts = {str(part): Examples(ctx.out / f"{part}.jsonl") for part in PARTS}
    found = audit(parts, split=shared.notes, workers=ctx.threads, read=shared.read)
    write_json(ctx.out / AUDIT, found.model_dump(mode="json"))
    ctx.emit("split.done", rows=info.rows, findings=len(found.findings))
