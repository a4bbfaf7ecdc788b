"""The worker: one thread that feeds all sinks, so that a slow tracker costs curves and no training time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple, Protocol

ROOM = 1000
"""Steps that may wait for the sinks; those beyond are dropped."""
PATIENCE = 30.0
"""Seconds that the sinks have at the end to take in what waits and to close."""


class Sink(Protocol):
    """One open run of a tracker."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add values at a step."""
        ...

    def close(self, failed: bool) -> None:
        """End the run; `failed` when it did not come to its end."""
        ...


class Failure(NamedTuple):
    """What is wrong with a sink."""

    sink: str
    error: str


class Worker:
    """Feeds sinks from a thread of its own. All methods are for the caller's thread, and none waits but `close`."""

    def __init__(self) -> None:
        self._open: dict[str, Sink] = {}
        self._waiting: SimpleQueue[tuple[int, Mapping[str, float]] | None] = SimpleQueue()
        self._failures: SimpleQueue[Failure] = SimpleQueue()
        self._gaps = False
        self._failed = False
        self._thread = Thread(target=self._work, name="sinks", daemon=True)  # one that hangs dies with us
        self._thread.start()

    def add(self, name: str, sink: Sink) -> None:
        """Feed this one too; before the first `log`."""
        self._open[name] = sink

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Hand values to every sink, or drop them when too many wait."""
        if self._waiting.qsize() < ROOM:
            self._waiting.put((step, values))
        elif not self._gaps:
            self._gaps = True
            self._failures.put(Failure(", ".join([*self._open]), "too slow: the curves have gaps"))

    def close(self, failed: bool) -> None:
        """Close every sink when it has taken in what waits; gives up on those that take too long."""
        self._failed = failed
        self._waiting.put(None)
        self._thread.join(PATIENCE)
        for name in [*self._open]:
            self._failures.put(Failure(name, f"not done after {PATIENCE:g} s: its curves may be cut short"))

    def failures(self) -> Iterator[Failure]:
        """What failed since this was last asked."""
        while not self._failures.empty():
            yield self._failures.get()

    def _work(self) -> None:
        while (entry := self._waiting.get()) is not None:
            for name, sink in [*self._open.items()]:
                if not self._does(name, sink.log, *entry):
                    del self._open[name]
                    with suppress(Exception):  # one failure is said, not two
                        sink.close(failed=True)
        for name, sink in [*self._open.items()]:
            self._does(name, sink.close, self._failed)
            del self._open[name]

    def _does(self, name: str, act: Callable[..., None], *values: object) -> bool:
        try:
            act(*values)
        except Exception as error:  # noqa: BLE001  # trackers raise what they like
            self._failures.put(Failure(name, str(error) or repr(error)))
            return False
        return True
