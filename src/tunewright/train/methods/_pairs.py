"""Trees of a chosen and a rejected answer to one prompt, and what losses over such pairs have in common."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.message import Conversation, Message
from tunewright.models.template import Renderer
from tunewright.train.pack import Batch, Row, Tree


def refuse_unpaired(examples: Sequence[Example], method: str) -> None:
    """Raises DataError for an example without a rejected answer, with one that is the same, or rated bad."""
    for example in examples:
        if example.rejected is None or not example.desirable:
            fix = "Name the column of the worse answer (columns: {rejected: …}), or choose the method sft or kto."
            message = f"{method} needs a rejected answer beside the expected one, and a row has none"
            raise DataError(message, where=example.place, fix=fix)
        if example.rejected.strip() == example.expected.strip():
            raise DataError(
                "the rejected answer is the expected one", where=example.place, fix="Drop the row."
            )


def pair_trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """A tree of two rows for each example: the expected answer, then the rejected one."""
    return [
        Tree(
            tuple(answer_row(example.id, talk, renderer) for talk in (example.messages, example.worse or ()))
        )
        for example in examples
    ]


def answer_row(name: str, conversation: Conversation, renderer: Renderer) -> Row:
    """The conversation with its last answer alone trained: the earlier ones are the prompt."""
    prompt = [_untrained(message) for message in conversation[:-1]]
    last = conversation[-1].model_copy(update={"weight": None})
    return Row(name, *renderer.training((*prompt, last)))


def _untrained(message: Message) -> Message:
    return message.model_copy(update={"weight": 0}) if message.role == "assistant" else message


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
