"""Trackio: a local dashboard; `trackio show` opens it.

Its files lie not in the folder but in a place of its own: TRACKIO_DIR, read when trackio is first imported, or else
`trackio` in the Hugging Face cache. It does not tell a failed run from a finished one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunewright.train.sinks._settings import Setting

LIBRARY = "trackio"


class _Trackio:
    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self, failed: bool) -> None:
        self._run.finish()


def start(project: str, run: str, folder: Path, settings: Mapping[str, Setting]) -> _Trackio:
    """The run with the settings as its config, taken up again when training goes on."""
    import trackio

    made: Any = trackio.init(project=project, name=run, resume="allow", config=dict(settings))
    return _Trackio(made)
