"""What a split must not do: ask the same in two parts, or hold a row twice in a part that is scored."""

from collections.abc import Mapping

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.inputs import input_keys
from tunewright.data.parts import PARTS, Part

SHOWN = 3
"""Rows that a message names."""
Parts = Mapping[Part, list[Example]]


def refuse_straddling(parts: Parts, column: str) -> None:
    """Raises DataError when equal inputs stand in different parts: the scores would be flattered.

    Only a column can do that; a split by shares keeps equal inputs together.
    """
    first: dict[str, tuple[Part, Example]] = {}
    rows = []
    placed = [(part, example) for part in PARTS for example in parts[part]]
    keys = input_keys([example for _, example in placed])
    for (part, example), key in zip(placed, keys, strict=True):
        known, other = first.setdefault(key, (part, example))
        if known != part:
            verb = "says" if example.is_document else "asks"
            rows.append(f"{example.place} ({part}) {verb} what {other.place} ({known}) {verb}")
    if rows:
        raise DataError(
            f"the column {column!r} puts equal inputs into different parts, {_times(len(rows))}: {_first(rows)}.",
            where="split.column",
            fix="Mark equal inputs for one part, drop them from the others, or leave split.column out and split by "
            "shares.",
        )


def refuse_repeats(parts: Parts) -> None:
    """Raises DataError when dev or test holds the same messages twice: a score counts each example once."""
    for part in ("dev", "test"):
        first: dict[str, Example] = {}
        rows = []
        for example in parts[part]:
            other = first.setdefault(example.id, example)
            if other is not example:
                rows.append(f"{example.place} repeats {other.place}")
        if rows:
            raise DataError(
                f"{part} would hold the same row more than once, {_times(len(rows))}: {_first(rows)}.",
                where="split",
                fix="Add drop_duplicates to the recipe.",
            )


def _times(rows: int) -> str:
    return "once" if rows == 1 else f"{rows:,} times"


def _first(rows: list[str]) -> str:
    more = f"; and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    return "; ".join(rows[:SHOWN]) + more
