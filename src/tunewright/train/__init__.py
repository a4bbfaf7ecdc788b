"""Training: methods, the loop, the gate before it and the proofs after it.

The package is the Python API's call, too: `tunewright.train(…)`. Importing a package puts it under its name, so it has
to be callable itself. The call:
"""

import inspect
import sys
from types import ModuleType
from typing import Any

import tunewright.models  # before anything here imports peft: it keeps what peft brings along quiet


class _Train(ModuleType):
    """The package, which can be called."""

    def __call__(self, path: Any = ".", *, settings: Any = None, listen: Any = None) -> Any:
        """As `tunewright.train` says."""
        return tunewright._train(path, settings=settings, listen=listen)


__doc__ = f"{__doc__}\n{inspect.getdoc(tunewright._train) or ''}"
__signature__ = inspect.signature(tunewright._train)
sys.modules[__name__].__class__ = _Train
