"""Trees of a chosen and a rejected answer to one prompt, and what losses over such pairs have in common."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.message import Conversation, last_answer_trained
from tunewright.train.methods._likelihood import refuse_documents, refuse_weights
from tunewright.train.pack import Batch


def refuse_unpaired(examples: Sequence[Example], method: str) -> None:
    """Raises DataError for an example without a rejected answer, with one that is the same, or rated bad."""
    refuse_documents(examples, method)
    refuse_weights(examples, method)
    for example in examples:
        if example.rejected is None:
            fix = "Name the column of the worse answer (columns: {rejected: …}), or choose the method sft or kto."
            message = f"{method} needs a rejected answer beside the expected one, and a row has none"
            raise DataError(message, where=example.place, fix=fix)
        if not example.desirable:
            message = f"{method} takes the expected answer for the better one, and a row's is rated bad"
            raise DataError(message, where=example.place, fix="Drop the row, or choose the method kto.")
        if example.rejected.strip() == example.expected.strip():
            raise DataError(
                "the rejected answer is the expected one", where=example.place, fix="Drop the row."
            )


def pair(example: Example) -> list[Conversation]:
    """The conversation with its expected answer and with the rejected one, the last answers alone trained."""
    return [last_answer_trained(talk) for talk in (example.messages, example.worse) if talk is not None]


def references(batch: Batch, like: Tensor) -> Tensor:
    """The rows' log-probabilities under the base [R]."""
    return torch.tensor([row.reference for row in batch.rows], device=like.device)


def lengths(batch: Batch, like: Tensor) -> Tensor:
    """The rows' trained tokens [R]."""
    return torch.bincount(batch.owners, minlength=len(batch.rows)).to(like)


def halves(values: Tensor) -> tuple[Tensor, Tensor]:
    """Values of rows [2P], pair by pair, as those of the chosen [P] and of the rejected [P]."""
    chosen, rejected = values.view(-1, 2).unbind(1)
    return chosen, rejected
