"""What the operations share that give rows a number and may keep the best of them."""

from collections.abc import Iterable, Sequence

from pydantic import Field

from tunewright.data.ops.op import OpSpec


class ShareSpec(OpSpec):
    """Settings of an operation that may keep the best share of rows."""

    keep_share: float | None = Field(None, gt=0, le=1)
    """Keep this share of the rows that no other setting drops, the best; of equals the earlier."""


def best(scores: Sequence[float], share: float | None, standing: Iterable[int]) -> set[int]:
    """The numbers of the rows that stay: of those `standing`, the share with the highest scores, at least one."""
    left = sorted(standing)
    if share is None or not left:
        return set(left)
    count = max(1, round(share * len(left)))
    return set(sorted(left, key=lambda at: -scores[at])[:count])
