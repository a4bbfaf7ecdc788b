"""Judged: dev rows answered with the weights as they stand, and as long as their own answers are to see what that takes."""

import pytest
from test_run import ROWS, SPEC, run

from tunewright.core.errors import GateError
from tunewright.core.example import ask, make_example
from tunewright.core.generation import Decoding
from tunewright.generate.torch import TorchGenerator
from tunewright.models.load import load_model
from tunewright.train.judged import Judged
from tunewright.train.methods import find_method
from tunewright.train.policy import Policy


def test_a_trial_asks_for_answers_as_long_as_dev_has_them(tiny_base, tiny_renderer):
    model = load_model(tiny_base, device="cpu")
    first = ask("What is it?", "It is not what it seems, and so on and so on.")
    rows = [make_example((*first, *ask("Why?", "so"))), make_example(ask("And?", "It is red, as said."))]
    trees = find_method("sft").trees(rows, tiny_renderer)
    alone = [make_example(ask("Why?", "so")), rows[1]]  # of several answers the last one is what is asked for
    trained = [tree.rows[0].trained for tree in find_method("sft").trees(alone, tiny_renderer)]
    policy, lengths = Policy(model, trees), []

    def judge(generator):
        replies = [
            generator.generate([row[:-1] for row in some], Decoding(max_new_tokens=40))
            for some in (ROWS[:3], ROWS[3:6])
        ]
        lengths.append([reply.tokens_out for some in replies for reply in some])
        return 1.0

    judged = Judged(judge, TorchGenerator.around(model, tiny_renderer), policy, trees)
    assert judged.trial() > 0
    assert judged.score() == 1.0
    trial, scored = lengths
    assert trial == [min(trained[place % 2], length) for place, length in enumerate(scored)]
    assert max(trial) < max(scored) <= 40


def test_answers_rated_bad_are_not_asked_for(tiny_base, tiny_renderer):
    model, asked = load_model(tiny_base, device="cpu"), []
    rows = [
        make_example(ask("Why?", "so"), desirable=True),
        make_example(ask("And?", "It is red, as said."), desirable=False),
    ]
    trees = find_method("kto").trees(rows, tiny_renderer)

    def judge(generator):
        replies = generator.generate([ROWS[0][:-1]] * 4, Decoding(max_new_tokens=40))
        asked.append(max(reply.tokens_out for reply in replies))
        return 1.0

    Judged(judge, TorchGenerator.around(model, tiny_renderer), Policy(model, trees), trees).trial()
    assert asked[0] <= trees[0].rows[0].trained < trees[1].rows[0].trained


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_memory_that_runs_out_while_rows_are_answered_is_told_so(tiny_base, tmp_path, when):
    asked = []

    def judge(generator):
        asked.append(generator)
        if len(asked) > (when == "meanwhile"):
            raise MemoryError
        return 1.0

    with pytest.raises(GateError, match=r"not enough memory to answer dev rows.*train\.dev_answers") as told:
        run(tmp_path, tiny_base, judge=judge)
    assert "batch_tokens" not in str(told.value)


@pytest.mark.parametrize("epochs", [2, 40])
def test_a_look_ahead_asks_once_and_counts_it(tiny_base, tmp_path, epochs):
    said = []

    def judge(generator):
        said.append("asked")
        return 1.0

    spec = SPEC.model_copy(update={"epochs": epochs, "patience": 1})
    run(tmp_path, tiny_base, spec, judge=judge, emit=lambda kind, **_: said.append(kind))
    told = [kind for kind in said if kind in ("asked", "train.preflight", "train.dev", "train.step")]
    assert told[:3] == ["asked", "train.preflight", "train.dev"]
    assert told.count("asked") == told.count(
        "train.dev"
    )  # the first look is not judged, and the look ahead is
