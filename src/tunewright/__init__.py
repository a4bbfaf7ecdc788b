"""Tunewright: from "should we fine-tune?" to a small language model that is proven better.

import tunewright as tw
project = tw.open(".")
project.check()
verdict = project.run()
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pathlib import Path

    from tunewright.project.project import Project
    from tunewright.train import Train

    train: Train


def open(path: "str | Path" = ".", *, settings: "dict[str, Any] | None" = None) -> "Project":
    """The project in the folder `path` (or whose tunewright.yaml is `path`).

    `settings` overrides fields by dotted name, as `--set` does: {"train.adapter.rank": 16}.
    Raises ProjectFileError with every problem of the file.
    """
    from tunewright.project.project import Project

    return Project.open(path, settings=settings or {})


def __getattr__(name: str) -> "Any":
    if name == "train":
        import importlib

        return importlib.import_module("tunewright.train")
    raise AttributeError(f"module 'tunewright' has no attribute {name!r}")
