"""MLflow: a run in the experiment of the project's name, at MLFLOW_TRACKING_URI or else in the folder."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunewright.train.sinks._settings import Setting

LIBRARY = "mlflow"
_AT_ONCE, _LONGEST = 100, 500
"""MLflow takes so many parameters in one call, and of each so many characters (older servers; new ones take 6,000)."""


class _MLflow:
    def __init__(self, client: Any, run: str) -> None:
        self._client = client
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def close(self, failed: bool) -> None:
        self._client.set_terminated(self._run, status="FAILED" if failed else "FINISHED")


def local_store(folder: Path) -> str:
    """The address of MLflow's database in the folder."""
    return f"sqlite:///{folder / 'mlflow.db'}"


def start(project: str, run: str, folder: Path, settings: Mapping[str, Setting]) -> _MLflow:
    """A new run with the settings as its parameters, of the same name when training goes on."""
    from mlflow.entities import Param
    from mlflow.tracking import MlflowClient

    where = os.environ.get("MLFLOW_TRACKING_URI") or local_store(folder)
    client: Any = MlflowClient(tracking_uri=where)
    experiment = client.get_experiment_by_name(project)
    number = experiment.experiment_id if experiment else client.create_experiment(project)
    made = client.create_run(number, run_name=run).info.run_id
    given = [Param(name, str(value)[:_LONGEST]) for name, value in settings.items()]
    try:
        for begin in range(0, len(given), _AT_ONCE):
            client.log_batch(made, params=given[begin : begin + _AT_ONCE])
    except Exception:  # or it would stay among those that run
        with suppress(Exception):  # where the server is gone, the first error is the one to tell
            client.set_terminated(made, status="FAILED")
        raise
    return _MLflow(client, made)
