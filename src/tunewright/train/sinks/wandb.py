"""Weights & Biases: a run in the project's name. WANDB_MODE=offline keeps it on this machine, in the folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunewright.train.sinks._settings import Setting

LIBRARY = "wandb"


class _Wandb:
    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))


def start(project: str, run: str, folder: Path, settings: Mapping[str, Setting]) -> _Wandb:
    """A new run with the settings as its config; of the same name when training goes on.

    W&B drops lower steps of a run that it knows.
    """
    import wandb

    quiet = wandb.Settings(silent=True, console="off")  # "off": what the terminal shows is no curve
    made: Any = wandb.init(project=project, name=run, dir=str(folder), config=dict(settings), settings=quiet)
    return _Wandb(made)
