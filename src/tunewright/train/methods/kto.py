"""Kahneman-Tversky optimisation: learn from answers that were rated good or bad, without pairs.

With r = log π(y|x) − log π_ref(y|x), the reference being the base without its adapter, and z ≥ 0 the mean of the same for
mismatched answers (the prompt of one row, the answer of the row before it in the step; no gradient), a row's loss is

    desirable     w_d (1 − σ(β(r − z)))
    undesirable   w_u (1 − σ(β(z − r)))          arXiv:2402.01306, eq. 7 and 8

and the step's loss the mean over its rows. z is taken over the whole step, however it is cut into batches.
"""

from collections.abc import Sequence
from math import ceil, floor

import torch
from torch import Tensor

from tunewright.core.errors import DataError, Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation, last_answer_trained
from tunewright.models.template import Renderer
from tunewright.train.methods import Part, Totals, counted
from tunewright.train.methods._likelihood import refuse_documents, refuse_weights
from tunewright.train.methods._pairs import references
from tunewright.train.pack import Batch, Row, Tree, compact, pack, rendered_rows
from tunewright.train.policy import Policy
from tunewright.train.spec import KtoSpec, TrainSpec

_MOST = 4 / 3
"""How much more than bad answers good ones may weigh, all together."""


def examine(examples: Sequence[Example], spec: TrainSpec) -> list[Problem]:
    """A warning where good answers together weigh less than bad ones, or more than 4/3 of them (arXiv:2402.01306, eq. 9).

    Raises DataError for documents, for rows that nobody rated, and where all are rated alike: there would be nothing to
    tell apart.
    """
    refuse_documents(examples, "kto")
    refuse_weights(examples, "kto")
    _refuse_unrated(examples)
    good = sum(example.desirable for example in examples)
    bad = len(examples) - good
    if not good or not bad:
        fix = "Name the column of the rating (columns: {desirable: …}), or choose the method sft."
        raise DataError(
            f"kto learns from good and bad answers side by side, and all {len(examples)} are rated"
            f" {'good' if good else 'bad'}",
            fix=fix,
        )
    weighed = spec.kto.desirable_weight * good, spec.kto.undesirable_weight * bad
    if weighed[1] <= weighed[0] <= _MOST * weighed[1]:
        return []
    return [
        Problem(
            f"{good} good and {bad} bad answers weigh {weighed[0]:g} to {weighed[1]:g}, and good ones should weigh as"
            " much as bad ones or up to a third more: what weighs more drowns the other",
            where="train.kto",
            fix=f"Set desirable_weight and undesirable_weight so that they do: {_even(good, bad, spec.kto)}.",
        )
    ]


def _refuse_unrated(examples: Sequence[Example]) -> None:
    """Raises DataError where some rows, or all, have no rating: they would count as good answers."""
    unrated = [example for example in examples if not example.rated]
    if unrated and len(unrated) == len(examples):
        raise DataError(
            f"kto learns from good and bad answers side by side, and none of the {len(examples)} is rated",
            fix="Name the column of the rating (columns: {desirable: …}; label in chat rows), or choose the method sft.",
        )
    if unrated:
        raise DataError(
            f"{len(unrated)} of {len(examples)} answers have no rating, and kto would take them for good ones",
            where=unrated[0].place,
            fix="Rate them, or take these rows out of the source.",
        )


def _even(good: int, bad: int, spec: KtoSpec) -> str:
    """The weight of the rarer side with which good and bad are even, rounded to where good weighs more."""
    if good < bad:
        return f"desirable_weight: {ceil(100 * spec.undesirable_weight * bad / good) / 100:.2f}"
    return f"undesirable_weight: {floor(100 * spec.desirable_weight * good / bad) / 100:.2f}"


def needs_reference(spec: TrainSpec) -> bool:
    """Yes."""
    return True


def conversations(example: Example) -> list[Conversation]:
    """The rated answer."""
    return [last_answer_trained(example.messages)]


def trees(examples: Sequence[Example], renderer: Renderer) -> list[Tree]:
    """One rated answer for each example."""
    return [
        Tree(rows, example.desirable)
        for example, rows in zip(examples, rendered_rows(examples, conversations, renderer), strict=True)
    ]


def totals(policy: Policy, batches: Sequence[Batch], spec: TrainSpec) -> Totals:
    """Trained tokens, rows, and z: two passes over the mismatched answers, with the adapter and without."""
    every = [tree for batch in batches for tree in batch.trees]
    if len(every) < 2:
        return counted(batches)
    crossed = iter(mismatched(every))
    differences = list[float]()
    for batch in batches:
        other = pack([next(crossed) for _ in batch.trees], batch.prefix)
        with torch.no_grad():
            differences.append(float((policy.row_logprobs(other) - policy.reference_logprobs(other)).sum()))
    return counted(batches)._replace(kl=distance(differences, len(every)))


def mismatched(trees: Sequence[Tree]) -> list[Tree]:
    """Each prompt with the answer of the tree before it; the first one with the last one's."""
    return [_crossed(tree.rows[0], trees[place - 1].rows[0]) for place, tree in enumerate(trees)]


def _crossed(asked: Row, answered: Row) -> Tree:
    prompt, answer = asked.ids[: asked.prompt], answered.ids[answered.prompt :]
    mask = [*[0] * len(prompt), *answered.mask[answered.prompt :]]
    return Tree((compact(asked.id, [*prompt, *answer], mask),))


def part(policy: Policy, batch: Batch, totals: Totals, spec: TrainSpec) -> Part:
    """The rows' weighted losses, summed and divided by the step's number of rows."""
    found = policy.row_logprobs(batch)
    rewards = found - references(batch, found)
    good = torch.tensor([tree.desirable for tree in batch.trees], device=found.device)
    each = row_losses(rewards, good, totals.kl, spec.kto)
    means = {"reward_good_less_bad": spec.kto.beta * _signs(good) * rewards.detach()}
    return Part(
        each.sum() / totals.trees, {name: value.sum() / totals.trees for name, value in means.items()}
    )


def row_losses(rewards: Tensor, good: Tensor, z: float, spec: KtoSpec) -> Tensor:
    """Each row's loss [R] from the log-ratios [R], whether the answers are good ones [R], and z."""
    weight = torch.where(good, spec.desirable_weight, spec.undesirable_weight)
    return weight * (1 - torch.sigmoid(spec.beta * _signs(good) * (rewards - z)))


def _signs(good: Tensor) -> Tensor:
    return torch.where(good, 1.0, -1.0)


def distance(differences: Sequence[float], rows: int) -> float:
    """z: the mean over the step's rows of the mismatched answers' log-ratios, never below 0, from their sums by batch."""
    return max(0.0, sum(differences) / rows)
