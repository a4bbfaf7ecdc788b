"""Whether a file's rows have the form that a config says, tried on the first of them; or which form they have."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.errors import DataError
from tunewright.data.forms import FormSpec, convert, detect
from tunewright.data.rows import BadFile, BadRow, Row
from tunewright.data.sources import open_file
from tunewright.data.spec import SourceSpec
from tunewright.data.thinking import Thinking
from tunewright.project.importing.place import Data

LOOKED_AT = 100
"""Rows of a file that are tried."""
LARGEST_TRIED = 50_000_000
"""Bytes of a file that is tried: where none of it is a row, it is read to its end."""


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


def checked(data: Data, said: Mapping[str, Any]) -> Checked:
    """A source whose form was tried on the first rows of its file, or told from them where the config does not say it.

    `said` is what the config says of the rows: the source's `form` and `thinking`, where it says them.
    """
    source = {**data.source, **said}
    if data.file is None:
        return Checked(source, data.note)
    spec = SourceSpec.model_validate(source)
    try:
        if data.file.stat().st_size > LARGEST_TRIED:
            return Checked(source, f"not tried: over {LARGEST_TRIED // 10**6} MB")
        rows = list(islice(_rows(data.file, spec), LOOKED_AT))
    except (BadFile, DataError) as bad:
        return Checked(source, f"{data.source['path']} cannot be read: {bad.message}")
    except OSError as error:
        return Checked(source, f"{data.source['path']} cannot be read: {error.strerror}.")
    if spec.form is None:
        return _told(source, rows)
    rejects = [(row.number, reason) for row in rows if (reason := _reject(row, spec.form, spec.thinking))]
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
    think = sum(_reject(row, found.spec, None) != _reject(row, found.spec, "drop") for row in rows)
    more = (
        f"; {think} have thinking beside an answer and are rejects until then: set thinking for it"
        if think
        else ""
    )
    return Checked({**source, "form": form}, f"its rows tell the form: {found.said}{more}")


def _rows(path: Path, spec: SourceSpec) -> Iterator[Row]:
    table = open_file(path, spec).table
    with closing(table.rows):
        yield from (row for row in table.rows if isinstance(row, Row))


def _reject(row: Row, form: FormSpec, thinking: Thinking | None) -> str | None:
    try:
        convert(row.values, form, thinking)
    except BadRow as bad:
        return str(bad)
    return None
