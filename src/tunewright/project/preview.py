"""A preview of the recipe: its operations on the first rows of each source, up to one of them, or a source's rows."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.files import read_json, read_jsonl
from tunewright.data.examples import Examples
from tunewright.data.ingest import EXAMPLES, SUMMARY
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import Means
from tunewright.data.recipe import DROPPED, GIVEN_UP, TOLD, Node, OpResult, apply_recipe, graph
from tunewright.data.recipe_fields import check_fields
from tunewright.store.artifact import Artifact

ROWS = 200
"""Rows of each source that a preview looks at."""


class Preview(NamedTuple):
    """What an operation makes of the first rows."""

    account: OpResult
    rows: list[Example]
    """The first rows that it keeps; of one that writes rows, those that it wrote."""
    dropped: list[tuple[str, str]]
    """(place, reason) of the first that it drops."""
    given_up: list[tuple[str, str]]
    """(place, reason) of the first that it tried and did not make."""


def preview(
    ops: Sequence[RecipeOp],
    ingested: Artifact,
    upto: str | None,
    *,
    means: Means,
    shown: int,
    rows: int = ROWS,
) -> Preview:
    """The recipe on the first `rows` rows of each source, up to the operation named (the last without a name).

    Of what it keeps and drops, `shown` rows each are told. A source's name stands for its rows as they were read. Raises
    UserError for a name that no operation or source has, and without a name where there is no operation to stand for it.
    """
    made, whole = dict[str, Sequence[Example]](), dict[str, Sequence[Example]]()
    begin = 0
    for name, counts in read_json(ingested.file(SUMMARY))["sources"].items():
        made[name] = Examples(ingested.file(EXAMPLES), begin, min(rows, counts["examples"]))
        whole[name] = Examples(ingested.file(EXAMPLES), begin, counts["examples"])
        begin += counts["examples"]
    nodes = graph(ops, made)
    names = [node.id for node in nodes]
    if upto is None and not nodes and len(made) > 1:
        fix = f"Name a source: {listed(made)}."
        raise UserError("the recipe has no operation, and there are several sources", where="recipe", fix=fix)
    upto = upto or [*made, *names][-1]
    if upto in made:
        return _source(upto, made[upto], shown)
    if upto not in names:
        known = [*names, *made]
        fix = did_you_mean(upto, known) or "Give one of these, or an id of its own to an operation."
        message = f"no operation or source is named {upto!r}; there are {listed(known)}"
        raise UserError(message, where="recipe", fix=fix)
    few = [_few(node, shown) for node in _behind(nodes, upto)]
    check_fields(few, whole)
    with TemporaryDirectory() as scratch:
        found = apply_recipe(few, made, Path(scratch), means=means)
        dropped, given_up = (_reasons(found.folder / name) for name in (DROPPED, GIVEN_UP))
        account = _without_file(found.steps[-1])
        # what an operation writes stands behind what it took, and is what its preview is for
        begin = account.rows_out - account.added if hasattr(few[-1].spec, "previewed") else 0
        rows_shown = list(found.examples[begin : begin + shown])
        return Preview(account, rows_shown, dropped[:shown], given_up[:shown])


def _source(name: str, rows: Sequence[Example], shown: int) -> Preview:
    """The first rows of a source, which nothing was done to."""
    account = OpResult(id=name, op="source", needs=(), rows_in=len(rows), rows_out=len(rows))
    return Preview(account, list(rows[:shown]), [], [])


def _without_file(account: OpResult) -> OpResult:
    """The account, without a word of the file that is gone after the look."""
    notes = tuple(note.replace(f" ({GIVEN_UP} has them)", "") for note in account.notes)
    notes = tuple(note.replace(f" {TOLD} has them all: look", " Look") for note in notes)
    return account.model_copy(update={"notes": notes})


def _reasons(path: Path) -> list[tuple[str, str]]:
    """Place and reason of each row in a file, where there is one."""
    return [(row["place"], row["reason"]) for row in read_jsonl(path)] if path.exists() else []


def _behind(nodes: Sequence[Node], name: str) -> list[Node]:
    """The operation of that name and those that its rows come through, in order: no other is worked, or paid for."""
    wanted = {name}
    for node in reversed(nodes):
        if node.id in wanted:
            wanted.update(node.needs)
    return [node for node in nodes if node.id in wanted]


def _few(node: Node, rows: int) -> Node:
    """The operation for a first look: one that writes rows, and may pay for them, writes a few."""
    fewer = getattr(node.spec, "previewed", None)
    return node if fewer is None else node._replace(spec=fewer(rows))
