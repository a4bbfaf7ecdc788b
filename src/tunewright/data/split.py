"""Split: rows into train, dev and test, so that rows with equal inputs never straddle.

Rows that ask the same (`data/inputs.py`), share a value of `group_by` or, where it is asked for, are nearly alike form a
group, and groups are dealt out (`data/split_deal.py`) in the order of a hash of seed and group: the order of the rows plays
no part, and a few rows more move few others. A column that says the part is followed, and refused where it parts equal
inputs. Inside a part, rows stand in the order of a hash too, so that the first N are a fair sample.

Rows may lie in a file: of each a few hashes are kept, and the parts are places in it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json
from tunewright.data.examples import picked
from tunewright.data.inputs import hashed
from tunewright.data.keyed import Read
from tunewright.data.parts import PARTS
from tunewright.data.repeats import without_repeats
from tunewright.data.spec import SplitSpec
from tunewright.data.split_deal import Groups, by_shares, by_time, groups_of
from tunewright.data.split_near import near_rows
from tunewright.data.split_rows import Facts, facts_of
from tunewright.data.straddle import Places, refuse_repeats, refuse_straddling

Rows = npt.NDArray[np.int64]
"""Places of rows among all."""


class Split(NamedTuple):
    """The three parts."""

    train: Sequence[Example]
    dev: Sequence[Example]
    test: Sequence[Example]


class Shared(NamedTuple):
    """Rows shared out, and what is to be known of how."""

    parts: Split
    notes: tuple[str, ...]
    read: Read
    """What an audit compares the rows by, so that it need not read them again."""


def split(examples: Sequence[Example], spec: SplitSpec) -> Split:
    """Share out the examples. Raises DataError as `share` does."""
    return share(examples, spec).parts


def share(examples: Sequence[Example], spec: SplitSpec, *, workers: int = 1) -> Shared:
    """Share out the examples, whoever wrote them: `synthetic/beside.py` hands it those of people's alone.

    Raises DataError when a part would be empty, a column says something else or parts equal inputs, a field that the spec
    goes by is not there or cannot be read, or dev or test would hold the same messages twice.
    """
    facts = facts_of(examples, spec, workers)
    notes: tuple[str, ...] = ()
    if spec.column:
        places = without_repeats(examples, _by_column(examples, facts, spec.column), facts.ids)
        refuse_repeats(examples, places, facts.ids)
    else:
        groups = groups_of(facts, spec, near_rows(examples) if spec.near else None)
        places, notes = _dealt(examples, facts, groups, spec)
        places = without_repeats(examples, places, facts.ids)
        refuse_repeats(examples, places, facts.ids, groups.rank[groups.of])
    order = {str(part): _shuffled(examples, facts, places[part], spec.seed) for part in PARTS}
    parts = Split(*(picked(examples, some) for some in order.values()))
    return Shared(parts, notes, Read(facts.keys, facts.asked, order))


def _by_column(examples: Sequence[Example], facts: Facts, column: str) -> Places:
    places: Places = {part: np.flatnonzero(facts.parts == at) for at, part in enumerate(PARTS)}
    absent = [part for part in PARTS if not len(places[part])]
    if absent:
        raise DataError(
            f"the column {column!r} puts no row into {' and '.join(absent)}.",
            where="split.column",
            fix="Mark some rows for each part, or leave split.column out and split by shares.",
        )
    refuse_straddling(examples, places, facts.asked, column)
    return places


def _dealt(
    examples: Sequence[Example], facts: Facts, groups: Groups, spec: SplitSpec
) -> tuple[Places, tuple[str, ...]]:
    if len(groups.sizes) < len(PARTS):
        by = f" and the field {spec.group_by!r}" if spec.group_by else ""
        by += " and nearness" if spec.near else ""
        raise DataError(
            f"train, dev and test need at least 3 groups of rows; by equal inputs{by} these {len(examples)} rows "
            f"make {len(groups.sizes)}.",
            where="split",
            fix="Add rows with other inputs; 30 is the least that gives three parts of any use.",
        )
    dealt = by_time(facts, groups, spec) if spec.by_time else by_shares(facts, groups, spec)
    of_row = dealt.part[groups.of]
    return {part: np.flatnonzero(of_row == at) for at, part in enumerate(PARTS)}, dealt.notes


def _shuffled(examples: Sequence[Example], facts: Facts, places: Rows, seed: int) -> Rows:
    """The places in the order of a hash of the row, and of how often it stood before: by its place in its file."""
    ids = facts.ids[places]
    _, first, counts = np.unique(ids, return_inverse=True, return_counts=True)
    seen = np.ones(len(places), np.int64)
    repeated = np.flatnonzero(counts[first] > 1)
    told: Counter[bytes] = Counter()
    for at in sorted(repeated.tolist(), key=lambda at: examples[int(places[at])].place):
        told[ids[at]] += 1
        seen[at] = told[ids[at]]
    begin = canonical_json(seed)
    keys = hashed(f'[{begin},"{name.decode()}",{number}]' for name, number in zip(ids, seen, strict=True))
    return places[np.argsort(keys, kind="stable")]
