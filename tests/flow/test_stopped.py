"""Ctrl-C, a second process, and a run that fails: one sentence each, and a folder that the next run goes on from."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sorting import write_project

import tunewright

COMMAND = str(Path(sys.executable).with_name("tunewright"))


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts real command lines at work in a project; none outlives the test."""
    children: list[subprocess.Popen[str]] = []

    def begin(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
        children.append(
            subprocess.Popen(
                [COMMAND, *arguments, "-p", str(folder)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "TUNEWRIGHT_THREADS": "1"},
            )
        )
        return children[-1]

    yield begin
    for child in children:
        child.kill()
        child.communicate()


def seen(folder: Path, kind: str) -> bool:
    """Whether an event of that kind stands in a run's log."""
    logs = (folder / ".tunewright" / "runs").glob("*.jsonl")
    return any(f'"{kind}"' in path.read_text() for path in logs)


def wait_for(folder: Path, kind: str, child: "subprocess.Popen[str]") -> None:
    """Wait until the child has come so far."""
    while not seen(folder, kind):
        assert child.poll() is None, child.communicate()
        time.sleep(0.01)


def test_ctrl_c_stops_a_run_that_a_second_process_may_not_join(tmp_path: Path, start: Start) -> None:
    folder = write_project(tmp_path / "sorting")
    text = (folder / "tunewright.yaml").read_text()
    # long enough for what follows, on a busy machine too
    (folder / "tunewright.yaml").write_text(text.replace("epochs: 2", "epochs: 12, patience: 99"))
    child = start(folder, "run")
    wait_for(folder, "train.step", child)
    second = start(folder, "run")
    said = second.communicate()
    assert (second.returncode, said[0]) == (2, "")
    lock = folder / ".tunewright"
    assert (
        said[1] == f"error: {lock}: another tunewright is at work in this project. Wait for it, or stop it.\n"
    )
    assert "train" in start(folder, "status").communicate()[0]  # looking is allowed

    child.send_signal(signal.SIGINT)
    said = child.communicate()
    assert child.returncode == 130
    assert said[1].splitlines()[-1] == "Stopped. `tunewright run` goes on from here."
    assert "Traceback" not in said[1]
    project = tunewright.open(folder)
    states = {run.step: run.status for run in project.store.catalogue.runs()}
    assert states["train"] == "interrupted"
    scratch = [path.name.split("-")[0] for path in (folder / ".tunewright" / "work").iterdir()]
    assert scratch == ["train"]  # its checkpoint, for the next run

    before = {artifact.id for artifact in project.store.artifacts()}
    result = project.run()
    fresh = {outcome.artifact.id for outcome in result.outcomes if not outcome.made}
    assert fresh == {name for name in before if not name.startswith("recipe.")}
    logs = sorted((folder / ".tunewright" / "runs").glob("*.jsonl"))
    steps = [json.loads(line) for path in logs for line in path.read_text().splitlines()]
    trained = [event["step"] for event in steps if event["kind"] == "train.step"]
    assert len(trained) - len(set(trained)) <= 1  # at most one step was done again
    assert not list((folder / ".tunewright" / "work").iterdir())


def test_a_run_that_fails_leaves_what_stood_before_it(tmp_path: Path, start: Start) -> None:
    folder = write_project(tmp_path / "sorting")
    settings = {"train.learning_rate": 1e30, "train.clip": 1e30}
    child = start(
        folder, "run", *[part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    )
    said = child.communicate()
    assert child.returncode == 2
    assert "Training broke down at step" in said[1]
    assert "Lower train.learning_rate" in said[1]
    assert "Traceback" not in said[1]
    project = tunewright.open(folder)
    assert [outcome.step for outcome in project.run(upto="gate").outcomes if outcome.made] == []
    assert {artifact.manifest.derivation.step for artifact in project.store.artifacts()} == {
        *("ingest", "recipe.drop_duplicates", "prepare", "split", "gate", "baselines", "rehearse")
    }
    for artifact in project.store.artifacts():
        artifact.verify()
    assert {run.status for run in project.store.catalogue.runs() if run.step == "train"} == {"failed"}
