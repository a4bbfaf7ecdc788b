"""Events: what a run says while it works. One line of JSON each in the run's log; progress displays read the same."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that happened: its kind, the Unix time in seconds, and its facts (JSON values)."""

    kind: str
    time: float
    data: dict[str, Any]


Emit = Callable[..., None]
"""Called as emit("train.step", step=3, loss=1.2): kind, then facts."""


def silent(kind: str, **data: Any) -> None:
    """An Emit that drops everything."""


def telling(listener: Callable[[Event], None]) -> Emit:
    """An Emit that tells a listener and keeps nothing."""
    return lambda kind, **data: listener(Event(kind, time.time(), data))


class EventLog:
    """Appends events to a JSONL file and passes them on to listeners; itself an Emit."""

    def __init__(self, path: Path, *listeners: Callable[[Event], None]) -> None:
        self._stream = path.open("a", encoding="utf-8")
        self._listeners = listeners

    def __call__(self, kind: str, **data: Any) -> None:
        """Write one event and tell the listeners."""
        event = Event(kind, time.time(), data)
        self._stream.write(
            json.dumps({"kind": event.kind, "time": round(event.time, 3), **data}, ensure_ascii=False) + "\n"
        )
        self._stream.flush()
        for listener in self._listeners:
            listener(event)

    def close(self) -> None:
        """Close the file; later calls raise ValueError."""
        self._stream.close()
