"""`init`: a project folder from a starter and the user's data."""

import os
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tunewright.core.errors import Problem, ProjectFileError, UserError
from tunewright.core.files import write_atomic
from tunewright.data.names import did_you_mean
from tunewright.data.sources._unpack import archive_of
from tunewright.project.file import FILE_NAME
from tunewright.project.reading import read
from tunewright.project.starters import begin, why
from tunewright.project.writing import to_yaml

LONGEST_NAME = 64
"""Signs a project's name may have."""


class Made(NamedTuple):
    """A project begun: its file, and why the data's columns were taken for what they are."""

    path: Path
    why: str | None


def init(folder: Path, recipe: str, data: Path | None, base: str = "embedded") -> Made:
    """Write `folder`/tunewright.yaml. Nothing is written when something is wrong. `base` may be a folder as named from here.

    Raises UserError for an unknown recipe, a data file that is missing or cannot be named in a project file, a
    folder that is a project already, or a file where the folder should be.
    """
    target = folder / FILE_NAME
    _refuse_file(folder)
    if target.exists():
        raise UserError("there is a project here already", where=str(target), fix="Choose another name.")
    if data is not None and not data.is_file() and archive_of(data) is None:
        raise UserError("there is no such data file", where=str(data), fix=_near(data))
    if base != "embedded" and Path(base).is_dir():
        base = _from(folder, Path(base))
        base = (
            base if base.startswith(("..", "/")) else f"./{base}"
        )  # a bare word names the shipped model or a hub's
    values = begin(recipe, project_name(folder.resolve().name), data, base=base)
    reason = why(recipe, data) if data else None
    if data is not None:
        for source in values["sources"].values():
            source["path"] = _from(folder, Path(source["path"]))  # of an archive its entry
    text = to_yaml(values)
    _check(text, data)
    _write(folder, text)
    return Made(target, reason)


def _refuse_file(folder: Path) -> None:
    """Raises UserError where a file stands in the way of the folder."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.exists() and not there.is_dir():
        raise UserError(
            "this is a file, and the project needs a folder", where=str(there), fix="Choose another name."
        )


def _near(data: Path) -> str:
    """The way out where a data file is not there."""
    beside = sorted(path.name for path in data.parent.iterdir()) if data.parent.is_dir() else []
    return did_you_mean(data.name, beside) or "Name a file of rows, as it is seen from here."


def _write(folder: Path, text: str) -> None:
    """Write the project's file; where that fails, folders made for it go again."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / FILE_NAME, text)
    except OSError as error:
        error.filename = error.filename or str(folder)
        for path in new:
            with suppress(OSError):
                path.rmdir()
        raise


def _from(folder: Path, path: Path) -> str:
    """A path as it is named from inside the project's folder."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def project_name(folder: str) -> str:
    """A project's name from its folder's: accents go, other signs become dashes; `project` where nothing is left."""
    letters = "".join(
        sign for sign in unicodedata.normalize("NFKD", folder) if not unicodedata.combining(sign)
    )
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", letters)
    return name.lstrip("._-")[:LONGEST_NAME].rstrip("-") or "project"


def _check(text: str, data: Path | None) -> None:
    """Read the file as every command will, before it stands in the user's folder."""
    if not _is_text(text):
        raise UserError("its path or a column's name is not UTF-8", where=ascii(str(data)), fix="Rename it.")
    with TemporaryDirectory() as folder:
        trial = Path(folder) / FILE_NAME
        write_atomic(trial, text)
        try:
            read(trial)
        except ProjectFileError as error:
            raise ProjectFileError(
                [
                    Problem(
                        f"no project file can be made of it: {problem.message}",
                        str(data or "init"),
                        problem.fix,
                    )
                    for problem in error.problems
                ]
            ) from None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
