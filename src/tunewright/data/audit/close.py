"""What is nearly alike across the parts of a split: rows of dev and test that training nearly shows.

Equal inputs never part (`data/split.py`); what is closer to a row of train than the rows are to each other is found by
`data/contamination.py`, with thresholds that the rows themselves set.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.contamination import FALSE_ALARMS, FEWEST, find_copies
from tunewright.data.examples import Texts

MOST = 500
"""Rows of a part that are looked for: the first, which are a fair sample."""


_CLEAN, _SURE = 2 * FALSE_ALARMS, 0.99
"""The share of clean rows that may pass, and how surely there are more before they are told."""


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
    from scipy.stats import binom

    rows = parts.get(train, ())
    held = {part: some[:MOST] for part, some in parts.items() if part != train}
    asked = [(part, row) for part, some in held.items() for row in some]
    if len(rows) < FEWEST or not asked:
        return
    copies = find_copies([row.input_text for _, row in asked], Texts(rows, _said))
    pairs: dict[str, dict[str, str]] = {part: {} for part in held}
    for hit in copies.hits:
        if hit.verdict == "copied":
            part, row = asked[hit.eval]
            pairs[part].setdefault(row.id, rows[hit.row].id)
    for part, found in pairs.items():
        if len(found) > binom.ppf(_SURE, len(held[part]), _CLEAN):
            yield Close(part, len(held[part]), tuple(found.items()))


def _said(row: Example) -> str:
    return row.input_text
