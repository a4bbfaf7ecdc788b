"""Recipe: operations on examples, one after the other, each with an account of what it dropped.

To add an operation, add its settings to data/spec.py and a file of its name to data/ops/ with
`apply(spec, examples) -> Applied`.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.data.ops.applied import Applied
from tunewright.data.spec import RecipeOp


class OpResult(BaseModel):
    """What one operation did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    rows_in: int
    rows_out: int
    dropped: tuple[tuple[str, str], ...]
    """(the row's place, reason), in order. rows_in = rows_out + dropped."""


class RecipeResult(NamedTuple):
    """The examples that are left, in order, and one account for each operation."""

    examples: list[Example]
    steps: list[OpResult]


def apply_recipe(ops: Sequence[RecipeOp], examples: list[Example]) -> RecipeResult:
    """Apply the operations in order."""
    steps = []
    for spec in ops:
        result: Applied = import_module(f"tunewright.data.ops.{spec.op}").apply(spec, examples)
        step = OpResult(
            op=spec.op, rows_in=len(examples), rows_out=len(result.kept), dropped=tuple(result.dropped)
        )
        steps.append(step)
        examples = result.kept
    return RecipeResult(examples, steps)
