"""A real terminal with a program in it: what is typed is typed to the program, what it shows can be read."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PATIENCE = 120
"""Seconds without a sign after which the program hangs: a guard, not a measure."""


class Terminal:
    """`tunewright` with a terminal of its own."""

    def __init__(self, arguments: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tunewright.cli.main import main; main()", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **(env or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.pid = self._process.pid
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._seen = ""
        self.raw = ""
        """All that was shown, with what steers the terminal."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> str:
        """What was shown until this text, blanks folded; it is then behind us."""
        while True:
            shown = " ".join(_STYLE.sub("", self._seen).split())
            if text in shown:
                self._seen = shown.partition(text)[2]
                return shown.partition(text)[0] + text
            self._wait(text, shown)
            try:
                read = os.read(self._ours, 65536)
            except OSError:
                read = b""
            if not read:
                raise AssertionError(f"the program ended without {text!r}: {shown[-2000:]}")
            self._seen += read.decode("utf-8", "replace")
            self.raw += read.decode("utf-8", "replace")

    def _wait(self, text: str, shown: str) -> None:
        """Until something more is shown."""
        for _ in range(_PATIENCE):
            ended = self._process.poll() is not None
            if select.select([self._ours], [], [], 0 if ended else 1)[0]:
                return
            if ended:
                break
        raise AssertionError(f"{text!r} was never shown, but: {shown[-2000:]}")

    def end(self) -> int:
        """Wait for the program's end; its exit code."""
        return self._process.wait(_PATIENCE)

    @property
    def now(self) -> object:
        """The terminal's modes."""
        return termios.tcgetattr(self._theirs)
