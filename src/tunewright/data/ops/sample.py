"""sample: a seeded random sample, in the order the rows had."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.data.ops.op import OpSpec, Rows, Said, judged


class Sample(OpSpec):
    """Keep a seeded random sample."""

    op: Literal["sample"] = "sample"
    """Chooses this op."""
    rows: int = Field(gt=0)
    """How many rows to keep."""
    seed: int = 0
    """Seeds the draw."""


def apply(spec: Sample, rows: Rows) -> Iterator[Said]:
    """Keep the `rows` examples whose hash with the seed is smallest: a row's chance does not hang on the row order."""
    chosen = drawn(rows, spec.rows, spec.seed)
    for number, row in enumerate(rows):
        yield judged(row, None if number in chosen else "not drawn")


def drawn(rows: Sequence[Example], count: int, seed: int) -> set[int]:
    """The numbers of the `count` rows whose hash with the seed is smallest."""
    seen: Counter[str] = Counter()
    draws = []
    for number, row in enumerate(rows):
        seen[row.id] += 1
        draws.append((hash_value([seed, row.id, seen[row.id]]), number))
    return {number for _, number in sorted(draws)[:count]}
