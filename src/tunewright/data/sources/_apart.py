"""Work on files from strangers in a process of its own, which can be ended where it takes too long or breaks down.

    reader = Apart("tunewright.data.sources._pdf_pages")
    reader.ask({"open": "t.pdf"}, seconds=60)     → the worker's answer; raises Lost where there is none

A library in C cannot be stopped from within, and one that crashes takes its process along. The process is started when it is
first asked, stays for the next file, and ends with ours. It answers each line of JSON with one (`serve`).
"""

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MEMORY = 4 * 2**30
"""The most bytes of memory that the process may take."""
_LOOK = 0.5
"""Seconds between two looks at what the process has taken."""
_START = 60.0
"""Seconds of processor time that starting may take beyond an answer's."""


class Lost(Exception):
    """There is no answer: the process was ended, or broke down. The message says why, as `it …`."""


class Apart:
    """A module run as a process of its own."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._owner = 0
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any], *, seconds: float) -> dict[str, Any]:
        """The answer, within so many seconds of processor time. Raises Lost."""
        with self._lock:
            fresh = self._start()
            process = self._process
            assert process is not None
            try:
                _write(process, request)
                line = self._answer(process, seconds + (_START if fresh else 0.0))
            except BrokenPipeError:
                line = b""
            except BaseException:  # also an interrupt: the answer that is still to come belongs to nobody
                self._end()
                raise
            if not line:
                self._end()
                raise Lost("breaks the reader down")
            answer: dict[str, Any] = json.loads(line)
            return answer

    @property
    def runs(self) -> bool:
        """Whether there is such a process now."""
        return self._process is not None and self._owner == os.getpid() and self._process.poll() is None

    def close(self) -> None:
        """End the process, if it runs; the next question starts another."""
        with self._lock:
            self._end()

    def _start(self) -> bool:
        """Whether the process had to be started; a fork of ours has none yet."""
        if self.runs:
            return False
        if self._owner != os.getpid():
            self._process = None
            atexit.register(self.close)
        self._end()
        path = os.pathsep.join(place for place in sys.path if place)  # never the folder that we stand in
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._owner = os.getpid()
        self._answers = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._process, self._answers), daemon=True).start()
        return True

    def _answer(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """The next line; empty where the process ended."""
        import psutil

        try:
            watched = psutil.Process(process.pid)
            before = _processor_time(watched)
            while True:
                try:
                    return self._answers.get(timeout=_LOOK)
                except queue.Empty:
                    if _processor_time(watched) - before > seconds:
                        self._end()
                        raise Lost(f"takes more than {seconds:g} s of processor time") from None
                    if watched.memory_info().rss > MEMORY:
                        self._end()
                        raise Lost(f"takes more than {MEMORY:,} bytes of memory") from None
        except psutil.Error:
            return b""

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdin is not None:
            with suppress(BrokenPipeError):  # what was still to be written has no reader
                process.stdin.close()


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The process' side: answer lines until there are no more."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    for line in sys.stdin.buffer:
        out.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        out.flush()


def _write(process: "subprocess.Popen[bytes]", request: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()


def _processor_time(process: Any) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _listen(process: "subprocess.Popen[bytes]", answers: "queue.SimpleQueue[bytes]") -> None:
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            answers.put(line)
    answers.put(b"")
