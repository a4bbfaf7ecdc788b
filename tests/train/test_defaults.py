"""What is chosen where the project file leaves it out, and that what it says wins."""

import math
import re
from pkgutil import iter_modules

import pytest

from tunewright.core.example import ask, make_example
from tunewright.models.load import base_width
from tunewright.train import methods
from tunewright.train.defaults import Facts, facts_of, settle
from tunewright.train.methods import find_method
from tunewright.train.pack import Row, Tree
from tunewright.train.plan import make_plan
from tunewright.train.spec import TrainSpec

FACTS = Facts(examples=2000, tokens=300_000, steps=(155, 76, 37, 19), trained=40_000, width=1024)


def chosen(facts=FACTS, **given):
    settled, choices = settle(TrainSpec(**given), facts)
    return settled, {choice.field: choice for choice in choices}


def test_all_is_chosen_with_its_reason():
    settled, choices = chosen()
    assert settled.adapter.rank == choices["adapter.rank"].value == 8
    assert settled.epochs == choices["epochs"].value == 3
    assert settled.learning_rate == choices["learning_rate"].value == 2e-4
    assert settled.batch_tokens == choices["batch_tokens"].value == 2048
    assert choices["epochs"].words().startswith("epochs 3: 2,000 examples")
    reason = "0.0002 for a base 1024 wide, as arXiv:2305.14314, table 9, has it for 7B and 13B"
    assert choices["learning_rate"].words() == f"learning_rate 0.0002: {reason}"
    assert choices["batch_tokens"].reason == "the task's 300,000 tokens are then about 155 steps an epoch"


def test_the_project_files_word_wins():
    given = {"adapter": {"rank": 64, "kind": "dora"}, "epochs": 1, "learning_rate": 1e-5, "batch_tokens": 100}
    settled, choices = chosen(**given)
    assert choices == {}
    assert settled.model_dump() == TrainSpec(**given).model_dump()


@pytest.mark.parametrize(
    ("width", "rate"),
    [
        *((width, 2e-3) for width in (256, 511)),
        *((width, 6e-4) for width in (512, 1023)),
        *((width, 2e-4) for width in (1024, 4096, 5120, 6000)),
        *((width, 1e-4) for width in (6001, 6656, 8192)),
    ],
)
def test_wider_bases_go_slower(width, rate):
    assert chosen(FACTS._replace(width=width))[0].learning_rate == rate


@pytest.mark.parametrize(
    ("method", "rate"), [("sft", 2e-4), ("cpt", 1e-4), ("dpo", 2e-5), ("orpo", 5e-5), ("kto", 2e-5)]
)
def test_documents_and_preferences_go_slower(method, rate):
    settled, choices = chosen(method=method)
    assert settled.learning_rate == rate
    assert (f"{method} goes at" in choices["learning_rate"].reason) == (method != "sft")


def test_every_method_has_its_rate_and_another_is_an_error():
    for module in iter_modules(methods.__path__):
        if not module.name.startswith("_"):
            chosen(method=module.name)
    with pytest.raises(KeyError, match="grpo"):
        chosen(method="grpo")


@pytest.mark.parametrize("b_rate", [1, 4, 16])
def test_a_faster_b_keeps_the_mean_of_both_rates(b_rate):
    settled, choices = chosen(adapter={"b_rate": b_rate})
    rate = settled.learning_rate
    assert math.sqrt(rate * rate * b_rate) == pytest.approx(2e-4)
    assert ("geometric mean" in choices["learning_rate"].reason) == (b_rate > 1)


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 4), (499, 4), (500, 3), (5000, 3), (5001, 2), (50_000, 2), (50_001, 1)]
)
def test_fewer_examples_want_more_passes(examples, epochs):
    for method in ("sft", "cpt", "orpo"):
        assert chosen(FACTS._replace(examples=examples), method=method)[0].epochs == epochs


@pytest.mark.parametrize("method", ["dpo", "kto"])
@pytest.mark.parametrize(("examples", "epochs"), [(499, 3), (500, 2), (5000, 2), (5001, 1), (50_001, 1)])
def test_preferences_go_a_pass_less_and_say_so(method, examples, epochs):
    settled, choices = chosen(FACTS._replace(examples=examples), method=method)
    assert settled.epochs == epochs
    reason = f"{examples:,} examples, and fewer want more passes"
    if examples <= 50_000:
        reason += f"; {method} goes a pass less, as arXiv:2310.16944 has 1 to 3"
    if epochs > 1:
        reason += "; training stops before that where dev gets no better"
    assert choices["epochs"].reason == reason


@pytest.mark.parametrize(("trained", "rank"), [(50_000, 8), (50_001, 16), (5_000_000, 16), (5_000_001, 32)])
def test_more_to_learn_wants_a_higher_rank(trained, rank):
    assert chosen(FACTS._replace(trained=trained))[0].adapter.rank == rank


@pytest.mark.parametrize(
    ("steps", "batch"),
    [
        ((1, 1, 1, 1), 2048),
        ((399, 199, 100, 50), 2048),
        ((400, 200, 100, 50), 4096),
        ((1999, 1000, 500, 250), 16384),
    ],
)
def test_an_epoch_has_enough_steps(steps, batch):
    assert chosen(FACTS._replace(steps=steps))[0].batch_tokens == batch


def test_what_a_pair_shares_counts_once():
    pair = Tree((Row("a", [1, 2, 3, 4], [0, 0, 1, 1]), Row("a", [1, 2, 5], [0, 0, 1])))
    assert facts_of([pair], 32) == Facts(examples=1, tokens=5, steps=(1, 1, 1, 1), trained=3, width=32)


def test_no_rows_are_no_steps():
    assert facts_of([], 32) == Facts(examples=0, tokens=0, steps=(0, 0, 0, 0), trained=0, width=32)


@pytest.mark.parametrize("method", ["sft", "dpo"])
@pytest.mark.parametrize("words", [1, 90, 150])
def test_the_steps_that_are_told_are_those_of_the_plan(tiny_renderer, method, words):
    """Also where rows are nearly as long as a batch, or longer, and much of it stays empty; other seeds differ a little."""
    rows = [
        make_example(ask(f"What is {i}? " * words * (1 + i % 3), "red"), rejected="blue") for i in range(70)
    ]
    trees = find_method(method).trees(rows, tiny_renderer)
    for seed in range(3):
        settled, choices = settle(TrainSpec(method=method, epochs=2, seed=seed), facts_of(trees, 32))
        (told,) = [
            re.findall(r"about ([\d,]+) steps", choice.reason)
            for choice in choices
            if choice.field == "batch_tokens"
        ]
        plan = make_plan(trees, [], settled, 0)
        assert int(told[0].replace(",", "")) == pytest.approx(plan.per_epoch[0], rel=0.05 if seed else 0)


def test_the_width_is_the_bases(tiny_base):
    assert base_width(tiny_base) == 32
