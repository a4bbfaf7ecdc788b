"""Positions: rows that are longer than the base takes. Rotated positions go on in silence where the base knows none, learned
ones end the run with an error.
"""

from collections.abc import Iterable, Sequence

from tunewright.core.errors import Problem
from tunewright.train.pack import Tree

_NAMED = 3


def beyond(trees: Iterable[Tree], lengths: Sequence[int], positions: int | None) -> list[Problem]:
    """The problem of rows with more tokens than the base has `positions` (none: any number).

    `lengths` are those of the trees' rows that are looked at: a longer one than these has another problem. The trees are
    read only where one is too long.
    """
    longest = max(lengths, default=0)
    if positions is None or longest <= positions:
        return []
    names = list(
        dict.fromkeys(row.id for tree in trees for row in tree.rows if positions < len(row.ids) <= longest)
    )  # a pair's two answers have one name
    several = "1 row is" if len(names) == 1 else f"{len(names)} rows are"
    message = f"{several} longer than the base takes: the longest has {longest:,} tokens, and the base takes {positions:,}."
    fix = (
        f"Set train.max_length to {positions} (train.over_long says what becomes of longer rows), or choose a base that"
        " takes more."
    )
    first = tuple(names[:_NAMED])
    return [Problem(message, where=f"rows {', '.join(first)}", fix=fix, examples=first)]
