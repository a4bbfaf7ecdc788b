"""A guard against work that never ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ends(seconds: float = 60) -> Iterator[None]:
    """
    Fails a block that has used so many seconds of processor time.

    It measures no speed: give the block so much to do that the fault it guards against (time that
    grows with the square of a text, or worse) would take many times longer.
    """

    def stop(*_: object) -> None:
        raise AssertionError(f"not done after {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
