"""A command run and measured: wall and CPU seconds, and the peak memory of its whole process tree."""

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

SAMPLED_EVERY = 0.05
"""Seconds between two looks at the tree's memory."""


class Measured(NamedTuple):
    """What a command took. A command that fails is measured too: look at `code`."""

    code: int
    wall_s: float
    cpu_s: float
    """User and system time of the command and every child it waited for."""
    peak_bytes: int
    """The largest resident memory of the tree: sampled sum, or the kernel's mark of its largest process if that is more."""
    stdout: str


def measure(command: Sequence[str], folder: Path, *, echo: bool = False) -> Measured:
    """Run a command in a folder. With `echo` its stderr goes to ours."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=sys.stderr if echo else subprocess.DEVNULL,
        text=True,
    )
    watch = _Watch(process.pid)
    watch.start()
    stdout = process.communicate()[0]
    wall = time.monotonic() - started
    watch.done.set()
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # the mark is of all children so far, so it counts only where this command raised it
    unit = 1 if sys.platform == "darwin" else 1024
    mark = after.ru_maxrss * unit if after.ru_maxrss > before.ru_maxrss else 0
    return Measured(process.returncode, wall, cpu, max(watch.peak, mark), stdout)


class _Watch(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.peak = 0
        self._pid = pid

    def run(self) -> None:
        while not self.done.wait(SAMPLED_EVERY):
            self.peak = max(self.peak, _tree_bytes(self._pid))


def _tree_bytes(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:
        pass
    return total
