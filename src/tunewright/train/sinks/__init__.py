"""Sinks: where a run's curves are shown besides the event log. One file each, found by its name, its library optional.

A sink's module has `LIBRARY` (what pip installs) and `start(project, run, folder) -> Sink`. A sink that fails is left
out for the rest of the run, with a warning: it never stops the training.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Protocol

from tunewright.core.errors import Problem, UserError
from tunewright.core.events import Emit

_HIDDEN = ("step", "steps", "best")
"""Facts of an event that are no curve."""


class Sink(Protocol):
    """One open run of a tracker."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add values at a step."""
        ...

    def close(self) -> None:
        """End the run."""
        ...


def problems(names: Sequence[str]) -> list[Problem]:
    """Sinks that are not there, or whose library is not installed."""
    found = []
    for name in names:
        try:
            module = _module(name)
            import_module(module.IMPORT)
        except UserError as error:
            found.append(Problem(error.message, error.where, error.fix))
        except ImportError as error:
            fix = f"`pip install {module.LIBRARY}`, or take it out of train.sinks."
            found.append(Problem(f"the sink {name} cannot be loaded ({error})", where="train.sinks", fix=fix))
    return found


@contextmanager
def shown(names: Sequence[str], project: str, run: str, folder: Path, emit: Emit) -> Iterator[Emit]:
    """While it lasts, what is emitted reaches the sinks too. `folder` is where those that write files put theirs.

    Raises UserError for a sink that cannot be loaded or started.
    """
    open_sinks: dict[str, Sink] = {}
    for problem in problems(names):
        raise UserError(problem.message, where=problem.where, fix=problem.fix)
    for name in names:
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        try:
            open_sinks[name] = _module(name).start(project, run, place)
        except Exception as error:  # trackers raise what they like
            _close(open_sinks)
            fix = "Set it up as its own documentation says, or take it out of train.sinks."
            raise UserError(
                f"the sink {name} does not start ({error})", where="train.sinks", fix=fix
            ) from error

    def tell(kind: str, **data: Any) -> None:
        emit(kind, **data)
        values = _values(kind, data)
        for name in [*open_sinks] if values else ():
            try:
                open_sinks[name].log(data["step"], values)
            except Exception as error:  # noqa: BLE001  # trackers raise what they like
                del open_sinks[name]
                emit("train.sink_failed", sink=name, error=str(error))

    try:
        yield tell
    finally:
        _close(open_sinks)


def _close(sinks: Mapping[str, Sink]) -> None:
    for sink in sinks.values():
        with suppress(Exception):  # the run is over, its curves are what they are
            sink.close()


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
    known = sorted(module.name for module in iter_modules(__path__))
    if name not in known:
        raise UserError(f"there is no sink {name!r}", where="train.sinks", fix=f"Known: {', '.join(known)}.")
    return import_module(f"{__name__}.{name}")
