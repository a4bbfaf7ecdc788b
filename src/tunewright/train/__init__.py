"""Training: methods, the loop, the gate before it and the proofs after it.

The package is the Python API's call, too: `tunewright.train(…)`. Importing a package puts it under its name, so it has
to be callable itself.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunewright.project.project import Listener, Trained


class Train(ModuleType):
    """The package, which can be called."""

    def __call__(
        self,
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
        - `dpo`: of a pair, by `train.dpo.loss`: sigmoid (arXiv:2305.18290), hinge (SLiC-HF, arXiv:2305.10425), ipo
          (arXiv:2310.12036), robust (arXiv:2403.00409), simpo (arXiv:2405.14734).
        - `orpo`: of a pair (arXiv:2403.07691).
        - `kto`: of a rated answer (arXiv:2402.01306).

        Returns the adapter's folder and a summary. The update of a linear layer W [out, in] is s B A with A [rank, in],
        B [out, rank] (arXiv:2106.09685), in PEFT's files. A run that was cut off goes on; one that is done is found again.

        Raises ProjectFileError for the project file, DataError for the rows, ModelError for the base or its template,
        GateError where the gate refuses the rows or training did not take.
        """
        import tunewright

        return tunewright.open(path, settings=dict(settings or {})).train(listen)


sys.modules[__name__].__class__ = Train
