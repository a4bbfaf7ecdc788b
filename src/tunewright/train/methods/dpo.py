"""Direct preference optimisation: make the chosen answer likelier than the rejected one, measured against the base.

With r(y) = log π(y|x) − log π_ref(y|x), the reference being the base without its adapter, Δ = r(chosen) − r(rejected) and
β = `dpo.beta`, a pair's loss is

    sigmoid  −log σ(βΔ)                                            DPO, arXiv:2305.18290, eq. 7
    hinge    max(0, 1 − βΔ)                                        SLiC, arXiv:2305.10425, as arXiv:2309.06657 has it
    ipo      (Δ̄ − 1/(2β))², Δ̄ of log-probabilities a token          IPO, arXiv:2310.12036, eq. 17
    robust   (−(1−ε) log σ(βΔ) + ε log σ(−βΔ)) / (1 − 2ε)          arXiv:2403.00409, eq. 12; ε = `label_smoothing`
    simpo    −log σ(βD − γ), D of policy log-probs a token         SimPO, arXiv:2405.14734, eq. 6; no reference; γ = `margin`

plus `dpo.nll` times the chosen answer's negative log-likelihood a token (arXiv:2404.19733, eq. 1). The step's loss is
the mean over its pairs.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from tunewright.core.errors import Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.models.template import Renderer
from tunewright.train.methods import Part, Totals, counted
from tunewright.train.methods._pairs import halves, lengths, pair, references, refuse_unpaired
from tunewright.train.pack import Batch, Tree, rendered_rows
from tunewright.train.policy import Policy
from tunewright.train.spec import DpoSpec, TrainSpec

AVERAGED = ("ipo", "simpo")
"""Losses over log-probabilities a token, not summed."""


def examine(examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
    """Nothing to know. Raises DataError for an example without a rejected answer, or with one that is no other."""
    refuse_unpaired(examples, "dpo")
    return []


def needs_reference(spec: TrainSpec) -> bool:
    """Yes, but for simpo."""
    return spec.dpo.loss != "simpo"


def conversations(example: Example) -> list[Conversation]:
    """The expected answer and the rejected one."""
    return pair(example)


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """A chosen and a rejected answer for each example."""
    return [Tree(rows) for rows in rendered_rows(examples, conversations, renderer)]


def totals(policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
    """Trained tokens and pairs."""
    return counted(batches)


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """The pairs' losses, summed and divided by the step's number of pairs."""
    found = policy.row_logprobs(batch)
    sizes = lengths(batch, found)
    rewards = found if spec.dpo.loss == "simpo" else found - references(batch, found)
    each = pair_losses(rewards, sizes, spec.dpo)
    if spec.dpo.nll:
        each = each + spec.dpo.nll * likelihood_losses(found, sizes)
    counted_rewards = rewards / sizes if spec.dpo.loss in AVERAGED else rewards
    better, worse = halves(spec.dpo.beta * counted_rewards.detach())
    means = {"reward_margin": better - worse, "reward_accuracy": (better > worse).float()}
    share = {name: values.sum() / totals.trees for name, values in means.items()}
    return Part(each.sum() / totals.trees, share)


def likelihood_losses(found: Tensor, sizes: Tensor) -> Tensor:
    """Each pair's negative log-likelihood a token of the chosen answer [P] from the rows' log-probabilities [2P]."""
    chosen, _ = halves(found / sizes)
    return -chosen


def pair_losses(rewards: Tensor, sizes: Tensor, spec: DpoSpec) -> Tensor:
    """Each pair's loss [P] from the rows' log-ratios [2P] (log-probabilities for simpo) and trained tokens [2P]."""
    chosen, rejected = halves(rewards / sizes if spec.loss in AVERAGED else rewards)
    difference = chosen - rejected
    scaled = spec.beta * difference
    match spec.loss:
        case "sigmoid":
            return -logsigmoid(scaled)
        case "hinge":
            return torch.relu(1 - scaled)
        case "ipo":
            return (difference - 1 / (2 * spec.beta)).square()
        case "robust":
            wrong = spec.label_smoothing
            return (wrong * logsigmoid(-scaled) - (1 - wrong) * logsigmoid(scaled)) / (1 - 2 * wrong)
        case "simpo":
            return -logsigmoid(scaled - spec.margin)
