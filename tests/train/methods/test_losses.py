"""The losses against numbers worked by hand, and what a method refuses."""

import math

import pytest
import torch

from tiny import make_tokenizer
from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_example
from tunewright.models.template import Renderer
from tunewright.train.methods import Totals, dpo, kto, orpo, sft
from tunewright.train.methods._likelihood import mean_loss
from tunewright.train.pack import Row, Tree
from tunewright.train.spec import DpoSpec, KtoSpec, TrainSpec


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# one pair: log-ratios 1.5 and −0.5 over 3 and 2 tokens, β = 0.5: Δ = 2, a token 0.5 + 0.25 = 0.75
@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"loss": "sigmoid"}, -math.log(sigma(1.0))),
        ({"loss": "hinge"}, 0.0),
        ({"loss": "hinge", "beta": 0.1}, 0.8),
        ({"loss": "ipo"}, (0.75 - 1.0) ** 2),
        (
            {"loss": "robust", "label_smoothing": 0.2},
            (-0.8 * math.log(sigma(1.0)) + 0.2 * math.log(sigma(-1.0))) / 0.6,
        ),
        ({"loss": "robust", "label_smoothing": 0.0}, -math.log(sigma(1.0))),
        ({"loss": "simpo", "margin": 0.25}, -math.log(sigma(0.5 * 0.75 - 0.25))),
    ],
)
def test_dpo_losses(settings: dict[str, object], wanted: float) -> None:
    spec = DpoSpec(**{"beta": 0.5, **settings})
    found = dpo.pair_losses(torch.tensor([1.5, -0.5]), torch.tensor([3.0, 2.0]), spec)
    assert found.tolist() == pytest.approx([wanted], abs=1e-6)


def test_the_chosen_answers_likelihood_beside_dpo() -> None:
    # chosen answers of −6 over 3 tokens and −1 over 1; the rejected ones play no part
    found = dpo.likelihood_losses(torch.tensor([-6.0, -50.0, -1.0, -9.0]), torch.tensor([3.0, 5.0, 1.0, 2.0]))
    assert found.tolist() == pytest.approx([2.0, 1.0])


def test_the_mean_over_a_steps_tokens() -> None:
    # two batches of one step of 5 trained tokens: −(−1 − 2 − 3 − 4 − 5) / 5
    parts = [mean_loss(torch.tensor(values), None, 5) for values in ([-1.0, -2.0], [-3.0, -4.0, -5.0])]
    assert [float(part) for part in parts] == pytest.approx([0.6, 2.4])
    # of weights 1, ½ and 0, 1½ in all: (2 + 2) / 1½
    weighed = mean_loss(torch.tensor([-2.0, -4.0, -9.0]), torch.tensor([1.0, 0.5, 0.0]), 1.5)
    assert float(weighed) == pytest.approx(4 / 1.5)


def test_kto_losses() -> None:
    """β = 0.5, z = 1: a good answer of 3 has 1 − σ(1), a bad one of 3 has 1 − σ(−1); those at z have a half."""
    spec = KtoSpec(beta=0.5, desirable_weight=1.5, undesirable_weight=0.5)
    good = torch.tensor([True, False, True, False])
    found = kto.row_losses(torch.tensor([3.0, 3.0, 1.0, 1.0]), good, 1.0, spec)
    assert found.tolist() == pytest.approx(
        [1.5 * (1 - sigma(1.0)), 0.5 * (1 - sigma(-1.0)), 1.5 * 0.5, 0.5 * 0.5]
    )


@pytest.mark.parametrize(
    ("differences", "wanted"), [([3.0, 1.0, 4.0], 2.0), ([-3.0, 1.0], 0.0), ([0.0], 0.0)]
)
def test_ktos_distance_is_a_mean_over_rows_and_never_below_none(
    differences: list[float], wanted: float
) -> None:
    assert kto.distance(differences, 4) == wanted


def test_orpos_total() -> None:
    # a batch of two pairs, of a step of 3 pairs and 10 chosen tokens; both odds are even: −log σ(0) = log 2
    found, even = torch.tensor([-2.0, -7.0, -3.0, -8.0]), torch.zeros(2)
    loss = orpo.total(found, even, Totals(tokens=10, trees=3), 0.1)
    assert float(loss) == pytest.approx(5 / 10 + 0.1 * 2 * math.log(2) / 3)


def test_the_odds_ratio() -> None:
    # mean probabilities 1/2 and 1/5: odds 1 and 1/4
    averages = torch.tensor([math.log(0.5), math.log(0.2)])
    assert orpo.log_odds_ratio(averages).tolist() == pytest.approx([math.log(4)])


def test_a_sure_answer_has_odds() -> None:
    averages = torch.tensor([0.0, -1e-9, -2.0, 0.0], requires_grad=True)
    loss = -torch.nn.functional.logsigmoid(orpo.log_odds_ratio(averages)).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(averages.grad).all()


def test_mismatched_answers_follow_the_prompts() -> None:
    trees = [
        Tree((Row(name, [1, number, 2, 30 + number, 40 + number], [0, 0, 0, 1, 1]),))
        for name, number in (("a", 5), ("b", 6), ("c", 7))
    ]
    crossed = kto.mismatched(trees)
    assert [list(tree.rows[0].ids) for tree in crossed] == [
        [1, 5, 2, 37, 47],
        [1, 6, 2, 35, 45],
        [1, 7, 2, 36, 46],
    ]
    assert [list(tree.rows[0].mask) for tree in crossed] == [[0, 0, 0, 1, 1]] * 3


def test_a_pair_trains_its_last_answers_alone() -> None:
    renderer = Renderer(make_tokenizer())
    talk = (*ask("one?", "yes"), *ask("two?", "no"))
    (tree,) = dpo.trees([make_example(talk, rejected="yes")], renderer)
    said = [
        renderer.decode([token for token, on in zip(row.ids, row.mask, strict=True) if on]).strip()
        for row in tree.rows
    ]
    assert said == ["no", "yes"]
    assert tree.shared == tree.rows[0].prompt


def test_what_methods_refuse() -> None:
    spec = TrainSpec()
    plain, paired = make_example(ask("a", "b")), make_example(ask("a", "b"), rejected=" b")
    good = make_example(ask("a", "b"), desirable=True)
    bad = make_example(ask("a", "c"), desirable=False)
    with pytest.raises(
        DataError, match="takes the expected answer for the better one, and a row's is rated bad"
    ):
        dpo.examine([make_example(ask("a", "c"), rejected="d", desirable=False)], spec)
    with pytest.raises(
        DataError, match="orpo needs a rejected answer beside the expected one, and a row has"
    ):
        orpo.examine([plain], spec)
    with pytest.raises(DataError, match="the rejected answer is the expected one"):
        dpo.examine([paired], spec)
    for alike, word in ((good, "good"), (bad, "bad")):
        with pytest.raises(DataError, match=f"all 1 are rated {word}"):
            kto.examine([alike], spec)
    with pytest.raises(DataError, match="side by side, and none of the 2 is rated"):
        kto.examine([plain, plain], spec)
    with pytest.raises(DataError, match="1 of 3 answers have no rating, and kto would take them for good"):
        kto.examine([good, plain, bad], spec)
    with pytest.raises(DataError, match="1 answers were rated bad, and sft would learn them"):
        sft.examine([plain, bad], spec)
    assert sft.examine([plain, paired], spec) == []


def test_kto_warns_where_one_side_drowns_the_other() -> None:
    good = [make_example(ask("a", str(i)), desirable=True) for i in range(8)]
    bad = [make_example(ask("b", "x"), desirable=False)]
    (warning,) = kto.examine([*good, *bad], TrainSpec())
    assert "8 good and 1 bad answers weigh 8 to 1" in str(warning)
    assert "undesirable_weight: 8.00" in str(warning)
    (warning,) = kto.examine([*good, *bad], TrainSpec(kto={"desirable_weight": 3}))
    assert "undesirable_weight: 24.00" in str(warning)
    assert kto.examine([*good, *bad], TrainSpec(kto={"undesirable_weight": 8})) == []


@pytest.mark.parametrize(
    ("good", "bad", "fix"),
    [
        (3, 3, None),
        (4, 3, None),
        (5, 3, "undesirable_weight: 1.66"),
        (3, 4, "desirable_weight: 1.34"),
        (3, 5, "desirable_weight: 1.67"),
    ],
)
def test_kto_holds_good_and_bad_to_the_papers_bounds(good: int, bad: int, fix: str | None) -> None:
    """1 to 4/3 (arXiv:2402.01306); what the warning says to set is inside them."""
    rows = [make_example(ask("a", str(i)), desirable=i < good) for i in range(good + bad)]
    found = kto.examine(rows, TrainSpec())
    assert [str(problem).split("so that they do: ")[-1].rstrip(".") for problem in found] == [fix] * bool(fix)
    if fix:
        name, _, weight = fix.partition(": ")
        assert kto.examine(rows, TrainSpec(kto={name: float(weight)})) == []
