"""Rows drawn to a wanted number: fewer than there are by a seeded draw, more by repeating.

A row that stands again carries a mark (data/repeats.py), so that the split leaves it out of dev and test, and whoever
looks at the rows knows. Up to four passes over the same rows teach nearly as much as new ones would
(Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", arXiv:2305.16264): that is the most by default.
"""

from collections.abc import Iterator, Sequence

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.data.ops.op import Added, Dropped, Kept, Said
from tunewright.data.repeats import repetition


def times_each(ids: Sequence[str], wanted: int, seed: int) -> list[int]:
    """How often each row is to stand so that there are `wanted` in all: as evenly as can be, the rest by a seeded draw.

    `ids` may repeat. A row's chance does not hang on the order of the rows.
    """
    if not ids:
        return []
    whole, rest = divmod(wanted, len(ids))
    seen: dict[str, int] = {}
    draws = []
    for at, name in enumerate(ids):
        seen[name] = seen.get(name, 0) + 1
        draws.append((hash_value([seed, name, seen[name]]), at))
    more = {at for _, at in sorted(draws)[:rest]}
    return [whole + (at in more) for at in range(len(ids))]


def standing(row: Example, times: int, reason: str) -> Iterator[Said]:
    """The row so many times; dropped for the reason where that is none."""
    if times == 0:
        yield Dropped(row, reason)
        return
    yield Kept(row)
    for number in range(1, times):
        yield Added(repetition(row, number), row)
