"""Work on pieces shared out to processes: the results come in the order of the pieces, and are the same with any number.

    with Workers(2) as workers:
        for lines in workers.each(partial(convert, settings), pieces): ...

What is done must be picklable, and looks at one piece at a time. Processes are started when there are pieces for them, which
takes a second, and stay for what comes next: whoever calls knows whether there is enough to do.
"""

import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Literal, Protocol, Self, TypeVar

from tunewright.core.events import Emit, silent

MANY_ROWS = 20_000
"""Rows from which it is worth starting processes."""
_AHEAD = 4
"""Pieces that wait for each process."""
_COLLECTED = (50_000, 20, 100)
"""When Python looks for cycles (gc.set_threshold): rows have none, and its usual way takes an eighth of the time."""
_DIED = (
    "one of {number} processes that work on rows died, for want of memory most likely; one alone does what is left, with"
    " the same result. Fewer take less memory: set TUNEWRIGHT_THREADS=1."
)
Piece = TypeVar("Piece")
Made = TypeVar("Made")
Scale = Literal["local", "ray"]


class Sharing(Protocol):
    """A way to share pieces out. Each way gives the same results, in the order of the pieces."""

    def each(self, work: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """What `work` makes of each piece, in order. Raises what it raises."""
        ...


@contextmanager
def sharing(scale: Scale, number: int, emit: Emit = silent) -> Iterator[Sharing]:
    """The way that `data.scale` names; what it starts, when it has to, ends with the block. Processes that die are told.

    Raises UserError where it needs a package that is not installed.
    """
    if scale == "ray":
        from tunewright.data.workers_ray import RayWorkers

        with RayWorkers(number) as cluster:
            yield cluster
    else:
        with Workers(number, emit) as processes:
            yield processes


class Workers:
    """So many processes, started when they are needed; with one, all is done here."""

    def __init__(self, number: int, emit: Emit = silent) -> None:
        self.number = number if _may_spawn() else 1
        self._emit = emit
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def each(self, work: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """What `work` makes of each piece, in order. Raises what it raises.

        Where a process dies (for want of memory, mostly), what is left is done here, and `workers.died` says so once.
        """
        if self.number < 2:
            yield from map(work, pieces)
            return
        self._pool = self._pool or ProcessPoolExecutor(self.number, get_context("spawn"), _begin)
        left = iter(pieces)
        waiting: deque[Piece] = deque()
        futures: deque[Future[Made]] = deque()
        try:
            for piece in left:
                waiting.append(piece)
                futures.append(self._pool.submit(work, piece))
                if len(futures) >= _AHEAD * self.number:
                    yield futures.popleft().result()
                    waiting.popleft()
            while futures:
                yield futures.popleft().result()
                waiting.popleft()
        except BrokenProcessPool:
            self._emit("workers.died", processes=self.number, words=_DIED.format(number=self.number))
            self.number = 1
            yield from map(work, chain(waiting, left))


def _begin() -> None:
    """What a process does first. Ctrl-C is for the one that started it, and without that one it has no use."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*_COLLECTED)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent closes no queue: its processes would wait for work for good."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _may_spawn() -> bool:
    """Whether processes can be started that do not run the caller's script again: from our own commands they can."""
    main = sys.modules["__main__"]
    module = getattr(main, "__spec__", None)
    name = module.name if module else Path(getattr(main, "__file__", None) or "tw").stem
    if module and name == "__main__":  # of an archive, as commands on Windows are: it is never run again
        return True
    return name.partition(".")[0] in ("tunewright", "tw", "pytest")
