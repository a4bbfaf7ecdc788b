"""Length table: how long inputs and answers are, in characters."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example


class LengthRow(BaseModel):
    """Lengths in characters of one part's inputs (all messages of the prompt together, a document's text) or answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    what: Literal["input", "answer"]
    min: int
    median: int
    p95: int
    max: int
    longest: str
    """The id of the longest row."""


def length_rows(parts: dict[str, list[Example]]) -> list[LengthRow]:
    """A row for each part's inputs and one for its answers, where it has some. Quantiles are nearest-rank: lengths that
    occur.
    """
    found = []
    for part, rows in parts.items():
        answered = [example for example in rows if not example.is_document]
        found += [_row(part, "input", rows)] if rows else []
        found += [_row(part, "answer", answered)] if answered else []
    return found


def _row(part: str, what: Literal["input", "answer"], rows: list[Example]) -> LengthRow:
    sized = [(_chars(example, what), example.id) for example in rows]
    chars = sorted(size for size, _ in sized)

    def quantile(share: float) -> int:
        return chars[max(0, math.ceil(share * len(chars)) - 1)]

    longest = next(name for size, name in sized if size == chars[-1])
    return LengthRow(
        part=part,
        what=what,
        min=chars[0],
        median=quantile(0.5),
        p95=quantile(0.95),
        max=chars[-1],
        longest=longest,
    )


def _chars(example: Example, what: Literal["input", "answer"]) -> int:
    if what == "answer" or example.is_document:
        return len(example.expected)
    return sum(message.chars for message in example.prompt)
