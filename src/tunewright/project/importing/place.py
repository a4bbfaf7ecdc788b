"""Where a config's data lie, as the project file will name them, and whether their rows have the form that it says."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.errors import DataError
from tunewright.data.forms import FormSpec, convert, detect
from tunewright.data.rows import BadFile, BadRow, Row
from tunewright.data.sources import ENDINGS, open_file
from tunewright.data.spec import SourceSpec

LOOKED_AT = 100
"""Rows of a file that are tried."""
LARGEST_TRIED = 50_000_000
"""Bytes of a file that is tried; a JSON array is read whole."""
ABOVE = 4
"""Folders above a config in which what it names is looked for."""
_OTHER_ENDINGS = (".txt", ".arrow", ".gz", ".zip", ".zst")


class Place(NamedTuple):
    """Where a config stands, and where the project will."""

    config: Path
    folder: Path
    """The project's folder."""
    dataset_info: Path | None = None
    """LLaMA-Factory's dataset_info.json, where it was named."""

    @property
    def roots(self) -> list[Path]:
        """Where relative paths of the config may begin: here, at the config, and above it."""
        return list(dict.fromkeys((Path.cwd(), *self.config.resolve().parents[: ABOVE + 1])))


class Data(NamedTuple):
    """A data set's path for the project file, and what is to be done where its rows are not there."""

    path: str
    note: str
    file: Path | None
    """The file, where it is there and can be looked at."""


def find_data(name: str, place: Place) -> Data:
    """A data set's path, whether the config names a file or a set on a hub."""
    for folder in place.roots:
        found = folder / name
        if _is_there(found):
            path = Path(os.path.relpath(found, place.folder.resolve())).as_posix()
            return Data(f"{path}/*" if found.is_dir() else path, "", found if found.is_file() else None)
    if _is_local(name):
        path = (
            name
            if os.path.isabs(name)
            else os.path.relpath(place.config.resolve().parent / name, place.folder.resolve())
        )
        return Data(Path(path).as_posix(), "there is no such file yet", None)
    return _on_a_hub(name)


def find_base(name: str, place: Place) -> str:
    """A base's name for the project file: a hub's as it is, a folder's as it is named from the project."""
    found = next((folder / name for folder in place.roots if _is_folder(folder / name)), None)
    if found is None:
        return name
    path = Path(os.path.relpath(found, place.folder.resolve())).as_posix()
    return path if path.startswith(("..", "/")) else f"./{path}"


def find_files(path: str, name: str, place: Place) -> Data:
    """A file of a data set: by itself, in the set's folder, or of a set on a hub."""
    for each in (name, f"{path}/{name}"):
        if (data := find_data(each, place)).file is not None:
            return data
    return (
        find_data(f"{path}/{name}", place)
        if path.startswith((".", "/", "~"))
        else _on_a_hub(f"{path}/{name}")
    )


def _on_a_hub(name: str) -> Data:
    path = f"data/{slug(name)}.jsonl"
    return Data(path, f"save the rows of {name} as {path}, one JSON object a line", None)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_local(name: str) -> bool:
    suffix = Path(name).suffix.lower()
    return "://" not in name and (name.startswith((".", "/", "~")) or suffix in (*ENDINGS, *_OTHER_ENDINGS))


def slug(name: str) -> str:
    """A name for a source or a file: letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name.rpartition("://")[2]).strip("-")[-60:].strip("-") or "rows"


def unique(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with a number where it is taken."""
    names = (name if at == 1 else f"{name}-{at}" for at in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)


def written_form(spec: Mapping[str, Any]) -> Any:
    """A form as the project file has it: its name where that is all. Raises ValueError where there is no such form."""
    kept = {key: value for key, value in spec.items() if value not in ({}, "", None, False)}
    try:
        FormSpec.model_validate(kept)
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None
    return kept["name"] if len(kept) == 1 else kept


class Checked(NamedTuple):
    """A source, with a form where its rows tell one, and what was seen of them."""

    source: dict[str, Any]
    note: str


def checked(data: Data, source: dict[str, Any]) -> Checked:
    """A source whose form was tried on the first rows of its file, or told from them where the config does not say it."""
    if data.file is None:
        return Checked(source, data.note)
    spec = SourceSpec.model_validate(source)
    try:
        if data.file.stat().st_size > LARGEST_TRIED:
            return Checked(source, data.note)
        rows = list(islice(_rows(data.file, spec), LOOKED_AT))
    except (BadFile, DataError) as bad:
        return Checked(source, f"{data.path} cannot be read: {bad.message}")
    except OSError as error:
        return Checked(source, f"{data.path} cannot be read: {error.strerror}.")
    if spec.form is None:
        return _told(source, rows)
    rejects = [(row.number, reason) for row in rows if (reason := _reject(row, spec.form))]
    if not rejects:
        return Checked(source, f"the first {len(rows)} rows have this form")
    number, reason = rejects[0]
    return Checked(
        source, f"{len(rejects)} of the first {len(rows)} rows are rejects; row {number}: {reason}"
    )


def _told(source: dict[str, Any], rows: list[Row]) -> Checked:
    """The source with the form that its rows tell."""
    try:
        found = detect([row.values for row in rows])
    except DataError as error:
        return Checked(source, f"its form is not known: {error}")
    form = written_form(found.spec.model_dump(exclude_defaults=True))
    return Checked({**source, "form": form}, f"its rows tell the form: {found.reason}")


def _rows(path: Path, spec: SourceSpec) -> Iterator[Row]:
    table = open_file(path, spec).table
    with closing(table.rows):
        yield from (row for row in table.rows if isinstance(row, Row))


def _reject(row: Row, form: FormSpec) -> str | None:
    try:
        convert(row.values, form)
    except BadRow as bad:
        return str(bad)
    return None
