"""`init`: a project folder from a starter and the user's data."""

import os
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.files import write_atomic
from tunewright.project.file import FILE_NAME
from tunewright.project.starters import begin, why
from tunewright.project.writing import to_yaml


class Made(NamedTuple):
    """A project begun: its file, and why the data's columns were taken for what they are."""

    path: Path
    why: str | None


def init(folder: Path, recipe: str, data: Path | None) -> Made:
    """Write `folder`/tunewright.yaml. Nothing is written when something is wrong.

    Raises UserError for an unknown recipe, a missing data file, or a folder that is a project already.
    """
    target = folder / FILE_NAME
    if target.exists():
        raise UserError("there is a project here already", where=str(target), fix="Choose another name.")
    if data is not None and not data.is_file():
        raise UserError("there is no such data file", where=str(data))
    values = begin(recipe, folder.resolve().name, data)
    reason = why(recipe, data) if data else None
    if data is not None:
        for source in values["sources"].values():
            source["path"] = Path(os.path.relpath(data.resolve(), folder.resolve())).as_posix()
    text = to_yaml(values)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(target, text)
    return Made(target, reason)
