"""What is nearly alike across the parts of a split: rows of dev and test that training nearly shows.

Equal inputs never part (`data/split.py`); what is closer to a row of train than the rows are to each other is found by
`data/contamination.py`, with thresholds that the rows themselves set.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.contamination import FALSE_ALARMS, FEWEST, find_copies

MOST = 1000
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
    for.
    """
    from scipy.stats import binom

    rows = parts.get(train, ())
    if len(rows) < FEWEST:
        return
    texts = [row.input_text for row in rows]
    for part, held in parts.items():
        if part == train or not held:
            continue
        asked = held[:MOST]
        hits = {
            hit.eval: hit.row
            for hit in find_copies([row.input_text for row in asked], texts).hits
            if hit.verdict == "copied"
        }
        if len(hits) > binom.ppf(_SURE, len(asked), _CLEAN):
            pairs = tuple((asked[at].id, rows[row].id) for at, row in hits.items())
            yield Close(part, len(asked), pairs)
