"""Sinks: where a run's curves are shown besides the event log. One file each, found by its name, its library optional.

A sink's module has `LIBRARY` (what is imported, and what pip installs) and `start(project, run, folder, settings) -> Sink`,
whose settings the tracker shows beside the curves. A sink that fails is left out for the rest of the run, with a warning;
one that is slow loses curves. None holds the training up.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from tunewright.core.errors import Problem, ProblemsError, UserError
from tunewright.core.events import Emit
from tunewright.train.sinks._settings import Setting, flat
from tunewright.train.sinks._worker import Sink, Worker

_HIDDEN = ("step", "steps", "best", "seconds_left", "elapsed", "currency")
"""Facts of an event that are no curve."""


def problems(names: Sequence[str]) -> list[Problem]:
    """Sinks whose library cannot be loaded."""
    found = []
    for name in dict.fromkeys(names):
        library = _module(name).LIBRARY
        try:
            import_module(library)
        except Exception as error:  # noqa: BLE001  # trackers raise what they like
            fix = f"`pip install {library}`, or take it out of train.sinks."
            message = f"the sink {name} cannot be loaded ({str(error) or repr(error)})"
            found.append(Problem(message, where="train.sinks", fix=fix))
    return found


@contextmanager
def shown(
    names: Sequence[str],
    project: str,
    run: str,
    folder: Path,
    emit: Emit,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Emit]:
    """While it lasts, what is emitted reaches the sinks too. `folder` is where those that write files put theirs.

    `settings`, which may be nested, say what the run is, in each tracker's own form.

    Raises UserError for a sink that cannot be loaded or started.
    """
    if found := problems(names):
        raise ProblemsError(found)
    if not names:
        yield emit
        return
    worker = Worker()

    def warn() -> None:
        for failure in worker.failures():
            emit("train.sink_failed", **failure._asdict())

    def tell(kind: str, **data: Any) -> None:
        emit(kind, **data)
        if values := _values(kind, data):
            worker.log(data["step"], values)
        warn()

    failed = True
    try:
        for name in dict.fromkeys(names):
            worker.add(name, _start(name, project, run, folder / name, flat(settings)))
        yield tell
        failed = False
    finally:
        worker.close(failed)
        warn()


def _start(name: str, project: str, run: str, place: Path, settings: Mapping[str, Setting]) -> Sink:
    place.mkdir(parents=True, exist_ok=True)
    try:
        sink: Sink = _module(name).start(project, run, place, settings)
    except Exception as error:  # trackers raise what they like
        fix = "Set it up as its own documentation says, or take it out of train.sinks."
        raise UserError(f"the sink {name} does not start ({error})", where="train.sinks", fix=fix) from error
    return sink


def _values(kind: str, data: Mapping[str, Any]) -> dict[str, float]:
    """The curves of an event, by name: those of dev begin with dev/, the others with train/."""
    head = {"train.step": "train", "train.dev": "dev"}.get(kind)
    if head is None:
        return {}
    return {
        f"{head}/{name}": float(value)
        for name, value in data.items()
        if name not in _HIDDEN and isinstance(value, int | float)
    }


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
