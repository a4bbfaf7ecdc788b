"""Supervised fine-tuning: cross-entropy on the answers' tokens."""

from collections.abc import Sequence

from torch import Tensor

from tunewright.core.message import Conversation
from tunewright.models.template import Renderer
from tunewright.train.pack import Batch, Row, by_beginning, fill, pack
from tunewright.train.policy import Policy


def rows(named: Sequence[tuple[str, Conversation]], renderer: Renderer) -> list[Row]:
    """Each conversation rendered, with its id."""
    return [Row(name, *renderer.training(conversation)) for name, conversation in named]


def batches(rows: Sequence[Row], group: Sequence[int], prefix: int, limit: int, packed: bool) -> list[Batch]:
    """The rows of one step packed into batches, or one by one where the model cannot be packed."""
    if not packed:
        return [pack([rows[index]]) for index in group]
    found: list[Batch] = []
    for shared, indices in by_beginning(rows, group, prefix):
        parts = fill([len(row.ids) for row in rows], indices, limit)
        found += [pack([rows[index] for index in part], shared) for part in parts]
    return found


def loss(policy: Policy, batch: Batch) -> Tensor:
    """Negative log-likelihood of the trained tokens, summed."""
    return -policy.logprobs(batch).sum()
