"""Rows that stand again on purpose, to count more in training: `mix` and `balance` mark them, the split keeps them out of
dev and test, where each row is scored once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tunewright.core.example import Example
from tunewright.data.parts import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]
    Ids = npt.NDArray[np.bytes_]
    Places = Mapping[Part, Rows]

REPEAT = "repeat"
"""The field that such a row has: 1 for its first repetition."""


def is_repeat(row: Example) -> bool:
    """Whether `mix` or `balance` repeated the row; a source's own column of that name holds something else."""
    number = row.fields.get(REPEAT)
    return isinstance(number, int) and number >= 1


def without_repeats(examples: Sequence[Example], parts: "Places", ids: "Ids") -> "Places":
    """The parts' places, those of dev and test without marked repetitions. `ids` has each row's id; rows whose id is
    theirs alone in their part are not read.
    """
    return {
        part: places if part == "train" else _once(examples, places, ids) for part, places in parts.items()
    }


def _once(examples: Sequence[Example], places: "Rows", ids: "Ids") -> "Rows":
    import numpy as np

    _, first, counts = np.unique(ids[places], return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[first] > 1)
    return np.delete(places, [at for at in several.tolist() if is_repeat(examples[int(places[at])])])
