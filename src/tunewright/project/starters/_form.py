"""Rows of another tool, told by a column that no table has: turns of a talk, token ids, rated steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.data.forms import convert, detect
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk
from tunewright.data.thinking import Thoughts
from tunewright.project.importing.trial import written_form
from tunewright.project.starters._sample import Sample, Values

_LOOKED_AT = 100
_TURNS = ({"role", "content"}, {"from", "value"})


class Told(NamedTuple):
    """Rows in another tool's form."""

    form: Any
    """As the project file has it."""
    said: str
    """What speaks for it."""
    rows: list[Values]
    """Those that convert, as chat rows."""
    numbers: list[int]


def told(sample: Sample, path: Path) -> Told | None:
    """The form of rows that are no table, or of chat rows that are read by one alone; none where they are as they should be.

    Thinking beside answers is left aside: what becomes of it is the user's to say, and `check` asks for it.
    Raises DataError where rows are no table, and no form fits them, or more than one.
    """
    head = sample.rows[:_LOOKED_AT]
    if sample.is_chat and any(map(_is_read, head)):
        return None
    if not sample.is_chat and (
        {"input", "expected"} <= set(sample.columns) or not any(map(_is_no_table, head))
    ):
        return None
    try:
        found = detect(sample.rows)
    except DataError as error:
        if sample.is_chat:
            return None  # `check` says what is wrong with each row
        fix = "Begin without --data, and set form: for the source (docs/importing.md)."
        raise DataError(error.message, where=str(path), fix=fix) from None
    rows, numbers = [], []
    for row, number in zip(sample.rows, sample.numbers, strict=True):
        try:
            rows.append(convert(row, found.spec, "drop"))
        except BadRow:
            continue  # `check` names it
        numbers.append(number)
    form = written_form(found.spec.model_dump(exclude_defaults=True))
    return Told(form, f"The rows' form is told from them. {found.said}.", rows, numbers)


def _is_no_table(row: Values) -> bool:
    """Whether a row holds what is no column's: a talk, rated steps, or token ids and no text."""
    if any(isinstance(value, list) and value and _is_turn(value[0]) for value in row.values()):
        return True
    if all(isinstance(row.get(key), list) for key in ("completions", "labels")):
        return True
    return isinstance(row.get("input_ids"), list) and not any(
        isinstance(value, str) for value in row.values()
    )


def _is_read(row: Values) -> bool:
    try:
        talk(row, {}, Thoughts("drop"))
    except BadRow:
        return False
    return True


def _is_turn(value: Any) -> bool:
    return isinstance(value, Mapping) and any(keys <= value.keys() for keys in _TURNS)
