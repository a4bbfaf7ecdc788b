"""Answers that count by a part: the loss is the weighted mean over the step, by hand and by rows that count or do not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from tunewright.core.errors import DataError, ModelError
from tunewright.core.example import Example, ask, make_example
from tunewright.core.message import Conversation
from tunewright.models.base import Base
from tunewright.models.load import load_model
from tunewright.models.template import Rendered, Renderer
from tunewright.train.methods import dpo, kto, orpo, sft
from tunewright.train.pack import Tree, digest, pack, rendered_rows
from tunewright.train.policy import Policy
from tunewright.train.run import train
from tunewright.train.spec import TrainSpec

FIRST = ask("What colour is the door?", "red")
SECOND = ask("How much is it?", "It is eleven euros.")


class Desk(NamedTuple):
    """A policy, and the same model as it is."""

    policy: Policy
    model: Any
    renderer: Renderer

    def loss(self, *examples: Example, limit: int = 10_000) -> float:
        """The loss of a step, in batches of at most `limit` tokens."""
        trees, spec = sft.trees(examples, self.renderer), TrainSpec()
        cut = self.policy.laying.batches(trees, range(len(trees)), 0, limit)
        totals = sft.totals(self.policy, cut, spec)
        with torch.no_grad():
            return sum(float(sft.part(self.policy, batch, totals, spec).loss) for batch in cut)

    def nll(self, talk: Conversation) -> list[list[float]]:
        """Each answer's negative log-likelihoods, token by token."""
        ids, mask = self.renderer.training(talk)
        with torch.no_grad():
            chances = self.model(input_ids=torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        runs = list[list[float]]()
        for at in range(1, len(ids)):
            if mask[at]:
                runs += [] if mask[at - 1] else [[]]
                runs[-1].append(-float(chances[at - 1, ids[at]]))
        return runs


class Masked(NamedTuple):
    """A renderer that makes the same of every row."""

    ids: list[int]
    mask: list[int]

    def trainings(self, talks: Sequence[Conversation]) -> list[Rendered]:
        """The ids and the mask, of each."""
        return [Rendered(self.ids, self.mask) for _ in talks]


@pytest.fixture(scope="module")
def desk(tiny_base: Base, tiny_renderer: Renderer) -> Desk:
    torch.set_num_threads(1)
    trees = sft.trees([make_example(FIRST), make_example(SECOND)], tiny_renderer)
    return Desk(Policy(load_model(tiny_base), trees), load_model(tiny_base), tiny_renderer)


def weighted(talk: Conversation, *weights: float | None) -> Example:
    """The talk with these weights on its answers."""
    left = iter(weights)
    return make_example(
        tuple(
            turn.model_copy(update={"weight": next(left)}) if turn.role == "assistant" else turn
            for turn in talk
        )
    )


class Given(NamedTuple):
    """A policy of known log-probabilities."""

    values: list[float]

    def logprobs(self, batch: Any) -> torch.Tensor:
        """The values."""
        assert len(batch.labels) == len(self.values)
        return torch.tensor(self.values)


def test_a_worked_number(tiny_renderer: Renderer) -> None:
    """Answers of two tokens each: (0.5 (1 + 3) + 0.25 (2 + 6)) / (2 · 0.5 + 2 · 0.25) = 4 / 1.5."""
    rows = weighted(ask("One?", "2"), 0.5), weighted(ask("Two?", "1"), 0.25)
    batch, spec = pack(sft.trees(rows, tiny_renderer)), TrainSpec()
    policy: Any = Given([-1.0, -3.0, -2.0, -6.0])
    totals = sft.totals(policy, [batch], spec)
    assert totals.tokens == 1.5
    assert float(sft.part(policy, batch, totals, spec).loss) == pytest.approx(4 / 1.5)


@pytest.mark.parametrize("limit", [10_000, 1])
def test_the_weighted_mean_by_hand(desk: Desk, limit: int) -> None:
    ((one,), (other,)) = desk.nll(FIRST), desk.nll(SECOND)
    wanted = (0.5 * sum(one) + 0.25 * sum(other)) / (0.5 * len(one) + 0.25 * len(other))
    assert len(one) != len(other)
    assert desk.loss(weighted(FIRST, 0.5), weighted(SECOND, 0.25), limit=limit) == pytest.approx(
        wanted, rel=1e-5
    )


def test_the_answers_of_a_row_have_their_own(desk: Desk) -> None:
    first, second, third = desk.nll((*FIRST, *SECOND, *FIRST))
    wanted = (sum(first) + 0.3 * sum(third)) / (len(first) + 0.3 * len(third))
    row = weighted((*FIRST, *SECOND, *FIRST), None, 0, 0.3)
    assert desk.loss(row) == pytest.approx(wanted, rel=1e-5)
    assert len(second) > 0
    plain = weighted(SECOND, None)  # a row without weights beside it counts 1
    ((other,),) = [desk.nll(SECOND)]
    wanted = (sum(first) + 0.3 * sum(third) + sum(other)) / (len(first) + 0.3 * len(third) + len(other))
    assert desk.loss(row, plain) == pytest.approx(wanted, rel=1e-5)


def test_rows_that_count_or_do_not_are_as_they_were(desk: Desk) -> None:
    whole = weighted((*FIRST, *SECOND), 1, 0)
    (tree,) = sft.trees([whole], desk.renderer)
    assert tree.rows[0].weights == ()
    assert pack([tree]).weights is None
    assert desk.loss(whole) == desk.loss(weighted((*FIRST, *SECOND), None, 0))
    nearly = weighted((*FIRST, *SECOND), 1, 1e-9)
    assert desk.loss(nearly) == pytest.approx(desk.loss(whole), rel=1e-5)
    halves = weighted(FIRST, 0.5), weighted(SECOND, 0.5)
    assert desk.loss(*halves) == pytest.approx(desk.loss(weighted(FIRST, 1), weighted(SECOND, 1)), rel=1e-5)


def test_weights_are_told_by_the_digest_and_kept_by_a_row_that_is_begun(desk: Desk) -> None:
    (tree,) = sft.trees([weighted((*FIRST, *SECOND), 0.5, 0.25)], desk.renderer)
    row = tree.rows[0]
    seen = [weight for weight, on in zip(row.weights, row.mask, strict=True) if on]
    counts = [len(run) for run in desk.nll((*FIRST, *SECOND))]
    assert seen == [0.5] * counts[0] + [0.25] * counts[1]
    assert pack([tree]).weights.tolist() == seen
    begun = row.begun(3)
    assert len(begun.weights) == len(begun.ids) < len(row.ids)
    others = [
        tree,
        Tree((row._replace(weights=()),)),
        *sft.trees([weighted((*FIRST, *SECOND), 0.5, 0.5)], desk.renderer),
    ]
    assert len({digest([each]) for each in others}) == 3


def test_a_mask_of_other_parts_than_answers_is_refused() -> None:
    """Which part counts how much cannot be told."""
    whole: Any = Masked([5, 6, 7, 8, 9], [0, 1, 0, 1, 1])
    with pytest.raises(ModelError, match="2 trained parts for 1 answers with weights"):
        rendered_rows([weighted(FIRST, 0.5)], sft.conversations, whole)
    ((row,),) = rendered_rows([weighted(FIRST, 1)], sft.conversations, whole)
    assert row.weights == ()
    ((row,),) = rendered_rows([weighted((*FIRST, *SECOND), 0.5, 0.25)], sft.conversations, whole)
    assert list(row.weights) == [0, 0.5, 0, 0.25, 0.25]


def test_weights_go_to_the_device_with_their_batch(desk: Desk) -> None:
    moved = pack(sft.trees([weighted(FIRST, 0.5)], desk.renderer)).to(torch.device("meta"))
    assert {moved.weights.device.type, moved.labels.device.type} == {"meta"}
    assert pack(sft.trees([weighted(FIRST, 1)], desk.renderer)).to(torch.device("meta")).weights is None


@pytest.mark.parametrize("method", [dpo, orpo, kto])
def test_other_methods_refuse_parts(method: Any) -> None:
    name = method.__name__.rpartition(".")[2]
    rows = [
        make_example(
            talk, rejected=None if method is kto else "No.", desirable=good if method is kto else None
        )
        for talk, good in ((FIRST, True), (weighted((*FIRST, *SECOND), 0.5, None).messages, False))
    ]
    with pytest.raises(DataError) as caught:
        method.examine(rows, TrainSpec(method=name))
    assert str(caught.value) == (
        f"example {rows[1].id}: {name} takes no weights between 0 and 1, and a row has one. Choose the method sft, or"
        " take the weights out of the rows."
    )
    whole = [rows[0], rows[1].model_copy(update={"messages": weighted((*FIRST, *SECOND), 0, 1).messages})]
    asked, *rest = whole[1].messages  # what a question counts is nothing to the loss
    whole[1] = whole[1].model_copy(update={"messages": (asked.model_copy(update={"weight": 0.5}), *rest)})
    assert isinstance(method.examine(whole, TrainSpec(method=name)), list)


def test_a_run_with_weights(tiny_base: Base, tmp_path: Path) -> None:
    def losses(name: str, weight: float | None) -> list[float]:
        rows = [
            weighted(ask(f"What is {i} + {i}?", f"It is {2 * i}."), weight if i % 2 else None)
            for i in range(8)
        ]
        spec = TrainSpec(
            epochs=2, batch_tokens=10_000, learning_rate=1e-2, precision="fp32", adapter={"rank": 4}
        )
        out = tmp_path / name
        train(spec, rows[:6], rows[6:], base=tiny_base, system="", work=out / "work", out=out, threads=1)
        return [line["loss"] for line in json.loads((out / "history.json").read_text())["steps"]]

    assert losses("plain", None) == losses("ones", 1)
    assert losses("parts", 0.2)[0] != losses("plain", None)[0]
