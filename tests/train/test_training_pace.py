"""Pace: the time left, by a clock that the test sets."""

import pytest

from tunewright.train import pace
from tunewright.train.layout import laid
from tunewright.train.pace import Pace
from tunewright.train.pack import Size
from tunewright.train.preflight import load_of


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def passes(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(pace, "perf_counter", found)
    return found


def load(**more):
    """Five steps of 10, 10, 20, 20 and 40 tokens."""
    sizes = [Size(tokens, (tokens,)) for tokens in (10, 20, 40)]
    return load_of([[0], [0], [1], [1], [2]], sizes, laid("packed", "cpu"), 100, **more)


def stepped(found, clock, seconds):
    clock.passes(seconds)
    found.stepped()


def test_what_is_left_goes_by_tokens_and_the_first_step_does_not_count_beside_others(clock):
    found = Pace(load())
    stepped(found, clock, 7.0)
    assert found.left == pytest.approx(0.7 * 90)
    stepped(found, clock, 1.0)
    assert found.left == pytest.approx(0.1 * 80)
    stepped(found, clock, 5.0)
    assert found.left == pytest.approx(0.2 * 60)
    assert found.seen == 3
    stepped(found, clock, 1.0)
    stepped(found, clock, 1.0)
    assert found.left == 0


def test_looks_at_dev_are_counted_apart(clock):
    found = Pace(load(look_tokens=50, dev_every=2))
    with found.looking():
        clock.passes(3.0)
    stepped(found, clock, 1.0)
    assert found.left == pytest.approx(0.1 * 90 + 3 * 3.0)  # after steps 2, 4 and 5
    stepped(found, clock, 1.0)
    with found.looking():
        clock.passes(4.0)
    assert found.left == pytest.approx(0.1 * 80 + 2 * 4.0)
    stepped(found, clock, 2.0)
    assert found.left == pytest.approx(0.1 * 60 + 2 * 4.0)


def test_strengths_to_be_tried_are_looks_too(clock):
    found = Pace(load(look_tokens=50, dev_every=2, last_looks=11), step=4)
    stepped(found, clock, 4.0)
    assert found.left == pytest.approx(11 * 0.5 * 0.1 * 50)  # none was seen: half of what so many tokens took


def test_answers_are_counted_as_foreseen_until_a_look_shows_them(clock):
    """Strengths that are tried at the end answer nothing."""
    found = Pace(load(look_tokens=50, dev_every=2, last_looks=11), answering=3.0)
    with found.looking(measured=False):
        clock.passes(0.25)
    stepped(found, clock, 1.0)
    assert found.left == pytest.approx(0.1 * 90 + (3 + 11) * 0.5 * 0.1 * 50 + 3 * 3.0)
    stepped(found, clock, 1.0)
    with found.looking():
        clock.passes(5.0)
    assert found.left == pytest.approx(0.1 * 80 + 2 * 5.0 + 11 * 0.5 * 0.1 * 50)


def test_a_run_that_goes_on_counts_from_where_it_is(clock):
    found = Pace(load(), step=3)
    stepped(found, clock, 2.0)
    assert (found.seen, found.left) == (1, pytest.approx(0.1 * 40))


@pytest.mark.parametrize(
    ("step", "every", "left"),
    [(0, 2, 3), (1, 2, 3), (2, 2, 2), (4, 2, 1), (5, 2, 0), (0, 5, 1), (4, 5, 1), (5, 5, 0), (0, 9, 1)],
)
def test_looks_left(step, every, left):
    assert load(look_tokens=1, dev_every=every).looks_left(step) == left
    assert load(dev_every=every).looks_left(step) == 0
