"""Rehearsal beside a preference method: general rows with a loss of their own in the method's steps.

Their negative log-likelihood a token, the mean over the step's rehearsal tokens, is added to the method's loss. A batch
holds rows of one of the two kinds (train/pack.py sees to it).
"""

from collections.abc import Sequence

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.models.template import Renderer
from tunewright.train.methods import Method, Part, Totals, sft
from tunewright.train.pack import Batch, Tree
from tunewright.train.policy import Policy
from tunewright.train.spec import TrainSpec
from tunewright.train.watch import REHEARSAL


class General:
    """How general rows are rendered: as sft's, and marked."""

    def trees(self, examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
        """Each conversation, a tree of one row that rehearses."""
        return [tree._replace(rehearses=True) for tree in sft.trees(examples, renderer)]


class Rehearsed:
    """A preference method beside whose rows general ones are trained."""

    def __init__(self, method: Method) -> None:
        self._method = method

    def examine(self, examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
        """The method's own."""
        return self._method.examine(examples, spec)

    def needs_reference(self, spec: TrainSpec) -> bool:
        """The method's own."""
        return self._method.needs_reference(spec)

    def conversations(self, example: Example) -> list[Conversation]:
        """The method's own."""
        return self._method.conversations(example)

    def trees(self, examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
        """The method's own."""
        return self._method.trees(examples, renderer)

    def totals(self, policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
        """The method's own of its rows, and the tokens of the general ones."""
        own = [batch for batch in batches if not _rehearses(batch)]
        general = sum(len(batch.labels) for batch in batches if _rehearses(batch))
        return self._method.totals(policy, own, spec)._replace(rehearsed=general)

    def part(self, policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
        """The method's own, or the general rows' share of their mean negative log-likelihood a token, in nats."""
        if not _rehearses(batch):
            return self._method.part(policy, batch, totals, spec)
        loss = -policy.logprobs(batch).sum() / totals.rehearsed
        return Part(loss, {REHEARSAL: loss.detach()})


def _rehearses(batch: Batch) -> bool:
    return any(tree.rehearses for tree in batch.trees)
