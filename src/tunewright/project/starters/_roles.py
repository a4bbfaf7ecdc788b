"""Which column is the input and which the expected answer: guessed, with the reason."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.data.parts import part_named
from tunewright.project.starters._sample import Values

INPUTS = (
    *("input", "text", "prompt", "question", "query", "ticket", "message", "body", "utterance"),
    *("instruction", "request", "document", "email", "review", "sentence", "source", "description"),
    *("nl", "content", "user"),
)
LABELS = ("label", "category", "intent", "class", "topic", "sentiment", "tag", "priority")
CODE = ("sql", "command", "cmd", "code", "cm", "query", "dsl", "expression", "formula", "regex")
ANSWERS = (
    *("expected", "answer", "output", "json", "completion", "response"),
    *("reply", "target", "gold", "assistant", "result", "translation", "chosen", "preferred", "better"),
)
GROUPS = (
    "group",
    *(f"{of}_id" for of in ("customer", "user", "conversation", "thread", "document", "doc", "session")),
)
SPLITS = ("split", "fold", "subset", "partition")
FEW = 12
"""Distinct values up to which a column cuts the scores into slices."""


class Roles(NamedTuple):
    """What the columns are for."""

    input: str
    expected: str
    why: str
    """The reason, as a sentence."""
    split: str | None
    """The column that says train, dev (by any of its names) or test, in every row."""
    group: str | None
    """The column whose equal values must not be parted."""
    slices: tuple[str, ...]
    """Columns with few distinct values."""


def guess_roles(columns: Sequence[str], rows: Sequence[Values], prefer: Sequence[str] = ()) -> Roles:
    """The columns' roles, by name first and by content second. `prefer` are names for the expected column to try first.

    Raises DataError when there are fewer than two columns.
    """
    if len(columns) < 2:
        raise DataError(
            f"there is one column ({columns[0]}), and a row needs two: the input and the expected answer"
            if columns
            else "there are no columns",
            fix="Give rows with an input and an answer, or chat rows with `messages`.",
        )
    parting = [name for name in columns if _says_parts(name, rows)]
    split = next((name for name in parting if all(part_named(row.get(name)) for row in rows)), None)
    group = _named(columns, GROUPS)
    free = [name for name in columns if name not in (*parting, group)]
    free = free if len(free) > 1 else list(columns)
    expected, why_expected = _expected(free, rows, prefer)
    given, why_input = _input([name for name in free if name != expected], rows)
    rest = [name for name in columns if name not in (*parting, group, given, expected)]
    return Roles(
        given,
        expected,
        f"The input is {given}: {why_input}. The answer is {expected}: {why_expected}.",
        split,
        group,
        tuple(name for name in rest if 1 < len(distinct(rows, name)) <= FEW),
    )


def _says_parts(name: str, rows: Sequence[Values]) -> bool:
    """Whether a column shares rows out, if not every row: it is named so, and a value is a part's name."""
    if not any(word in SPLITS for word in _words(name)):
        return False
    return not rows or any(part_named(row.get(name)) for row in rows)


def distinct(rows: Sequence[Values], name: str) -> dict[str, int]:
    """A column's values as text and how often each stands, in the order of their first showing; at most 1,000 of them."""
    counts: dict[str, int] = {}
    for row in rows:
        value = row.get(name)
        if value is not None and (str(value) in counts or len(counts) < 1000):
            counts[str(value)] = counts.get(str(value), 0) + 1
    return counts


def _expected(columns: Sequence[str], rows: Sequence[Values], prefer: Sequence[str]) -> tuple[str, str]:
    found = _named(columns, (*prefer, *ANSWERS, *LABELS, *CODE))
    if found and _named(columns, INPUTS) != found:
        return found, "its name says so"
    others = [name for name in columns if name != _named(columns, INPUTS)] or list(columns)
    if rows:
        nested = next((name for name in others if any(isinstance(row.get(name), dict) for row in rows)), None)
        if nested:
            return nested, "it holds objects"
        return min(others, key=lambda name: _mean_length(rows, name)), "its texts are the shortest"
    return others[-1], "it comes last"


def _input(columns: Sequence[str], rows: Sequence[Values]) -> tuple[str, str]:
    found = _named(columns, INPUTS)
    if found:
        return found, "its name says so"
    if rows:
        return max(columns, key=lambda name: _mean_length(rows, name)), "its texts are the longest"
    return columns[0], "it comes first"


def _named(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The first column whose name is a wanted one; else one that has a wanted one among its words."""
    words = {name: _words(name) for name in columns}
    for name in wanted:
        for column in columns:
            if "_".join(words[column]) == name:
                return column
    return next((c for name in wanted for c in columns if name in words[c]), None)


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", name.lower())


def _mean_length(rows: Sequence[Values], name: str) -> float:
    return sum(_length(row.get(name)) for row in rows) / len(rows)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0 if value is None else len(str(value))
