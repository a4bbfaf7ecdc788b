"""Splitting rows of which some were written: people's own are shared out, the written ones are trained on beside them.

    found = share_beside(examples, file.split, file.data)
    found.parts.train, found.left_out

A row that was written from a row of test, or asks the same as one (nearly the same, where the split keeps these together),
gives it away: it is left out. So is one that is
tied to a row of dev; with `synthetic_dev` it stands there beside it. Rows of a file stay there: of each a few numbers are
held (`tied.py`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json
from tunewright.data.examples import Examples, chunks, picked
from tunewright.data.inputs import hashed
from tunewright.data.keyed import Read
from tunewright.data.parts import Part
from tunewright.data.repeats import without_repeats
from tunewright.data.spec import DataSpec, SplitSpec
from tunewright.data.split import Split, share
from tunewright.data.synthetic.collapse import too_deep, too_many
from tunewright.data.synthetic.tied import Flags, Known, Numbers, any_written, known_of

_FEWEST = 3
"""Rows of people's that three parts take."""


class Beside(NamedTuple):
    """The three parts, and what stands in none of them."""

    parts: Split
    notes: tuple[str, ...]
    """What is to be known of how rows were shared out."""
    left_out: Sequence[Example]
    """Written rows that would give rows of dev or test away."""
    read: Read | None = None
    """What an audit compares the rows by, where all of them were read together."""


def share_beside(examples: Sequence[Example], spec: SplitSpec, data: DataSpec, *, workers: int = 1) -> Beside:
    """Share out people's rows; put the written ones into train, as far as they give nothing away.

    Raises DataError as `share` does, where people wrote too few rows to judge by, and where rows are too deep or too many
    of those to train on were written.
    """
    if not any_written(examples):
        shared = share(examples, spec, workers=workers)
        return Beside(shared.parts, shared.notes, [], shared.read)
    known = known_of(examples, spec, workers)
    own = np.flatnonzero(~known.written)
    if len(own) < _FEWEST:
        raise DataError(
            f"{len(examples) - len(own):,} of {len(examples):,} rows were written by models or rules, and dev and test"
            " are of people's rows.",
            where="split",
            fix="Add rows of people's (30 is the least that gives three parts of any use), or, where people wrote or checked"
            " these, say so: written_by: people at their source.",
        )
    parts, notes, _ = share(_some(examples, own), spec, workers=workers)
    found = _placed(known, _own(examples, known, parts), data.synthetic_dev)
    order = _Order(examples, known, spec.seed)
    train = order.together(found.own_train, found.train)
    dev = parts.dev
    if len(found.dev):
        dev = picked(examples, order.together(found.own_dev, found.dev))
    _refuse(examples, known, (train, found.dev), data)
    left_out = picked(examples, found.left_out)
    told = _told(known, train, left_out)
    return Beside(Split(picked(examples, train), dev, parts.test), (*notes, *told), left_out)


def _refuse(
    examples: Sequence[Example], known: Known, parts: tuple[Numbers, Numbers], data: DataSpec
) -> None:
    """Raises DataError where rows are too deep, or too large a share of those to train on."""
    for places in parts:
        deep = places[known.depth[places] > data.max_depth][:1].tolist()
        if wrong := too_deep((examples[at] for at in deep), data.max_depth):
            fix = "Take rows out that were written from written ones (filter), or raise data.max_depth."
            raise DataError(wrong, where="data.max_depth", fix=fix)
    train = parts[0]
    if error := too_many(int(known.written[train].sum()), len(train), data.synthetic_share):
        raise error


def _told(known: Known, train: Numbers, left_out: Sequence[Example]) -> Iterator[str]:
    """What is to be known of the written rows."""
    who = known.who(train)
    if who:
        by = ", ".join(f"{name} {count:,}" for name, count in who.most_common())
        share = who.total() / len(train)
        yield f"{who.total():,} of {len(train):,} rows to train on ({share:.0%}) were written by models or rules ({by})"
    if len(left_out):
        first = ", ".join(row.place for row in left_out[:3])
        yield (
            f"{len(left_out):,} written rows stand in no part, since they are tied to rows of dev or test"
            f" (the first: {first})"
        )


class _Placed(NamedTuple):
    """Places of rows: of people's in train and dev, and where each written row goes."""

    own_train: Numbers
    own_dev: Numbers
    train: Numbers
    dev: Numbers
    left_out: Numbers


def _own(examples: Sequence[Example], known: Known, parts: Split) -> tuple[Flags, Flags, Flags]:
    """Which of people's rows stand in train, dev and test. Rows with one id ask the same, and so are in one part."""
    own = ~known.written
    dev, test = (own & known.having(row.id for row in part) for part in (parts.dev, parts.test))
    train = own & ~dev & ~test
    places: dict[Part, Numbers] = {"dev": np.flatnonzero(dev), "test": np.flatnonzero(test)}
    once = without_repeats(examples, places, known.ids)
    return train, _flagged(once["dev"], len(own)), _flagged(once["test"], len(own))


def _flagged(places: Numbers, rows: int) -> Flags:
    flags = np.zeros(rows, np.bool_)
    flags[places] = True
    return flags


def _placed(known: Known, own: tuple[Flags, Flags, Flags], in_dev: bool) -> _Placed:
    """Where each row goes. A written one that is tied to dev and to train goes nowhere: it would stand astride."""
    train, dev, test = own
    to_train, to_dev, to_test = (known.tied(part) for part in (train, dev, test))
    out = to_test | (to_dev & (to_train if in_dev else True))
    to_dev &= known.written & ~out
    # none of train may be tied to a row that now stands in dev
    astride = known.tied(to_dev) & ~to_dev & ~out
    new = known.written & ~to_dev & ~out & ~astride
    left_out = [*np.flatnonzero(known.written & out), *np.flatnonzero(known.written & astride)]
    at = np.flatnonzero
    return _Placed(at(train), at(dev), at(new), at(to_dev), np.array(left_out, np.int64))


class _Order(NamedTuple):
    """The order of a hash, in which `split` has a part's rows, so that the first N are a fair sample."""

    examples: Sequence[Example]
    known: Known
    seed: int

    def together(self, own: Numbers, new: Numbers) -> Numbers:
        """People's rows of a part, and written ones."""
        return self._of(np.concatenate([self._of(own), new]))

    def _of(self, places: Numbers) -> Numbers:
        """By the row, and how often its id stood before, by its place in its file."""
        ids = self.known.ids[places]
        _, first, counts = np.unique(ids, return_inverse=True, return_counts=True)
        times = np.ones(len(places), np.int64)
        seen = Counter[bytes]()
        several = np.flatnonzero(counts[first] > 1).tolist()
        rows = picked(self.examples, places[several])
        stood = {at: row.place for at, row in zip(several, rows, strict=True)}
        for at in sorted(several, key=stood.__getitem__):
            seen[ids[at]] += 1
            times[at] = seen[ids[at]]
        begin = canonical_json(self.seed)
        keys = hashed(
            f'[{begin},"{name.decode()}",{number}]' for name, number in zip(ids, times, strict=True)
        )
        return places[np.argsort(keys, kind="stable")]


def _some(examples: Sequence[Example], places: Numbers) -> Sequence[Example]:
    """The rows at these places, in their order; those of a file stay there."""
    return _Among(examples, places) if isinstance(examples, Examples) else picked(examples, places)


class _Among(Examples):
    """Some rows of a file, as if they were all that it has: what shares rows out reads them chunk by chunk."""

    def __init__(self, rows: Examples, places: npt.NDArray[np.int64]) -> None:
        self._rows, self._places = picked(rows, places), places
        self._all = rows

    def __iter__(self) -> Iterator[Example]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._places)

    def read(self, place: int) -> Example:
        """The row at a place from 0 on."""
        return self._rows[place]

    def lines(self, places: Iterable[int]) -> Iterator[bytes]:
        """The lines at these places, in their order."""
        return self._all.lines(int(self._places[place]) for place in places)

    @property
    def whole(self) -> None:
        """No file has these alone."""
        return None

    def chunks(self) -> Iterator[bytes]:
        """The lines, some hundred kilobytes at a time."""
        return chunks(self._rows)
