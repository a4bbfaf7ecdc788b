"""Continued pretraining: cross-entropy on all of a document's tokens, the mean over the step's trained tokens.

A document is a text without template and system prompt, and ends with the end-of-sequence token. One longer than
train.max_length is trained in pieces (train/length.py).
"""

from collections.abc import Sequence

from tunewright.core.errors import DataError, Problem
from tunewright.core.example import Example
from tunewright.models.template import Renderer
from tunewright.train.methods._likelihood import conversations, needs_reference, part, totals
from tunewright.train.pack import Tree, compact
from tunewright.train.spec import TrainSpec

__all__ = ["conversations", "examine", "needs_reference", "part", "totals", "trees"]


def examine(examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
    """Nothing to know. Raises DataError for a row that is no document."""
    talk = next((example for example in examples if not example.is_document), None)
    if talk:
        raise DataError(
            "cpt trains documents, and a row is a conversation",
            where=talk.place,
            fix="Choose the method sft, or name the column that holds the text alone (columns: {text: …}).",
        )
    return []


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """Each document whole, a tree of one row."""
    return [Tree((compact(example.id, *renderer.document(example.expected)),)) for example in examples]
