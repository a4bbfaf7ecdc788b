"""drop_duplicates: the first of rows with the same messages stays."""

from collections.abc import Iterator
from typing import Literal

from tunewright.data.normal import example_key
from tunewright.data.ops.op import OpSpec, Rows, Said, judged


class DropDuplicates(OpSpec):
    """Keep the first of rows with the same messages, rejected answer and rating (letter case and blanks aside)."""

    op: Literal["drop_duplicates"] = "drop_duplicates"
    """Chooses this op."""


def apply(spec: DropDuplicates, rows: Rows) -> Iterator[Said]:
    """Drop every later row that equals one before it, letter case and blanks aside."""
    first: dict[bytes, int] = {}
    for number, row in enumerate(rows):
        seen = first.setdefault(bytes.fromhex(example_key(row)), number)
        yield judged(row, None if seen == number else f"the same as {rows[seen].place}")
