"""The watch over the losses: what is a spike, what a divergence, and what is neither."""

import math
from random import Random

from tunewright.train.watch import Watch, spike_words

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


def test_words():
    line = {"kind": "spike", "step": 7, "loss": 6.0, "usual": 0.4, "rows": ["a", "b"]}
    lost = {"kind": "spike", "step": 9, "loss": None, "usual": None, "rows": ["c"]}
    assert spike_words([line, {"kind": "step"}, lost]) == (
        "The loss at step 7 was 6 where 0.4 was usual: look at rows a, b.",
        "The loss at step 9 was no number: look at rows c.",
    )
