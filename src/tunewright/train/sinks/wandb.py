"""Weights & Biases: a run in the project's name. WANDB_MODE=offline keeps it on this machine, in the folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIBRARY = IMPORT = "wandb"


class _Wandb:
    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


def start(project: str, run: str, folder: Path) -> _Wandb:
    """The run, under the same id when training goes on."""
    import wandb

    made: Any = wandb.init(project=project, name=run, id=run, dir=str(folder), resume="allow")
    return _Wandb(made)
