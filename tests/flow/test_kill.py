"""kill -9 at any moment of a run, then run again: the same artifacts, bit for bit."""

import multiprocessing
import time
from pathlib import Path
from random import Random

import pytest
from sorting import content, write_project

MOMENTS = 14
"""Kills, each a few events after the run went on: between them they fall into every long step."""


def run_project(folder: str) -> None:
    """The child: a whole run."""
    import tunewright

    tunewright.open(folder).run()


@pytest.fixture(scope="module")
def spawn():
    """Starts a child with the heavy imports done already, so that a kill hits the work and not the imports."""
    context = multiprocessing.get_context("forkserver")
    stages = ("data", "training", "measuring", "deciding", "reporting")
    context.set_forkserver_preload(
        ["torch", "transformers", "peft", "tunewright.train.run", "tunewright.generate.resolve"]
        + [f"tunewright.project.stages.{name}" for name in stages]
    )

    def start(folder: Path) -> multiprocessing.Process:
        child = context.Process(target=run_project, args=(str(folder),))
        child.start()
        return child

    return start


def events(folder: Path) -> int:
    """How many events the project's runs have logged so far."""
    return sum(path.read_bytes().count(b"\n") for path in (folder / ".tunewright" / "runs").glob("*.jsonl"))


def kill_after(child: multiprocessing.Process, folder: Path, more: int, pause: float) -> bool:
    """Kill the child `pause` seconds after it has logged `more` events; False when it had ended before."""
    goal = events(folder) + more
    while child.is_alive() and events(folder) < goal:
        time.sleep(0.001)
    child.join(pause)
    alive = child.is_alive()
    child.kill()
    child.join()
    return alive


def test_killed_runs_end_in_the_same_bytes(tmp_path, spawn, monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "1")
    calm = write_project(tmp_path / "calm" / "sorting")
    child = spawn(calm)
    child.join()
    assert child.exitcode == 0

    harried = write_project(tmp_path / "harried" / "sorting")
    moments = Random(0)
    kills = [
        kill_after(spawn(harried), harried, moments.randrange(1, 8), moments.random() / 20)
        for _ in range(MOMENTS)
    ]
    last = spawn(harried)
    last.join()
    assert (last.exitcode, sum(kills) >= 10) == (0, True)
    assert content(harried) == content(calm)
    assert not any((harried / ".tunewright" / "work").iterdir())
