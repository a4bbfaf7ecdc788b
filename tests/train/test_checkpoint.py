"""The work folder: what it takes up again and what it does not."""

import pytest
import torch

from tunewright.train import checkpoint
from tunewright.train.checkpoint import Progress, WorkFolder, seconds_in_all
from tunewright.train.slots import Slots

STATE = {"parameters": torch.arange(3.0)}


def state():
    return {name: [value] for name, value in STATE.items()}


def test_a_run_is_taken_up_with_its_threads(tmp_path):
    first = WorkFolder(tmp_path, "run", threads=2)
    assert not first.resumed
    first.note(kind="step", step=1, loss=0.1 + 0.2)
    progress = Progress(step=1, tokens=7, best_loss=1 / 3, reached=[True, False])
    first.save(progress, state)
    first.note(kind="step", step=2, loss=1.0)
    second = WorkFolder(tmp_path, "run", threads=8)
    assert second.resumed
    assert second.threads == 2
    found, tensors = second.load()
    assert found == progress
    assert torch.equal(tensors["parameters"], STATE["parameters"])
    assert second.history() == [{"kind": "step", "step": 1, "loss": 0.1 + 0.2}]


def test_another_run_starts_anew(tmp_path):
    first = WorkFolder(tmp_path, "run", threads=2)
    first.save(Progress(step=1), state)
    first.save_best(1, STATE)
    second = WorkFolder(tmp_path, "other", threads=8)
    assert (second.resumed, second.threads, second.load(), second.load_best()) == (False, 8, None, None)


def test_dear_checkpoints_wait(tmp_path):
    folder = WorkFolder(tmp_path, "run", threads=1)
    folder.save(Progress(step=1), state)
    folder._cost = 60.0
    folder.save(Progress(step=2), lambda: pytest.fail("a checkpoint that waits is not made"))
    assert folder.load()[0].step == 1
    folder.save(Progress(step=3), state, due=True)
    assert folder.load()[0].step == 3


def test_time_is_kept_with_the_checkpoint(tmp_path):
    kept = tmp_path / "seconds.json"
    first = WorkFolder(tmp_path, "run", threads=1)
    first.save(Progress(step=1), state)
    assert 0 <= float(kept.read_text()) <= first.seconds()
    kept.write_text("100.5")
    assert WorkFolder(tmp_path, "run", threads=1).seconds() >= 100.5
    kept.write_text("")
    assert WorkFolder(tmp_path, "run", threads=1).seconds() < 100
    kept.write_text("100.5")
    assert WorkFolder(tmp_path, "other", threads=1).seconds() < 100


def test_a_checkpoint_is_weighed_without_being_one(tmp_path):
    folder = WorkFolder(tmp_path, "run", threads=1)
    there = sorted(tmp_path.iterdir())
    assert folder.trial(state()) > 0
    assert sorted(tmp_path.iterdir()) == there
    assert folder.load() is None


def test_one_that_cannot_be_tried_out_weighs_nothing(tmp_path):
    """A disk that is full, say: the run tells it, if it needs as much."""
    folder = WorkFolder(tmp_path, "run", threads=1)
    (tmp_path / checkpoint._TRIAL).write_text("a file where the trial's folder should be")
    assert folder.trial(state()) == 0.0


def test_of_a_large_one_some_is_weighed_whatever_its_parts(tmp_path, monkeypatch):
    laid = []
    write = Slots.write
    monkeypatch.setattr(checkpoint, "_TRIED", 1000)
    monkeypatch.setattr(
        Slots, "write", lambda self, some, facts: laid.append(some) or write(self, some, facts)
    )
    whole = {"parameters": [torch.ones(10_000)], "first": [torch.ones(10), torch.ones(9)]}
    assert WorkFolder(tmp_path, "run", threads=1).trial(whole) > 0
    assert {sum(part.nbytes for parts in some.values() for part in parts) for some in laid} == {1000}


def test_what_a_trial_left_goes_with_the_run(tmp_path):
    WorkFolder(tmp_path, "run", threads=1)
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial/state-a.safetensors").write_bytes(b"cut off")
    WorkFolder(tmp_path, "other", threads=1)
    assert not (tmp_path / "trial").exists()


@pytest.mark.parametrize(("cost", "found"), [(0.01, 2.0), (0.2, 10.0), (0.051, 10.0), (0.04, 8.0)])
def test_checkpoints_take_a_tenth_of_a_run_at_most_where_they_are_dear(cost, found):
    assert seconds_in_all(cost, 200, 100.0) == pytest.approx(found)


def test_torn_files_are_none(tmp_path):
    folder = WorkFolder(tmp_path, "run", threads=1)
    folder.save(Progress(step=1), state)
    for path in tmp_path.glob("state-*"):
        path.write_bytes(b"torn")
    folder.note(kind="step", step=1)
    assert folder.load() is None
    assert folder.history() == []
    (tmp_path / "run.json").write_text("{")
    assert not WorkFolder(tmp_path, "run", threads=1).resumed


def test_the_last_weights_are_kept_and_cut_back_to_the_state(tmp_path):
    folder = WorkFolder(tmp_path, "run", threads=1)
    for step in (8, 9, 10):
        folder.save_past(step, {"a": torch.tensor([float(step)])}, 2)
        folder.save(Progress(step=step), state, due=True)
    assert [(step, float(past["a"])) for step, past in folder.past()] == [(9, 9.0), (10, 10.0)]
    folder.save_past(11, STATE, 2)  # and cut off before the state was saved
    again = WorkFolder(tmp_path, "run", threads=1)
    again.load()
    assert [step for step, _ in again.past()] == [10]
    assert list(WorkFolder(tmp_path, "other", threads=1).past()) == []
