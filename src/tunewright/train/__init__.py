"""Training: methods, the loop, the gate before it and the proofs after it.

The package is the Python API's call, too: `tunewright.train(…)`. Importing a package puts it under its name, so it has
to be callable itself.
"""

import sys
from types import ModuleType
from typing import Any

import tunewright.models  # noqa: F401 - before anything here imports peft: it keeps what peft brings along quiet


class _Train(ModuleType):
    """The package, which can be called."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """As `tunewright.train` says."""
        import tunewright

        return tunewright._train(*arguments, **named)


sys.modules[__name__].__class__ = _Train
