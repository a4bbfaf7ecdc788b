"""Supervised fine-tuning: cross-entropy on the answers' tokens, the mean over the step's trained tokens."""

from collections.abc import Sequence

from tunewright.core.errors import DataError, Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.models.template import Renderer
from tunewright.train.methods import Part, Totals, counted
from tunewright.train.methods._likelihood import likelihood, refuse_documents
from tunewright.train.pack import Batch, Tree, rendered_rows
from tunewright.train.policy import Policy
from tunewright.train.spec import TrainSpec


def examine(examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
    """Nothing to know. Raises DataError for documents, and for answers rated bad: they would be learnt like the others."""
    refuse_documents(examples, "sft")
    bad = [example for example in examples if not example.desirable]
    if bad:
        raise DataError(
            f"{len(bad)} answers were rated bad, and sft would learn them like the others",
            where=bad[0].place,
            fix="Choose the method kto, or take these rows out of the source.",
        )
    return []


def needs_reference(spec: TrainSpec) -> bool:
    """No."""
    return False


def conversations(example: Example) -> list[Conversation]:
    """The example as it is."""
    return [example.messages]


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """Each conversation rendered, a tree of one row."""
    return [Tree(rendered_rows(example.id, conversations(example), renderer)) for example in examples]


def totals(policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
    """Trained tokens and trees."""
    return counted(batches)


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """Negative log-likelihood of the trained tokens in nats, divided by the step's number of them."""
    return likelihood(policy, batch, totals)
