"""drop_duplicates: the first of rows with the same messages stays."""

from collections.abc import Callable, Iterator
from typing import Literal

from tunewright.core.example import Example
from tunewright.data.normal import example_key
from tunewright.data.ops.op import OpSpec, Rows

_KEY = 16
"""Bytes of a row's hash that are kept."""


class DropDuplicates(OpSpec):
    """Keep the first of rows with the same messages, rejected answer and rating (letter case and blanks aside)."""

    op: Literal["drop_duplicates"] = "drop_duplicates"
    """Chooses this op."""


def look(spec: DropDuplicates) -> Callable[[list[Example]], bytes]:
    """The rows' keys, one after the other."""
    return lambda rows: b"".join(bytes.fromhex(example_key(row))[:_KEY] for row in rows)


def judge(spec: DropDuplicates, looks: Iterator[bytes], rows: Rows) -> Iterator[str | None]:
    """Drop every later row that equals one before it, letter case and blanks aside."""
    import numpy as np

    from tunewright.data.straddle import first_equal

    first = first_equal(np.frombuffer(b"".join(looks), f"S{_KEY}"))
    for number, seen in enumerate(first.tolist()):
        yield None if seen == number else f"the same as {rows[seen].place}"
