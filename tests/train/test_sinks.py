"""Sinks: the real trackers where they are installed, and what happens when one fails or is slow."""

import sys
import threading
from contextlib import contextmanager, suppress
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import get_args

import pytest
from pydantic import ValidationError

import tunewright
from tunewright.core.errors import ProblemsError, UserError
from tunewright.core.events import silent
from tunewright.train import sinks
from tunewright.train.sinks import _worker
from tunewright.train.sinks._settings import flat
from tunewright.train.spec import TrainSpec

PROJECT = """
name: sorting
task: {system: Sort it.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
suites: {target: {examples: test, graders: [{type: exact_match}]}}
train: {sinks: [wandb]}
"""
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


class Cut(Exception):
    pass


SETTINGS = {
    "base": "b",
    "train": {"seed": 3, "rank": None, "adapter": {"targets": ("q", "k")}, "compile": False},
}
FLAT = {"base": "b", "train.seed": 3, "train.adapter.targets": "q, k", "train.compile": False}


def test_settings_are_one_flat_table():
    assert flat(SETTINGS) == FLAT


@pytest.mark.parametrize("failed", [False, True])
def test_tensorboard_has_the_settings(tmp_path, failed):
    """In its own tab, as the run's session: how it began, and that it came to its end where it did."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import PLUGIN_NAME, parse_session_start_info_plugin_data

    with (
        suppress(Cut),
        sinks.shown(["tensorboard"], "tickets", "train-1", tmp_path, silent, SETTINGS) as emit,
    ):
        send(emit)
        if failed:
            raise Cut
    found = EventAccumulator(str(tmp_path / "tensorboard" / "train-1")).Reload()
    told = found.PluginTagToContent(PLUGIN_NAME)
    session = parse_session_start_info_plugin_data(told["_hparams_/session_start_info"])
    given = {name: getattr(value, value.WhichOneof("kind")) for name, value in session.hparams.items()}
    assert given == FLAT
    assert ("_hparams_/session_end_info" in told) == (not failed)


def documented(**calls):
    """A module of a tracker that is not installed here, which takes its documented arguments and nothing else."""
    return type("Module", (), {name: staticmethod(call) for name, call in calls.items()})


def test_wandb_and_trackio_are_given_the_settings_as_config(tmp_path, monkeypatch):
    """By the signatures of their documentation: docs.wandb.ai/ref/python/init, huggingface.co/docs/trackio/api."""
    seen = {}

    def wandb_init(entity=None, project=None, dir=None, name=None, config=None, settings=None):
        seen["wandb"] = (project, dir, name, config)

    def trackio_init(project, *, name=None, config=None, resume="never"):
        seen["trackio"] = (project, name, config, resume)

    monkeypatch.setitem(
        sys.modules, "wandb", documented(init=wandb_init, Settings=lambda silent, console: None)
    )
    monkeypatch.setitem(sys.modules, "trackio", documented(init=trackio_init))
    for name in ("wandb", "trackio"):
        sinks._module(name).start("tickets", "train-1", tmp_path, FLAT)
    assert seen == {
        "wandb": ("tickets", str(tmp_path), "train-1", FLAT),
        "trackio": ("tickets", "train-1", FLAT, "allow"),
    }


def test_mlflow_is_given_the_settings_a_hundred_at_a_time(tmp_path, monkeypatch):
    """By the signatures of its documentation: mlflow.client.MlflowClient, mlflow.entities.Param."""
    calls = []

    class Client:
        def __init__(self, tracking_uri=None, registry_uri=None):
            pass

        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name, artifact_location=None, tags=None):
            return "7"

        def create_run(self, experiment_id, start_time=None, tags=None, run_name=None):
            return SimpleNamespace(info=SimpleNamespace(run_id="r"))

        def log_batch(self, run_id, metrics=(), params=(), tags=(), synchronous=None):
            calls.append(params)

    monkeypatch.setitem(sys.modules, "mlflow.tracking", documented(MlflowClient=Client))
    monkeypatch.setitem(sys.modules, "mlflow.entities", documented(Param=lambda key, value: (key, value)))
    monkeypatch.setitem(sys.modules, "mlflow", documented())
    sinks._module("mlflow").start(
        "tickets", "train-1", tmp_path, FLAT | {f"n{i}": "x" * 900 for i in range(100)}
    )
    assert [len(params) for params in calls] == [100, 4]
    assert calls[0][:2] == [("base", "b"), ("train.seed", "3")]
    assert calls[1][-1] == ("n99", "x" * 500)


def test_mlflow_shows_no_half_started_run_as_running(tmp_path, monkeypatch):
    """The store takes the first hundred parameters, and refuses the second."""
    ended = []

    class Client:
        def __init__(self, tracking_uri=None, registry_uri=None):
            self.calls = 0

        def get_experiment_by_name(self, name):
            return SimpleNamespace(experiment_id="7")

        def create_run(self, experiment_id, start_time=None, tags=None, run_name=None):
            return SimpleNamespace(info=SimpleNamespace(run_id="r"))

        def log_batch(self, run_id, metrics=(), params=(), tags=(), synchronous=None):
            self.calls += 1
            if self.calls == 2:
                raise ConnectionError("the server is gone")

        def set_terminated(self, run_id, status=None, end_time=None):
            ended.append((run_id, status))
            raise ConnectionError("it still is")

    monkeypatch.setitem(sys.modules, "mlflow.tracking", documented(MlflowClient=Client))
    monkeypatch.setitem(sys.modules, "mlflow.entities", documented(Param=lambda key, value: (key, value)))
    monkeypatch.setitem(sys.modules, "mlflow", documented())
    with pytest.raises(ConnectionError, match="the server is gone"):
        sinks._module("mlflow").start("tickets", "train-1", tmp_path, {f"n{i}": i for i in range(101)})
    assert ended == [("r", "FAILED")]


def test_mlflow_has_the_curves(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    from tunewright.train.sinks.mlflow import local_store

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with sinks.shown(["mlflow"], "tickets", "train-1", tmp_path, silent, SETTINGS) as emit:
        send(emit)
    client = MlflowClient(tracking_uri=local_store(tmp_path / "mlflow"))
    experiment = client.get_experiment_by_name("tickets")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "train-1"
    assert run.data.params == {name: str(value) for name, value in FLAT.items()}
    assert run.info.status == "FINISHED"
    losses = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "train/loss")]
    assert losses == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]


def test_mlflow_knows_a_run_that_failed(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    from tunewright.train.sinks.mlflow import local_store

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ZeroDivisionError), sinks.shown(["mlflow"], "tickets", "train-1", tmp_path, silent):
        raise ZeroDivisionError
    client = MlflowClient(tracking_uri=local_store(tmp_path / "mlflow"))
    (run,) = client.search_runs([client.get_experiment_by_name("tickets").experiment_id])
    assert run.info.status == "FAILED"


def test_wandb_takes_an_offline_run_and_says_nothing(tmp_path, monkeypatch, capfd):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    with sinks.shown(["wandb"], "tickets", "train-1", tmp_path, silent) as emit:
        send(emit)
    assert list(tmp_path.rglob("*.wandb"))
    assert capfd.readouterr() == ("", "")


def test_trackio_has_the_curves(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # read when it is imported
    pytest.importorskip("trackio")
    with sinks.shown(["trackio"], "tickets", "train-1", tmp_path, silent) as emit:
        send(emit)
    assert any((tmp_path / "trackio").rglob("tickets*"))


class Fake:
    """A tracker that keeps what it is told; `on_log` and `on_close` make it slow or let it fail."""

    LIBRARY = "json"

    def __init__(self, on_log=lambda step: None, on_close=lambda: None):
        self.on_log, self.on_close = on_log, on_close
        self.started, self.steps, self.closed = 0, [], []

    def start(self, project, run, folder, settings):
        self.started += 1
        return self

    def log(self, step, values):
        self.on_log(step)
        self.steps.append(step)

    def close(self, failed):
        self.closed.append(failed)
        self.on_close()


def gone(*_):
    raise ConnectionError("the server is gone")


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Opens fakes by name, and keeps what is said of them as (sink, error)."""

    @contextmanager
    def show(names=None, said=None, **fakes):
        monkeypatch.setattr(sinks, "_module", fakes.get)
        here = threading.current_thread()

        def emit(kind, **data):
            assert threading.current_thread() is here  # the event log is not for two threads
            if kind == "train.sink_failed" and said is not None:
                said.append((data["sink"], data["error"]))

        with sinks.shown(names or [*fakes], "p", "r", tmp_path, emit) as tell:
            yield tell

    return show


def test_one_that_fails_is_left_out_closed_and_said(shown):
    bad, good, said = Fake(on_log=lambda step: step == 2 and gone()), Fake(), []
    with shown(bad=bad, good=good, said=said) as emit:
        send(emit, 4)
    assert (bad.steps, bad.closed) == ([1], [True])
    assert (good.steps, good.closed) == ([1, 2, 3, 4, 4], [False])
    assert said == [("bad", "the server is gone")]


def test_a_failure_is_said_while_training_goes_on(shown):
    tried, said = threading.Event(), []
    with shown(bad=Fake(on_log=gone, on_close=tried.set), said=said) as emit:
        send(emit, 1)
        assert tried.wait(10)
        emit("gate.done")
        assert said == [("bad", "the server is gone")]


def test_one_that_fails_on_close_is_said(shown):
    bad, good, said = Fake(on_close=gone), Fake(), []
    with shown(bad=bad, good=good, said=said) as emit:
        send(emit, 1)
    assert said == [("bad", "the server is gone")]
    assert bad.closed == good.closed == [False]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_run_that_does_not_come_to_its_end_is_failed(shown, error):
    fake = Fake()
    with pytest.raises(error), shown(fake=fake):
        raise error
    assert fake.closed == [True]


def test_a_slow_one_does_not_hold_training_up(shown):
    go_on = threading.Event()
    slow = Fake(on_log=lambda step: go_on.wait(60))
    with shown(slow=slow) as emit:
        send(emit, 9)
        assert slow.steps == []
        go_on.set()
    assert slow.steps == [*range(1, 10), 9]


def test_one_that_hangs_loses_curves_and_is_given_up(shown, monkeypatch):
    monkeypatch.setattr(_worker, "ROOM", 2)
    monkeypatch.setattr(_worker, "PATIENCE", 0.1)
    answers, said = threading.Event(), []
    with shown(hangs=Fake(on_log=lambda step: answers.wait(60)), said=said) as emit:
        send(emit, 50)
    answers.set()
    assert said == [
        ("hangs", "too slow: the curves have gaps"),
        ("hangs", "not done after 0.1 s: its curves may be cut short"),
    ]


def test_a_name_given_twice_is_one_sink(shown):
    fake = Fake()
    with shown(["fake", "fake"], fake=fake) as emit:
        send(emit, 1)
    assert (fake.started, fake.closed) == (1, [False])


def test_one_that_does_not_start(shown, monkeypatch):
    good, bad = Fake(), Fake()
    monkeypatch.setattr(bad, "start", gone)
    with (
        pytest.raises(UserError, match=r"train\.sinks: the sink bad does not start"),
        shown(good=good, bad=bad),
    ):
        pass
    assert good.closed == [True]


def test_a_missing_or_broken_library_names_the_way_out(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sinks, "_module", lambda name: type("Absent", (), {"LIBRARY": name}))
    absent, broken = sinks.problems(["no_such", "broken"])
    assert absent.fix == "`pip install no_such`, or take it out of train.sinks."
    assert broken.message == "the sink broken cannot be loaded (division by zero)"


def test_a_run_is_refused_before_its_first_step(tmp_path, monkeypatch):
    (tmp_path / "rows.csv").write_text("text,kind\nit broke,bug\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    monkeypatch.setattr(sinks, "_module", lambda name: type("Absent", (), {"LIBRARY": "no_such"}))
    project = tunewright.open(tmp_path)
    with pytest.raises(ProblemsError, match="the sink wandb cannot be loaded"):
        project.run("train")
    assert not project.store.catalogue.runs()
    project.run("ingest")


def test_the_spec_names_the_sinks_that_there_are():
    kinds = get_args(get_args(TrainSpec.model_fields["sinks"].annotation)[0])
    assert sorted(kinds) == sorted(m.name for m in iter_modules(sinks.__path__) if not m.name.startswith("_"))
    with pytest.raises(ValidationError, match="tensorboard"):
        TrainSpec(sinks=("tensorbord",))
