"""The watch over the losses: what is a spike, what a divergence, and what is neither."""

import json
import math
from random import Random

import pytest

from tunewright.train.watch import Look, Watch, rising, trouble, watched, words

FALLING = [2.0 * math.exp(-step / 20) + 0.3 for step in range(40)]


def states(losses):
    watch = Watch()
    return [watch.look(loss).state for loss in losses]


def test_noise_is_calm():
    rng = Random(0)
    losses = [*FALLING, *[0.5] * 200]
    assert set(states([loss * rng.uniform(0.6, 1.4) for loss in losses])) == {"calm"}


def test_a_small_rise_of_a_run_that_hardly_varies_is_calm():
    assert set(states([0.7, *[0.1] * 30, 0.2, 0.25])) == {"calm"}


def test_a_spike_that_comes_back():
    seen = states([*FALLING, 6.0, 5.0, 0.4, 0.4, 6.0])
    assert seen[len(FALLING) :] == ["spike", "high", "calm", "calm", "spike"]


def test_halfway_down_is_not_back():
    assert states([*FALLING, 6.0, 0.9, 0.9, 0.9, 0.9])[-5:] == ["spike", "high", "high", "high", "diverged"]
    assert states([*FALLING, 0.9])[-1] == "calm"


def test_five_in_a_row_have_diverged():
    assert states([*FALLING, 6.0, 7.0, 7.0, 8.0, 9.0])[-5:] == ["spike", "high", "high", "high", "diverged"]


def test_too_few_losses_say_nothing():
    assert set(states([0.1, 9.0, 0.1, 9.0])) == {"calm"}


def test_a_watch_that_is_told_of_the_past_goes_on_from_there():
    losses = [*FALLING, 6.0, 7.0]
    assert Watch(losses).look(7.0) == _last(losses, 7.0)
    assert Watch(losses).look(7.0).usual < 1


def _last(losses, loss):
    watch = Watch()
    for earlier in losses:
        watch.look(earlier)
    return watch.look(loss)


def test_a_steady_climb_is_seen():
    climb = [0.5 + 0.05 * step for step in range(60)]
    assert "diverged" in states([*FALLING, *climb])


def test_general_rows_beside_the_methods_are_not_watched():
    """They stand in some steps and not in others, and in few of them alone."""
    assert watched(0.5, {"reward_margin": 1.0}) == 0.5
    assert watched(2.5, {"rehearsal_loss": 2.0, "reward_margin": 1.0}) == 0.5
    assert watched(2.0, {"rehearsal_loss": 2.0}) is None
    assert math.isnan(watched(math.inf, {"rehearsal_loss": math.inf}))
    watch = Watch([*FALLING, *[None] * 20])
    assert (watch.look(None).state, watch.look(None, math.inf).state) == ("calm", "broken")
    assert watch.look(0.5) == _last([*FALLING], 0.5)


def test_no_number_is_broken_and_leaves_the_watch_as_it_was():
    watch = Watch([*FALLING])
    assert watch.look(math.nan).state == watch.look(1.0, math.inf).state == "broken"
    assert watch.look(0.5).state == "calm"


@pytest.mark.parametrize(
    ("loss", "norm", "state", "wanted"),
    [
        (6.0, 1.0, "spike", "A spike at step 7: the loss is 6 where 0.4 was usual, rows a, b"),
        (6.0, 1.0, "diverged", "Training diverged at step 7: the loss is 6 where 0.4 was usual, rows a, b"),
        (0.4, math.inf, "broken", "Training broke down at step 7: the gradient is no number, rows a, b"),
        (math.nan, math.nan, "broken", "Training broke down at step 7: the loss is no number, rows a, b"),
    ],
)
def test_words(loss, norm, state, wanted):
    line = trouble(7, loss, norm, Look(state, 0.4), ["a", "b"])
    assert words(json.loads(json.dumps(line))) == wanted


@pytest.mark.parametrize(
    ("troubles", "rises"),
    [
        ([("spike", 9), ("broken", 3000)], False),
        ([("spike", 9), ("broken", 11)], True),
        ([("spike", 9), ("spike", 40), ("broken", 42)], True),
        ([("broken", 3)], False),
        ([("spike", 9), ("diverged", 14)], True),
    ],
)
def test_a_spike_that_the_loss_came_down_from_is_over(troubles, rises):
    """Then the weights from before it are older than they need be."""
    assert rising([{"state": state, "step": step} for state, step in troubles]) == rises
