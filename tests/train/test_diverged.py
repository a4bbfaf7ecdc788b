"""Runs whose loss leaps: the rows are named, and the weights from before are kept."""

import json
import re

import pytest
from test_run import ROWS, SPEC, contents, run

from tunewright.core.errors import GateError
from tunewright.core.example import ask, make_example
from tunewright.train import loop
from tunewright.train.spec import AdapterSpec


def test_a_loss_that_is_no_number(tiny_base, tmp_path):
    spec = SPEC.model_copy(update={"learning_rate": 1e30, "clip": 1e30, "warmup": 0.0})
    with pytest.raises(GateError, match=r"broke down at step \d+: the loss is no number, rows \w{12}"):
        run(tmp_path, tiny_base, spec)


STRANGE = ask("What is 3 + 4?", "Z q X v K j W z Y x Q k V w J " * 2)


def test_a_spike_names_its_row_and_training_goes_on(tiny_base, tmp_path):
    """A hundred rows learnt by heart, and one whose answer is noise."""
    spec = SPEC.model_copy(
        update={
            "epochs": 6,
            "batch_tokens": 60,
            "patience": 1000,
            "adapter": AdapterSpec(rank=8),
            "dev_every": 50,
        }
    )
    rows = [*ROWS[:4] * 6, STRANGE]
    summary = run(tmp_path, tiny_base, spec.model_copy(update={"learning_rate": 2e-3}), rows=rows)
    assert summary.stop_reason == "epochs done"
    assert summary.warnings, "the noise should have been a spike"
    assert make_example(STRANGE).id in summary.warnings[0]
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert len(history["trouble"]) == len(summary.warnings)
    assert history["trouble"][0]["loss"] > 2 * history["trouble"][0]["usual"]


@pytest.fixture
def runaway(monkeypatch):
    """Settings of a run whose rate leaps after step 16, and nothing clips it."""
    monkeypatch.setattr(loop, "learning_rate", lambda spec, step, total: 1e-2 if step < 16 else 30.0)
    return SPEC.model_copy(update={"epochs": 8, "clip": 1e9, "patience": 1000})


def test_a_divergence_rolls_back_to_the_best_weights(runaway, tiny_base, tmp_path):
    summary = run(tmp_path, tiny_base, runaway)
    assert summary.stop_reason == "diverged"
    assert 0 < summary.best_step <= 18
    assert 18 < summary.steps < summary.steps_planned
    assert summary.best_dev_loss < summary.first_dev_loss
    assert f"the weights of step {summary.best_step} are kept" in summary.warnings[-1]
    assert "Lower train.learning_rate" in summary.warnings[-1]


def test_without_dev_rows_the_weights_before_the_spike_are_kept(runaway, tiny_base, tmp_path):
    summary = run(tmp_path, tiny_base, runaway, dev=[])
    assert summary.stop_reason == "diverged"
    history = json.loads((tmp_path / "out/history.json").read_text())
    assert summary.best_step == history["trouble"][0]["step"] - 1
    assert re.search(r"diverged at step \d+: the loss is .* was usual, rows \w{12}", summary.warnings[-1])


@pytest.mark.parametrize("point", [5, 19])
def test_a_cut_changes_nothing_of_a_divergence(point, runaway, tiny_base, tmp_path):
    run(tmp_path / "whole", tiny_base, runaway)

    def stop(kind, **data):
        if kind == "train.step" and data["step"] == point:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_base, runaway, emit=stop)
    run(tmp_path / "cut", tiny_base, runaway)
    assert contents(tmp_path / "cut" / "out") == contents(tmp_path / "whole" / "out")
