"""max_chars: rows that are too long go."""

from typing import Literal

from pydantic import Field

from tunewright.core.example import Example
from tunewright.data.ops.op import REJECTED, Each, OpSpec, Said, Touched, judged


class MaxChars(OpSpec):
    """Drop rows whose messages together are longer than this."""

    op: Literal["max_chars"] = "max_chars"
    """Chooses this op."""
    chars: int = Field(gt=0)
    """The most characters a row may have."""


def touches(spec: MaxChars, given: frozenset[str]) -> Touched:
    """Both answers of a pair."""
    return Touched(beside=frozenset({REJECTED}))


def each(spec: MaxChars) -> Each:
    """Drop every row whose messages, with their calls and tools, together have more than `chars` characters."""

    def said(row: Example) -> Said:
        chars = max(sum(m.chars for m in talk) for talk in (row.messages, row.worse or ()))
        return judged(row, f"{chars:,} characters" if chars > spec.chars else None)

    return said
