"""What is chosen where the project file leaves it out, and that what it says wins."""

import pytest

from tunewright.models.load import base_width
from tunewright.train.defaults import Facts, facts_of, settle
from tunewright.train.pack import Row, Tree
from tunewright.train.spec import TrainSpec

FACTS = Facts(examples=2000, tokens=300_000, trained=40_000, width=1024)


def chosen(facts=FACTS, **given):
    settled, choices = settle(TrainSpec(**given), facts)
    return settled, {choice.field: choice for choice in choices}


def test_all_is_chosen_with_its_reason():
    settled, choices = chosen()
    assert settled.adapter.rank == choices["adapter.rank"].value == 8
    assert settled.epochs == choices["epochs"].value == 3
    assert settled.learning_rate == choices["learning_rate"].value == 4e-4
    assert settled.batch_tokens == choices["batch_tokens"].value == 4096
    assert choices["epochs"].words().startswith("epochs 3: 2,000 examples")
    assert "this one is 1024 wide" in choices["learning_rate"].words()


def test_the_project_files_word_wins():
    given = {"adapter": {"rank": 64, "kind": "dora"}, "epochs": 1, "learning_rate": 1e-5, "batch_tokens": 100}
    settled, choices = chosen(**given)
    assert choices == {}
    assert settled.model_dump() == TrainSpec(**given).model_dump()


@pytest.mark.parametrize(("method", "rate"), [("sft", 2e-4), ("dpo", 2e-5), ("orpo", 5e-5), ("kto", 2e-5)])
def test_preferences_go_slower(method, rate):
    assert chosen(FACTS._replace(width=2048), method=method)[0].learning_rate == rate


@pytest.mark.parametrize(
    ("examples", "epochs"), [(1, 4), (499, 4), (500, 3), (5000, 3), (5001, 2), (50_000, 2), (50_001, 1)]
)
def test_fewer_examples_want_more_passes(examples, epochs):
    assert chosen(FACTS._replace(examples=examples))[0].epochs == epochs


@pytest.mark.parametrize(("trained", "rank"), [(50_000, 8), (50_001, 16), (5_000_000, 16), (5_000_001, 32)])
def test_more_to_learn_wants_a_higher_rank(trained, rank):
    assert chosen(FACTS._replace(trained=trained))[0].adapter.rank == rank


@pytest.mark.parametrize(("tokens", "batch"), [(1, 2048), (200_000, 2048), (500_000, 8192), (10**9, 16384)])
def test_an_epoch_has_enough_steps(tokens, batch):
    assert chosen(FACTS._replace(tokens=tokens))[0].batch_tokens == batch


def test_facts_count_rows_not_trees():
    pair = Tree((Row("a", [1, 2, 3, 4], [0, 0, 1, 1]), Row("a", [1, 2, 5], [0, 0, 1])))
    assert facts_of([pair], 32) == Facts(examples=1, tokens=7, trained=3, width=32)


def test_the_width_is_the_bases(tiny_base):
    assert base_width(tiny_base) == 32
