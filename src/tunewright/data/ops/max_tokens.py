"""max_tokens: rows that are too long for the base, or too short to say anything, go."""

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from pydantic import Field

from tunewright.data.ops.op import REJECTED, Means, OpSpec, Rows, Said, Touched, judged

USES = ("base",)
_SOME = 500
"""Rows that are measured at once."""


class MaxTokens(OpSpec):
    """Drop rows that have more tokens than this, as the base reads them: with the task's prompt, in its template."""

    op: Literal["max_tokens"] = "max_tokens"
    """Chooses this op."""
    tokens: int = Field(gt=0)
    """The most tokens a row may have; of a pair, its longer answer counts."""
    least: int = Field(0, ge=0)
    """The least tokens a row may have, those of prompt and template counted."""


def touches(spec: MaxTokens, given: frozenset[str]) -> Touched:
    """Both answers of a pair."""
    return Touched(beside=frozenset({REJECTED}))


def apply(spec: MaxTokens, rows: Rows, means: Means) -> Iterator[Said]:
    """Drop every row outside of the bounds. Raises what `means.lengths` raises."""
    given = iter(rows)
    while some := list(islice(given, _SOME)):
        for row, tokens in zip(some, means.lengths(some), strict=True):
            off = not spec.least <= tokens <= spec.tokens
            yield judged(row, f"{tokens:,} tokens" if off else None)
