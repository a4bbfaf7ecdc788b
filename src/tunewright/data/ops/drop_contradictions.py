"""drop_contradictions: rows with the same prompt, system message and all, that answer differently all go."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from tunewright.data.ops.op import DESIRABLE, OpSpec, Rows, Touched

if TYPE_CHECKING:
    from tunewright.data.keyed import Keys  # it brings numpy


class DropContradictions(OpSpec):
    """Drop every row whose whole prompt, system message and all, appears with different answers."""

    op: Literal["drop_contradictions"] = "drop_contradictions"
    """Chooses this op."""


def touches(spec: DropContradictions, given: frozenset[str]) -> Touched:
    """The turns, and whether the answer is a good one."""
    return Touched(beside=frozenset({DESIRABLE}))


def by_keys(spec: DropContradictions, keys: "Keys", rows: Rows) -> Iterator[str | None]:
    """Drop every row whose normalised prompt has more than one normalised answer."""
    import numpy as np

    good = keys["good"]  # a bad answer beside a good one is what ratings are for
    _, prompt = np.unique(keys["prompt"], return_inverse=True)
    known, answer = np.unique(keys["answer"], return_inverse=True)
    pairs = np.unique(prompt[good] * len(known) + answer[good]) // max(len(known), 1)
    different = np.bincount(pairs, minlength=len(keys) + 1)[prompt]
    for count in different.tolist():
        yield f"its prompt has {count} different answers" if count > 1 else None
