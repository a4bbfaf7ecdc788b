"""The likelihood of the trained tokens, of answers (sft) or documents (cpt), and who may learn from documents."""

from collections.abc import Sequence

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.train.methods import Part, Totals, counted
from tunewright.train.pack import Batch
from tunewright.train.policy import Policy
from tunewright.train.spec import TrainSpec


def needs_reference(spec: TrainSpec) -> bool:
    """No."""
    return False


def conversations(example: Example) -> list[Conversation]:
    """The example as it is."""
    return [example.messages]


def totals(policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
    """Trained tokens and trees."""
    return counted(batches)


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """Negative log-likelihood of the trained tokens in nats, divided by the step's number of them."""
    return Part(-policy.logprobs(batch).sum() / totals.tokens)


def refuse_documents(examples: Sequence[Example], method: str) -> None:
    """Raises DataError for a document: a method that trains answers has nothing to ask it."""
    first = next((example for example in examples if example.is_document), None)
    if first:
        raise DataError(
            f"{method} trains answers, and a row is a document, which nothing asks for",
            where=first.place,
            fix="Choose the method cpt, or name the columns that ask and answer (columns: {input: …, expected: …}).",
        )
