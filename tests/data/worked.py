"""Recipes worked in a folder of their own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.core.files import read_jsonl
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import FilesOnly
from tunewright.data.recipe import CHANGED, DROPPED, OpResult, apply_recipe, graph


class Worked(NamedTuple):
    kept: list[Example]
    steps: list[OpResult]
    dropped: list[tuple[str, str]]
    """(place, reason), of all operations."""
    changed: list[tuple[str, str]]
    """(id before, id after), of all operations."""


def worked(
    ops: Sequence[RecipeOp],
    rows: Sequence[Example] | Mapping[str, Sequence[Example]],
    workers: int = 1,
    root: Path = Path(),
) -> Worked:
    sources = rows if isinstance(rows, Mapping) else {"rows": rows}
    with TemporaryDirectory() as folder:
        found = apply_recipe(
            graph(ops, sources), sources, Path(folder), means=FilesOnly(root), workers=workers
        )
        for step in found.steps:
            assert step.rows_in + step.added == step.rows_out + step.dropped
        logs = [Path(folder) / step.id for step in found.steps]
        dropped = [(row["place"], row["reason"]) for log in logs for row in read_jsonl(log / DROPPED)]
        changed = [(row["from"], row["to"]) for log in logs for row in read_jsonl(log / CHANGED)]
        return Worked(list(found.examples), found.steps, dropped, changed)
