"""Continued pretraining: cross-entropy on all of a document's tokens, the mean over the step's trained tokens.

A document is a text without template and system prompt, and ends with the end-of-sequence token. One longer than
train.max_length is trained in pieces (train/length.py).
"""

from collections.abc import Sequence

from tunewright.core.errors import DataError, Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.models.template import Renderer
from tunewright.train.methods import Part, Totals, counted
from tunewright.train.methods._likelihood import likelihood
from tunewright.train.pack import Batch, Row, Tree
from tunewright.train.policy import Policy
from tunewright.train.spec import TrainSpec


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


def needs_reference(spec: TrainSpec) -> bool:
    """No."""
    return False


def conversations(example: Example) -> list[Conversation]:
    """The document as it is."""
    return [example.messages]


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """Each document whole, a tree of one row."""
    return [Tree((Row(example.id, *renderer.document(example.expected)),)) for example in examples]


def totals(policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
    """Trained tokens and trees."""
    return counted(batches)


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """Negative log-likelihood of the documents' tokens in nats, divided by the step's number of them."""
    return likelihood(policy, batch, totals)
