"""What another process's run is at: its newest log, while it holds the lock."""

import json
import os
import time
from contextlib import contextmanager

import pytest

from tunewright.project.status import AtWork, Told, at_work
from tunewright.store.store import Store

START = {"kind": "step.start", "time": 100.0, "step": "train", "title": "fine-tune", "number": 7, "of": 11}
DONE = {"kind": "step.done", "time": 190.0, "step": "train", "artifact": "train-1", "seconds": 90}


def step(number, time=110.0, **more):
    return {"kind": "train.step", "time": time, "step": number, "steps": 800, "loss": 1.0, **more}


def reply(done, time, variant="base", total=250):
    return {
        "kind": "eval.reply",
        "time": time,
        "variant": variant,
        "suite": "target",
        "done": done,
        "total": total,
    }


@contextmanager
def held(store, since=50):
    with store.lock():
        os.utime(store.root / "lock", (since, since))
        yield


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    with store.lock():
        pass
    return store


def write(store, *events, run=1, cut=""):
    store.run_log(run).write_text("".join(json.dumps(event) + "\n" for event in events) + cut)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], ""),
        ([step(120, seconds_left=170.4)], ", 120 of 800, about 3 min left"),
        (
            [step(120, seconds_left=17.4), {"kind": "train.other", "time": 1.0}],
            ", 120 of 800, about 17 s left",
        ),
        ([reply(10, 100.0)], ", base on target 10 of 250"),
        (
            [reply(250, 90.0, "few-shot"), reply(10, 100.0), reply(60, 110.0)],
            ", base on target 60 of 250, about 38 s left",
        ),
        ([step(1, seconds_left=9000)], ", 1 of 800, about 2.5 h left"),
    ],
)
def test_the_newest_log_of_a_held_lock(store, events, words):
    write(store, START, DONE, run=1)
    write(store, START, *events, run=2, cut='{"kind": "train.step", "st')
    with held(store):
        now = at_work(store)
    assert now.words() == f"At work now: fine-tune (train, step 7 of 11){words}."
    assert at_work(store) is None  # nobody holds the lock: the run was killed
    with store.lock():
        pass  # it was let go


def test_a_step_that_is_done_is_not_at_work(store):
    with held(store):
        assert at_work(store) is None
        write(store, START, DONE)
        assert at_work(store) is None
        store.run_log(2).write_text("")
        assert at_work(store) is None


def test_a_long_log_is_read_at_its_end(store):
    write(store, START, *(step(number, 100 + number, seconds_left=5) for number in range(1, 801)))
    with held(store):
        assert at_work(store) == AtWork("train", "fine-tune", 7, 11, Told("", 800, 800, 900, 5), 5)
    write(store, START, {"kind": "train.other", "words": "a" * 100_000, "time": 1.0})
    with held(store):
        assert at_work(store) == AtWork("train", "fine-tune", 7, 11)


def test_a_killed_runs_log_is_not_taken_for_what_another_does(store):
    write(store, START, step(120))
    with store.lock():
        assert at_work(store) is None
        write(store, START | {"time": time.time()}, run=2)
        assert at_work(store).told is None
