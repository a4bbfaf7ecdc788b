"""Pieces shared out to real processes: order, errors, processes that die, and a parent that does."""

import os
import signal
import subprocess
import sys
import zipapp
from functools import partial
from multiprocessing import parent_process
from pathlib import Path

import psutil
import pytest

from tunewright.core.errors import DataError
from tunewright.data.workers import Workers

SHARING = """\
import os, sys
from tunewright.data.workers import Workers
with Workers(2) as workers:
    for pid in workers.each(eval, ["__import__('os').getpid()"] * 20):
        print(pid, pid == os.getpid(), flush=True)
    {then}
"""


def odd(dies: int, number: int) -> int:
    """The square; another process ends at one number."""
    if number == dies and parent_process() is not None:
        os._exit(1)
    if number < 0:
        raise DataError("a number below 0.", where=f"rows:{number}", fix="Leave it out.")
    return number * number


@pytest.mark.parametrize("dies", [-1, 0, 7, 39])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_results_come_in_order_whatever_happens(number: int, dies: int) -> None:
    with Workers(number) as workers:
        assert list(workers.each(partial(odd, dies), range(40))) == [at * at for at in range(40)]
        assert list(workers.each(partial(odd, -1), range(3))) == [0, 1, 4]


def test_a_process_that_dies_is_told_once() -> None:
    told = []
    with Workers(2, lambda kind, **facts: told.append((kind, facts))) as workers:
        for _ in range(2):
            assert list(workers.each(partial(odd, 7), range(40))) == [at * at for at in range(40)]
    words = told[0][1].pop("words")
    assert told == [("workers.died", {"processes": 2})]
    assert "one of 2 processes" in words
    assert words.endswith("set TUNEWRIGHT_THREADS=1.")


@pytest.mark.parametrize("number", [1, 2])
def test_what_the_work_raises_is_raised_as_it_is(number: int) -> None:
    with Workers(number) as workers, pytest.raises(DataError) as caught:
        list(workers.each(partial(odd, -1), [1, 2, -3, 4]))
    assert str(caught.value) == "rows:-3: a number below 0. Leave it out."


def test_no_process_outlives_a_parent_that_is_killed() -> None:
    script = SHARING.format(then=f"os.kill(os.getpid(), {int(signal.SIGTERM)})")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    pids = {int(line.split()[0]) for line in done.stdout.splitlines()}
    assert pids
    left = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []


def test_a_command_that_is_an_archive_starts_processes(tmp_path: Path) -> None:
    source = tmp_path / "app"
    source.mkdir()
    (source / "__main__.py").write_text("print('begun', True)\n" + SHARING.format(then=""))
    zipapp.create_archive(source, tmp_path / "tool.pyz")
    done = subprocess.run([sys.executable, tmp_path / "tool.pyz"], capture_output=True, text=True, check=True)
    said = [line.split() for line in done.stdout.splitlines()]
    assert [own for _, own in said] == ["True", *["False"] * 20]
