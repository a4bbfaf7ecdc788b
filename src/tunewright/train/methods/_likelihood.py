"""The likelihood of the trained tokens, of answers (sft) or documents (cpt), and who may learn from documents."""

from collections.abc import Sequence

from torch import Tensor

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.message import Conversation, parts_of
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
    """Trained tokens, each by its weight, and trees."""
    weighed = sum(
        len(batch.labels) if batch.weights is None else float(batch.weights.sum()) for batch in batches
    )
    return counted(batches)._replace(tokens=weighed)


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """Negative log-likelihood of the trained tokens in nats, each by its weight, divided by the step's weights."""
    return Part(mean_loss(policy.logprobs(batch), batch.weights, totals.tokens))


def mean_loss(logprobs: Tensor, weights: Tensor | None, total: float) -> Tensor:
    """The share of trained tokens with log-probabilities [N] and weights [N] in a mean loss over weights of that total."""
    found = logprobs if weights is None else logprobs * weights.to(logprobs.device)
    return -found.sum() / total


def refuse_weights(examples: Sequence[Example], method: str) -> None:
    """Raises DataError for an answer that counts by a part: a method of whole answers has no such thing."""
    first = next((example for example in examples if parts_of(example.messages)), None)
    if first:
        raise DataError(
            f"{method} takes no weights between 0 and 1, and a row has one",
            where=first.place,
            fix="Choose the method sft, or take the weights out of the rows.",
        )


def refuse_documents(examples: Sequence[Example], method: str) -> None:
    """Raises DataError for a document: a method that trains answers has nothing to ask it."""
    first = next((example for example in examples if example.is_document), None)
    if first:
        raise DataError(
            f"{method} trains answers, and a row is a document, which nothing asks for",
            where=first.place,
            fix="Choose the method cpt, or name the columns that ask and answer (columns: {input: …, expected: …}).",
        )
