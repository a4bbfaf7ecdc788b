"""Single keys from the terminal, without Enter, on POSIX and Windows.

with keyboard() as keys:
    keys.read()         # "a"; ENTER, ESCAPE, BACKSPACE; "" for a key that is no sign (an arrow)
    with keys.away():   # the terminal as it was, for an editor
        ...
"""

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from tunewright.core.hidden import visible
from tunewright.data.review.decision import LONGEST_REASON

ENTER, ESCAPE, BACKSPACE, END = "\n", "\x1b", "\x7f", "\x04"
_BRIEF = 100
"""Characters of a text that is a part of a line."""
_SOON = 0.05
"""Seconds in which the rest of a key's bytes comes: a lone Esc is told from an arrow by it."""


@contextmanager
def keyboard() -> "Iterator[Keyboard]":
    """The terminal's keys while the block runs; the terminal is then as it was, whatever happened."""
    keys = Keyboard()
    try:
        yield keys
    finally:
        keys.restore()


if sys.platform == "win32":
    import msvcrt

    class Keyboard:
        """The keys of a console window."""

        def read(self) -> str:
            """Wait for a key. Raises KeyboardInterrupt for Ctrl-C."""
            sign = msvcrt.getwch()
            if sign in ("\x00", "\xe0"):
                msvcrt.getwch()
                return ""
            if sign == "\x03":
                raise KeyboardInterrupt
            return {"\r": ENTER, "\b": BACKSPACE, "\x1a": END}.get(sign, sign)

        @contextmanager
        def away(self) -> Iterator[None]:
            """Lend the terminal to another program."""
            yield

        def restore(self) -> None:
            """Nothing was set."""

else:
    import codecs
    import os
    import select
    import termios
    import tty

    class Keyboard:
        """The keys of a terminal; of one that is gone, END."""

        def __init__(self) -> None:
            self._stream = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._stream)
            self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

        def read(self) -> str:
            """Wait for a key. Ctrl-C raises KeyboardInterrupt as ever."""
            # each time anew: a shell that stopped us and let us go on has set it back
            tty.setcbreak(self._stream, termios.TCSADRAIN)
            byte = self._byte()
            if byte == b"":
                return END
            if byte == b"\x1b" and self._more():
                self._pass_over(self._byte())
                return ""
            sign = self._decoder.decode(byte)
            while not sign:
                if not (byte := self._byte()):
                    return END
                sign = self._decoder.decode(byte)
            return {"\r": ENTER, "\b": BACKSPACE}.get(sign, sign)

        @contextmanager
        def away(self) -> Iterator[None]:
            """Lend the terminal to another program."""
            self.restore()
            yield

        def restore(self) -> None:
            """Set the terminal as it was."""
            termios.tcsetattr(self._stream, termios.TCSADRAIN, self._before)

        def _pass_over(self, byte: bytes) -> None:
            """Read the rest of a key's escape sequence (ECMA-48, 5.4), and nothing that was typed after it."""
            if byte == b"O":
                self._byte()
            elif byte == b"[":
                while (byte := self._byte()) and not 0x40 <= byte[0] <= 0x7E:
                    pass

        def _byte(self) -> bytes:
            try:
                return os.read(self._stream, 1)
            except OSError:  # the terminal was closed
                return b""

        def _more(self) -> bool:
            return bool(select.select([self._stream], [], [], _SOON)[0])


def typed(keys: Keyboard, choices: Sequence[str]) -> str | None:
    """A line as it is typed, or the choice of a number typed first; None: Esc."""
    said = ""
    while True:
        key = keys.read()
        if not said and key.isdigit() and 0 < int(key) <= len(choices):
            click.echo(brief(choices[int(key) - 1]))
            return choices[int(key) - 1]
        if key == ENTER:
            click.echo()
            return said.strip()
        if key in (ESCAPE, END):
            click.echo()
            return None
        if key == BACKSPACE:
            said = said[:-1]
        elif key == "\x15":  # Ctrl-U
            said = ""
        elif key.isprintable() and len(said) < LONGEST_REASON:
            said += key
        click.echo(f"\r\x1b[K  {_end(visible(said))}", nl=False)


def brief(text: str) -> str:
    """A text as a part of one line."""
    line = " ".join(visible(text[:_BRIEF]).split())
    return f"{line} …" if len(text) > _BRIEF else line


def _end(text: str) -> str:
    """The end of a text, as much as one line of the terminal takes: a second line could not be written anew."""
    room, taken = shutil.get_terminal_size().columns - 6, len(text)
    while taken and (room := room - _cells(text[taken - 1])) >= 0:
        taken -= 1
    return f"…{text[taken:]}" if taken else text


def _cells(sign: str) -> int:
    """How many columns a sign takes."""
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
