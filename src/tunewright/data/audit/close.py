"""What is nearly alike across the parts of a split: rows of dev and test that training nearly shows.

Equal inputs never part (`data/split.py`); what is closer to a row of train than the rows are to each other is found by
`data/contamination.py`, with thresholds that the rows themselves set.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.contamination import FEWEST, beyond_chance, find_copies
from tunewright.data.contamination_turns import SaidRows
from tunewright.data.examples import evenly

MOST = 500
"""Rows of a part that are looked for, evenly drawn: in a split by time the first are the oldest."""


class Close(NamedTuple):
    """A part's rows that are nearly copies of rows of train."""

    part: str
    looked: int
    """Rows that were looked for."""
    pairs: tuple[tuple[str, str], ...]
    """(id of the part's row, id of the row of train)."""


def close_rows(parts: Mapping[str, Sequence[Example]], train: str) -> Iterator[Close]:
    """The parts besides `train` that have more such rows than clean parts have.

    The thresholds let about a hundredth of clean rows pass. With fewer rows of train than calibration needs, none is looked
    for. A second of CPU for about three megabytes of text.
    """
    rows = parts.get(train, ())
    held = {part: evenly(some, MOST) for part, some in parts.items() if part != train}
    asked = [(part, row) for part, some in held.items() for row in some]
    if len(rows) < FEWEST or not asked:
        return
    copies = find_copies([row.input_text for _, row in asked], SaidRows(rows))
    pairs: dict[str, dict[str, str]] = {part: {} for part in held}
    for hit in copies.hits:
        if hit.verdict == "copied":
            part, row = asked[hit.eval]
            pairs[part].setdefault(row.id, rows[hit.row].id)
    for part, found in pairs.items():
        if beyond_chance(len(found), len(held[part])):
            yield Close(part, len(held[part]), tuple(found.items()))
