"""Tunewright: from "should we fine-tune?" to a small language model that is proven better.

import tunewright as tw
project = tw.open(".")
project.check()
verdict = project.run()
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tunewright.project.project import Listener, Project, Trained


def open(path: "str | Path" = ".", *, settings: "dict[str, Any] | None" = None) -> "Project":
    """The project in the folder `path` (or whose tunewright.yaml is `path`).

    `settings` overrides fields by dotted name, as `--set` does: {"train.adapter.rank": 16}.
    Raises ProjectFileError with every problem of the file.
    """
    from tunewright.project.project import Project

    return Project.open(path, settings=settings or {})


def _train(
    path: "str | Path" = ".",
    *,
    settings: "Mapping[str, Any] | None" = None,
    listen: "Listener | None" = None,
) -> "Trained":
    """Train the project in the folder `path`, and no further; the data and the gate are brought up to date first.

    `settings` overrides fields by dotted name, as `--set` does: {"train.method": "dpo", "train.dpo.beta": 0.2}.
    `listen` is called with each event; `train.step` has the step's loss, the gradient's norm before clipping, the
    learning rate, tokens and tokens a second.

    The losses, each the mean over a step, in nats (`train/methods` has the formulas):

    - `sft`: the negative log-likelihood of a trained token, answers and their end of turn.
    - `cpt`: the same of a token of a document, its end with it and its first token without.
    - `dpo`: of a pair, by `train.dpo.loss`: sigmoid (arXiv:2305.18290), hinge (SLiC-HF, arXiv:2305.10425), ipo
      (arXiv:2310.12036), robust (arXiv:2403.00409), simpo (arXiv:2405.14734).
    - `orpo`: of a pair (arXiv:2403.07691).
    - `kto`: of a rated answer (arXiv:2402.01306).

    Returns the adapter's folder and a summary. The update of a linear layer W [out, in] is s B A with A [rank, in],
    B [out, rank] (arXiv:2106.09685), in PEFT's files. A run that was cut off goes on; one that is done is found again.

    Raises ProjectFileError for the project file, DataError for the rows, ModelError for the base or its template,
    GateError where the gate refuses the rows or training did not take.
    """
    return open(path, settings=dict(settings or {})).train(listen)


if TYPE_CHECKING:
    train = _train
else:

    def __getattr__(name: str) -> Any:
        if name == "train":  # the package of that name, which can be called
            import importlib

            return importlib.import_module("tunewright.train")
        raise AttributeError(f"module 'tunewright' has no attribute {name!r}")
