"""What a run in another process is at: read from its log, for as long as it holds the project's lock.

now = at_work(store)        `now.words()` is a sentence; none where nobody is at work on a step
"""

import fcntl
import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.duration import duration
from tunewright.store.store import Store

_TAIL = 64 * 1024
"""Bytes at a log's end that are read: the last hundreds of events."""
_ROUNDED = 0.001
"""Seconds that an event's time may be off in a log."""
_ENDS = ("step.done", "step.failed")


class Told(NamedTuple):
    """How far a step is, by one of its events."""

    part: str
    """Which of its parts it is at, where it has several: a variant on a suite."""
    done: int
    total: int
    time: float
    """Unix time in seconds."""
    left: float | None
    """Seconds to the end, where the step says so itself."""


class AtWork(NamedTuple):
    """A step at work."""

    step: str
    title: str
    number: int
    """Its place among the run's steps, from 1."""
    of: int
    told: Told | None = None
    """The last that it told of how far it is."""
    seconds_left: float | None = None
    """To the end of the step, or of the part that it is at."""

    def words(self) -> str:
        """One sentence."""
        said = f"At work now: {self.title} ({self.step}, step {self.number} of {self.of})"
        if self.told is not None:
            part = f"{self.told.part} " if self.told.part else ""
            said += f", {part}{self.told.done:,} of {self.told.total:,}"
        if self.seconds_left is not None:
            said += f", about {duration(self.seconds_left)} left"
        return f"{said}."


def at_work(store: Store) -> AtWork | None:
    """The step that another process is at, by the newest log; none where nobody holds the project's lock.

    Nor where the log is older than the hold: it is then of a run that was killed, and another is about to begin its own.
    """
    log = max((store.root / "runs").glob("*.jsonl"), default=None)
    if log is None:
        return None
    with log.open("rb") as stream:
        start = next(_events([stream.readline(_TAIL)]), {})
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - _TAIL))
        events = list(_events(stream))
    lock = store.root / "lock"
    ended = any(event.get("kind") in _ENDS for event in events[-1:])
    if start.get("kind") != "step.start" or ended or start["time"] + _ROUNDED < _held_since(lock):
        return None  # between two steps, done, or killed
    now = AtWork(start["step"], start["title"], start["number"], start["of"])
    told = [said for said in map(_told, events) if said]
    if not told:
        return now
    first = next(said for said in told if said.part == told[-1].part)
    return now._replace(told=told[-1], seconds_left=_left(first, told[-1]))


def _held_since(lock: Path) -> float:
    """Since when a process holds the lock, in Unix seconds; infinite where none does.

    It is taken for an instant where none does: nothing else tells.
    """
    try:
        with lock.open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return os.fstat(stream.fileno()).st_mtime
    except OSError:
        pass
    return math.inf


def _events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The whole lines' events. A tail's first line may be cut, and the last one is being written."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _told(event: dict[str, Any]) -> Told | None:
    """How far the step is, where an event says it: `done` of `total`, or `step` of `steps`."""
    part = f"{event['variant']} on {event['suite']}" if "suite" in event else ""
    for done, total in (("done", "total"), ("step", "steps")):
        if isinstance(event.get(done), int) and isinstance(event.get(total), int):
            return Told(part, event[done], event[total], event["time"], event.get("seconds_left"))
    return None


def _left(first: Told, last: Told) -> float | None:
    """As the step says it, or else as it went between two events of a part."""
    if last.left is not None or last.done <= first.done or last.total != first.total:
        return last.left
    return (last.total - last.done) * (last.time - first.time) / (last.done - first.done)
