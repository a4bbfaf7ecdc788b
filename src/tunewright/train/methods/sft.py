"""Supervised fine-tuning: cross-entropy on the answers' tokens, the mean over the step's trained tokens.

With weights w of answers between 0 and 1 it is the weighted mean: Σ w·nll / Σ w over the step's trained tokens.
"""

from collections.abc import Sequence

from tunewright.core.errors import DataError, Problem
from tunewright.core.example import Example
from tunewright.models.template import Renderer
from tunewright.train.methods._likelihood import (
    conversations,
    needs_reference,
    part,
    refuse_documents,
    totals,
)
from tunewright.train.pack import Tree, rendered_rows
from tunewright.train.spec import TrainSpec

__all__ = ["conversations", "examine", "needs_reference", "part", "totals", "trees"]


def examine(examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
    """Nothing to know. Raises DataError for documents, and for answers rated bad: they would be learnt like the others."""
    refuse_documents(examples, "sft")
    bad = [example for example in examples if not example.desirable]
    if bad:
        raise DataError(
            f"{len(bad)} answers were rated bad, and sft would learn them like the others",
            where=bad[0].place,
            fix="Choose the method kto, take these rows out of the source, or rename their label where it is no rating.",
        )
    return []


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """Each conversation rendered, a tree of one row."""
    return [Tree(rows) for rows in rendered_rows(examples, conversations, renderer)]
