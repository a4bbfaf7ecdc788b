"""kill -9 at any moment of a run, then run again: the same artifacts, bit for bit."""

import multiprocessing
import shutil
import time
from pathlib import Path

import pytest
from sorting import content, write_project

MOMENTS = 14
"""Kills, spread over a whole run's time; each hits whatever is then at work."""


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


def test_killed_runs_end_in_the_same_bytes(tmp_path, spawn, monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "1")
    calm = write_project(tmp_path / "calm" / "sorting")
    warm_up = spawn(calm)
    warm_up.join()
    shutil.rmtree(calm / ".tunewright")
    started = time.monotonic()
    child = spawn(calm)
    child.join()
    whole = time.monotonic() - started
    assert child.exitcode == 0

    harried = write_project(tmp_path / "harried" / "sorting")
    killed = 0
    for moment in range(MOMENTS):
        child = spawn(harried)
        child.join(whole * (moment % 7 + 1) / 16)
        if child.is_alive():
            child.kill()
            killed += 1
        child.join()
    last = spawn(harried)
    last.join()
    assert (last.exitcode, killed >= 10) == (0, True)
    assert content(harried) == content(calm)
    assert not any((harried / ".tunewright" / "work").iterdir())
