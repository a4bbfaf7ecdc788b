"""Rows that stand again on purpose, to count more in training: `mix` and `balance` mark them, the split keeps them out of
dev and test, where each row is scored once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tunewright.core.example import Example
from tunewright.core.hashing import SHORT, hash_value
from tunewright.data.parts import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]
    Ids = npt.NDArray[np.bytes_]
    Places = Mapping[Part, Rows]

REPEAT = "tunewright:repeat"
"""The field that such a row has. It is known by what it holds, too, so that no column of a source is taken for it."""
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def repetition(row: Example, number: int) -> Example:
    """The row as it stands again, marked; 1 is its first repetition."""
    mark = {"time": number, "of": _name(row)}
    return row.model_copy(update={"fields": {**row.fields, REPEAT: mark}})


def is_repeat(row: Example) -> bool:
    """Whether `mix` or `balance` repeated the row."""
    mark = row.fields.get(REPEAT)
    return isinstance(mark, dict) and mark.get("of") == _name(row)


def _name(row: Example) -> str:
    """The row's place as a word: in a file that is read, none can stand that is the reading's own.

    It stays as it is whatever is made of the row, and has no digits that redaction could take for a number.
    """
    place = [row.origin.source, row.origin.file, row.origin.row] if row.origin else []
    return hash_value(place)[:SHORT].translate(_LETTERS)


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
