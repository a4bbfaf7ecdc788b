"""TensorBoard: event files in the folder; `tensorboard --logdir .tunewright/sinks/tensorboard` shows them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIBRARY = "tensorboard"


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        make: Any = SummaryWriter
        self._writer = make(log_dir=str(folder))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self, failed: bool) -> None:
        self._writer.close()


def start(project: str, run: str, folder: Path) -> _TensorBoard:
    """A folder of its own for each run."""
    return _TensorBoard(folder / run)
