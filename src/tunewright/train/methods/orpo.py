"""Odds-ratio preference optimisation: learn the chosen answer and prefer it, in one stage and without a reference.

With p̄(y) = exp of the mean log-probability of y's tokens and odds(y) = p̄ / (1 − p̄), a pair adds

    −log σ(log odds(chosen) − log odds(rejected)) · λ       arXiv:2403.07691, eq. 6 and 7; λ = `orpo.weight`

to the negative log-likelihood of the chosen answers, the mean over the step's chosen tokens.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.models.template import Renderer
from tunewright.train.methods import Part, Totals
from tunewright.train.methods._pairs import halves, lengths, pair, refuse_unpaired
from tunewright.train.pack import Batch, Tree, rendered_rows
from tunewright.train.policy import Policy
from tunewright.train.spec import TrainSpec

_SURE = -1e-6
"""A mean log-probability above this is taken for it: the odds of a sure answer have no logarithm."""


def examine(examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
    """Nothing to know. Raises DataError for an example without a rejected answer, or with one that is no other."""
    refuse_unpaired(examples, "orpo")
    return []


def needs_reference(spec: TrainSpec) -> bool:
    """No."""
    return False


def conversations(example: Example) -> list[Conversation]:
    """The expected answer and the rejected one."""
    return pair(example)


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """A chosen and a rejected answer for each example."""
    return [Tree(rows) for rows in rendered_rows(examples, conversations, renderer)]


def totals(policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
    """Trained tokens of the chosen answers, and pairs."""
    chosen = sum(tree.rows[0].trained for batch in batches for tree in batch.trees)
    return Totals(chosen, sum(len(batch.trees) for batch in batches))


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """The chosen answers' likelihood over the step's chosen tokens, and the odds over its pairs."""
    found = policy.row_logprobs(batch)
    ratio = log_odds_ratio(found / lengths(batch, found))
    loss = total(found, ratio, totals, spec.orpo.weight)
    means = {"log_odds_ratio": ratio.detach(), "reward_accuracy": (ratio.detach() > 0).float()}
    return Part(loss, {name: values.sum() / totals.trees for name, values in means.items()})


def total(found: Tensor, ratio: Tensor, totals: Totals, weight: float) -> Tensor:
    """The share in the step's loss of pairs whose rows have the log-probabilities [2P] and the log odds ratios [P]."""
    chosen, _ = halves(found)
    return -chosen.sum() / totals.tokens - weight * logsigmoid(ratio).sum() / totals.trees


def log_odds_ratio(averages: Tensor) -> Tensor:
    """log odds(chosen) − log odds(rejected) [P] from the rows' mean log-probabilities [2P]."""
    averages = averages.clamp(max=_SURE)
    chosen, rejected = halves(averages - torch.log(-torch.expm1(averages)))
    return chosen - rejected
