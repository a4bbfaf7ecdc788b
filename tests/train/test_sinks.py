"""Sinks: the real trackers where they are installed, and what happens when one fails."""

import pytest

from tunewright.core.errors import UserError
from tunewright.core.events import silent
from tunewright.train import sinks

pytestmark = pytest.mark.filterwarnings("default")  # trackers warn of their own libraries


def send(emit, steps=3):
    for step in range(1, steps + 1):
        emit("train.step", step=step, steps=steps, loss=1.0 / step, lr=0.1, grad_norm=2.0, tokens=100)
    emit("train.dev", step=steps, steps=steps, loss=0.5, best=True)
    emit("gate.done", rows=3)


def test_tensorboard_has_the_curves(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with sinks.shown(["tensorboard"], "tickets", "train-1", tmp_path, silent) as emit:
        send(emit)
    found = EventAccumulator(str(tmp_path / "tensorboard" / "train-1")).Reload()
    losses = [(point.step, point.value) for point in found.Scalars("train/loss")]
    assert losses == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert [point.value for point in found.Scalars("dev/loss")] == [0.5]
    assert "train/steps" not in found.Tags()["scalars"]


def test_mlflow_has_the_curves(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    from tunewright.train.sinks.mlflow import local_store

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with sinks.shown(["mlflow"], "tickets", "train-1", tmp_path, silent) as emit:
        send(emit)
    client = MlflowClient(tracking_uri=local_store(tmp_path / "mlflow"))
    experiment = client.get_experiment_by_name("tickets")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "train-1"
    assert run.info.status == "FINISHED"
    assert [point.value for point in client.get_metric_history(run.info.run_id, "train/loss")] == [
        1.0, 0.5, pytest.approx(1 / 3),
    ]  # fmt: skip


def test_wandb_takes_an_offline_run(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    with sinks.shown(["wandb"], "tickets", "train-1", tmp_path, silent) as emit:
        send(emit)
    assert list(tmp_path.rglob("*.wandb"))


def test_trackio_has_the_curves(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # read when it is imported
    pytest.importorskip("trackio")
    with sinks.shown(["trackio"], "tickets", "train-1", tmp_path, silent) as emit:
        send(emit)
    assert any((tmp_path / "trackio").rglob("tickets*"))


class Fails:
    """A tracker whose server goes away at the second step."""

    LIBRARY, IMPORT = "json", "json"
    seen: list[int] = []  # noqa: RUF012

    @classmethod
    def start(cls, project, run, folder):
        return cls()

    def log(self, step, values):
        if step == 2:
            raise ConnectionError("the server is gone")
        self.seen.append(step)

    def close(self):
        raise ConnectionError("still gone")


def test_one_that_fails_is_left_out_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sinks, "_module", lambda name: Fails)
    said = []
    with sinks.shown(["any"], "p", "r", tmp_path, lambda kind, **data: said.append((kind, data))) as emit:
        send(emit, 4)
    assert Fails.seen == [1]
    assert [data for kind, data in said if kind == "train.sink_failed"] == [
        {"sink": "any", "error": "the server is gone"}
    ]
    assert sum(kind == "train.step" for kind, _ in said) == 4


def test_one_that_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setattr(sinks, "_module", lambda name: Fails)
    monkeypatch.setattr(Fails, "start", classmethod(lambda *_: 1 / 0))
    with (
        pytest.raises(UserError, match=r"train\.sinks: the sink any does not start"),
        sinks.shown(["any"], "p", "r", tmp_path, silent),
    ):
        pass


def test_a_missing_library_names_the_way_out(monkeypatch):
    monkeypatch.setattr(
        sinks, "_module", lambda name: type("Absent", (), {"LIBRARY": "no-such", "IMPORT": "no_such"})
    )
    (problem,) = sinks.problems(["any"])
    assert problem.fix.startswith("`pip install no-such`")


def test_an_unknown_sink_is_named():
    (problem,) = sinks.problems(["tensorbord"])
    assert problem.message == "there is no sink 'tensorbord'"
    assert problem.fix == "Known: mlflow, tensorboard, trackio, wandb."
