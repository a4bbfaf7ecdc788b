"""What a split must not do: ask the same in two parts, or hold a row twice in a part that is scored."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.inputs import Digests
from tunewright.data.parts import PARTS, Part

SHOWN = 3
"""Rows that a message names."""
Places = Mapping[Part, npt.NDArray[np.int64]]
"""The places of each part's rows among all."""


def refuse_straddling(examples: Sequence[Example], parts: Places, asked: Digests, column: str) -> None:
    """Raises DataError when equal inputs stand in different parts: the scores would be flattered.

    Only a column can do that; a split by shares keeps equal inputs together. `asked` has the input's key of each row.
    """
    placed = np.concatenate([parts[part] for part in PARTS])
    of = np.repeat(np.arange(len(PARTS)), [len(parts[part]) for part in PARTS])
    first = first_equal(asked[placed])
    odd = np.flatnonzero(of != of[first])
    if not len(odd):
        return
    rows = []
    for at in odd[:SHOWN].tolist():
        example, other = examples[int(placed[at])], examples[int(placed[first[at]])]
        verb = "says" if example.is_document else "asks"
        known = PARTS[of[first[at]]]
        rows.append(f"{example.place} ({PARTS[of[at]]}) {verb} what {other.place} ({known}) {verb}")
    raise DataError(
        f"the column {column!r} puts equal inputs into different parts, {_times(len(odd))}: {_first(rows, len(odd))}.",
        where="split.column",
        fix="Mark equal inputs for one part, drop them from the others, or leave split.column out and split by "
        "shares.",
    )


def refuse_repeats(
    examples: Sequence[Example], parts: Places, ids: Digests, rank: npt.NDArray[np.int64] | None = None
) -> None:
    """Raises DataError when dev or test holds the same messages twice: a score counts each example once.

    `ids` has each row's id, `rank` the order in which rows are named.
    """
    for part in ("dev", "test"):
        places = parts[part]
        if rank is not None:
            places = places[np.argsort(rank[places], kind="stable")]
        first = first_equal(ids[places])
        again = np.flatnonzero(first != np.arange(len(first)))
        if len(again):
            named = [
                f"{examples[int(places[at])].place} repeats {examples[int(places[first[at]])].place}"
                for at in again[:SHOWN].tolist()
            ]
            raise DataError(
                f"{part} would hold the same row more than once, {_times(len(again))}: {_first(named, len(again))}.",
                where="split",
                fix="Add drop_duplicates to the recipe.",
            )


def first_equal(keys: Digests) -> npt.NDArray[np.int64]:
    """For each key where the first that equals it stands. (n,)"""
    _, firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)
    found: npt.NDArray[np.int64] = firsts[inverse]
    return found


def _times(rows: int) -> str:
    return "once" if rows == 1 else f"{rows:,} times"


def _first(rows: list[str], count: int) -> str:
    more = f"; and {count - SHOWN:,} more" if count > SHOWN else ""
    return "; ".join(rows) + more
