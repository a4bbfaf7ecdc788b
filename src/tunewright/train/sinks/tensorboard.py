"""TensorBoard: event files in the folder; `tensorboard --logdir .tunewright/sinks/tensorboard` shows them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunewright.train.sinks._settings import Setting

LIBRARY = "tensorboard"
_SORTED = ("dev/loss", "train/loss")
"""The curves whose last values stand beside the settings."""


class _TensorBoard:
    def __init__(self, folder: Path, settings: Mapping[str, Setting]) -> None:
        from torch.utils.tensorboard import SummaryWriter, summary

        make: Any = SummaryWriter
        table: Any = summary.hparams
        self._writer = make(log_dir=str(folder))
        *begin, self._end = table(dict(settings), dict.fromkeys(_SORTED, 0.0))
        for told in begin:
            self._writer.file_writer.add_summary(told)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self, failed: bool) -> None:
        if not failed:
            self._writer.file_writer.add_summary(self._end)
        self._writer.close()


def start(project: str, run: str, folder: Path, settings: Mapping[str, Setting]) -> _TensorBoard:
    """A folder of its own for each run; its settings stand in the tab HPARAMS, beside its last losses."""
    return _TensorBoard(folder / run, settings)
