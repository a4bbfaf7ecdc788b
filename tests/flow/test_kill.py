"""kill -9 at any moment of a run, then run again: the same artifacts, bit for bit."""

import multiprocessing
import re
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest
from sorting import content, write_project

from tunewright.project.steps import BY_NAME
from tunewright.store.catalogue import Catalogue

MOMENTS = (
    *(("ingest", 1), ("split", 1), ("gate", 1), ("baselines", 1), ("baselines", 4), ("baselines", 9)),
    *(("rehearse", 1), ("rehearse", 2), ("train", 2), ("train", 5), ("train", 6), ("train", 8)),
    *(("evaluate", 1), ("evaluate", 6), ("decide", 1), ("release", 1), ("report", 1)),
)
"""Kills: in which step, and after how many of its events since it went on."""
FEW = (
    *(("ingest", 1), ("split", 1), ("gate", 1), ("baselines", 1), ("baselines", 4), ("rehearse", 1)),
    *(("train", 2), ("train", 6), ("evaluate", 1), ("evaluate", 6)),
    *(("decide", 1), ("release", 1), ("report", 1)),
)
"""Those whose steps are done again in little time: every run kills these."""
ORDER = list(BY_NAME)


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

    def start(folder: Path) -> BaseProcess:
        child = context.Process(target=run_project, args=(str(folder),))
        child.start()
        return child

    return start


def logs(folder: Path) -> list[Path]:
    """The logs of the runs of steps, oldest first."""
    return sorted((folder / ".tunewright" / "runs").glob("*.jsonl"))


def reached(log: Path, step: str, more: int) -> bool:
    """Whether a log is the step's and has so many events, or is a later step's: a kill that came late hits that one."""
    lines = log.read_text().splitlines()
    found = re.search(r'"step": "(\w+)"', lines[0]) if lines else None
    if found is None:
        return False
    late = ORDER.index(found[1]) - ORDER.index(step)
    return late > 0 or (late == 0 and len(lines) >= more)


def kill_in(start: Callable[[Path], BaseProcess], folder: Path, step: str, more: int, pause: float) -> bool:
    """Start a run and kill it `pause` seconds after the step's `more`th event; False when it had ended before."""
    known = set(logs(folder))
    child = start(folder)
    while child.is_alive() and not any(reached(log, step, more) for log in logs(folder) if log not in known):
        time.sleep(0.001)
    child.join(pause)
    alive = child.is_alive()
    child.kill()
    child.join()
    return alive


@pytest.mark.parametrize(
    ("moments", "hit"),
    [pytest.param(FEW, 10, id="few"), pytest.param(MOMENTS, 12, id="all", marks=pytest.mark.slow)],
)
def test_killed_runs_end_in_the_same_bytes(tmp_path, spawn, monkeypatch, moments, hit):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "1")
    calm = write_project(tmp_path / "calm" / "sorting")
    child = spawn(calm)
    child.join()
    assert child.exitcode == 0

    harried = write_project(tmp_path / "harried" / "sorting")
    pauses = Random(0)
    kills = [kill_in(spawn, harried, step, more, pauses.random() / 20) for step, more in moments]
    last = spawn(harried)
    last.join()
    assert (last.exitcode, sum(kills) >= hit) == (0, True)
    runs = Catalogue(harried / ".tunewright" / "catalogue.sqlite").runs()
    cut = {run.step for run in runs if run.status == "interrupted"}
    assert cut >= {"baselines", "train", "evaluate"}, cut
    assert len(cut & {step for step, _ in moments}) >= 7, cut
    assert content(harried) == content(calm)
    assert not any((harried / ".tunewright" / "work").iterdir())
