"""What ties rows to one another, and who wrote them: of each row a few numbers, so that rows stay where they lie.

known = known_of(examples, spec)      two passes over the rows
known.tied(flags)                     which rows are tied to those that are flagged
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.example import Example
from tunewright.data.examples import Examples, from_lines
from tunewright.data.inputs import Digests
from tunewright.data.spec import SplitSpec
from tunewright.data.split_near import near_rows
from tunewright.data.split_rows import facts_of
from tunewright.data.synthetic.collapse import author, is_written
from tunewright.data.synthetic.made import shown

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
_DEPTH = b'"depth":'


class Known(NamedTuple):
    """Of each row, in order. (n,) each."""

    ids: npt.NDArray[np.bytes_]
    depth: Numbers
    """How many models stand behind it; people's own have 0."""
    author: Numbers
    """Who wrote it, by the place in `authors`; -1: people did."""
    authors: tuple[str, ...]
    ties: tuple[Numbers, Numbers, Numbers]
    """What ties rows where it is equal: what they ask, the first row that they are nearly like, their group, of which one
    without any has a number of its own. A kind that is not gone by is empty."""
    place: Hashes
    """Where it comes from; 0: nowhere."""
    shown_to: Numbers
    """Rows that were shown others while they were written, one for each … (m,)"""
    shown: Hashes
    """… where that comes from. (m,)"""

    @property
    def written(self) -> Flags:
        """Whether a model, or rules, wrote a part of it."""
        return self.depth > 0

    def who(self, rows: Numbers) -> Counter[str]:
        """Who wrote how many of these rows; what people wrote is not counted."""
        numbers = self.author[rows]
        counts = np.bincount(numbers[numbers >= 0], minlength=len(self.authors)).tolist()
        found = zip(self.authors, counts, strict=True)
        return Counter({name: count for name, count in sorted(found) if count})

    def having(self, ids: Iterable[str]) -> Flags:
        """The rows with one of these ids."""
        return np.isin(self.ids, np.array([name.encode() for name in ids], self.ids.dtype))

    def tied(self, to: Flags) -> Flags:
        """The rows that are tied to one of those that are flagged: these, too."""
        found = np.zeros(len(to), np.bool_)
        for values in self.ties:
            if len(values):
                found |= np.isin(values, values[to])
        places = np.concatenate([self.place[to & (self.place > 0)], self.shown[to[self.shown_to]]])
        found |= (self.place > 0) & np.isin(self.place, places)
        found[self.shown_to[np.isin(self.shown, places)]] = True
        return found


def known_of(examples: Sequence[Example], spec: SplitSpec, workers: int = 1) -> Known:
    """What is to be known of the rows. Raises DataError as the split does, for a field that is not there."""
    # where a written row stands is not for its own columns to say
    ties = spec.model_copy(update={"column": None, "by_time": None, "stratify_by": None})
    facts = facts_of(examples, ties, workers)
    near = near_rows(examples) if spec.near else np.zeros(0, np.int64)
    groups = _numbered(facts.groups)
    groups = np.where(facts.groups == b"", -1 - np.arange(len(groups)), groups)
    names: dict[str, int] = {}
    depth, author_of, place_of, to, shown_of = (bytearray() for _ in range(5))
    for at, row in enumerate(examples):
        written = is_written(row)
        own = _hash(row.place) if row.origin is not None else 0
        depth += np.int64(row.origin.depth if row.origin is not None else 0).tobytes()
        author_of += np.int64(names.setdefault(author(row), len(names)) if written else -1).tobytes()
        place_of += np.uint64(own).tobytes()
        for place in shown(row):
            to += np.int64(at).tobytes()
            shown_of += np.uint64(_hash(place)).tobytes()
    return Known(
        facts.ids,
        _numbers(depth),
        _numbers(author_of),
        tuple(names),
        (_numbered(facts.asked), near, groups),
        _hashes(place_of),
        _numbers(to),
        _hashes(shown_of),
    )


def any_written(examples: Sequence[Example]) -> bool:
    """Whether one of the rows is a written one; of a file's, those alone are read in which the word stands."""
    if not isinstance(examples, Examples):
        return any(map(is_written, examples))
    for lines in examples.chunks():
        some = [line for line in lines.splitlines(keepends=True) if _DEPTH in line] if _DEPTH in lines else []
        if any(map(is_written, from_lines(b"".join(some), "rows"))):
            return True
    return False


def _numbered(keys: Digests) -> Numbers:
    """A number for each key, equal where these are."""
    found: Numbers = np.unique(keys, return_inverse=True)[1]
    return found


def _numbers(data: bytearray) -> Numbers:
    return np.frombuffer(data, np.int64)


def _hashes(data: bytearray) -> Hashes:
    return np.frombuffer(data, np.uint64)


def _hash(text: str) -> int:
    """8 bytes of a hash, never 0."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1
