"""Near duplicates: which of many texts say nearly the same, in memory that does not grow with their length.

    near_groups(texts, threshold=0.7)  →  [[0, 7, 12], [3, 5]]
    near_chains(texts, threshold=0.7)  →  array([0, 1, 2, 3, 4, 3, 6, 0, …])

**Similarity** is the Jaccard index of two texts' sets of shingles, runs of two words (data/near_shingles.py): what both
hold, over what either holds. One word of n replaced, inside the text, leaves (n - 3) / (n + 1). Runs of two and not of more,
since short texts are compared too: of nine words with one replaced, runs of two leave 0.6, runs of three 0.4.

Candidates are found by MinHash (Broder 1997, "On the resemblance and containment of documents") and banding (Indyk and
Motwani 1998; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", §3.4), and count only when their true similarity,
of the texts read again, reaches the threshold. A group has a head, which comes first, and every other member is near the
head: no chain of small steps joins texts that have little in common, and whoever keeps the heads alone drops nothing that
is not near something kept.

Where very many texts share a template, a bucket of the banding may hold thousands. There a text is compared with the
first and with `WINDOW` neighbours only, and with fewer after every refusal (`PATIENCE`), so that the work stays in
proportion to the number of texts, and some pairs near the threshold are missed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.data.near_shingles import Places, Shingles, mixed, shingles_of, words_of

Text = str | tuple[str, ...]
"""One text, or one of several parts (question, answer): near another when each part is."""

SHINGLE = 2
"""Words in a shingle."""
PERMUTATIONS = 128
"""Minima kept of each text; four bytes each."""
WINDOW = 16
"""Neighbours in its bucket that a text is compared with; all, in a bucket of so many or fewer."""
PATIENCE = 16
"""After so many candidates that turned out not to be near, a text's next ones have to look nearer by a standard error."""
LOWEST = 0.3
"""Below this similarity, texts share little but common phrases, and the candidates are too many to be checked."""
_FOUND = 0.99
"""The chance that banding is to give a pair at the threshold itself."""
_BLOCK_TEXTS, _BLOCK_CHARS = 4096, 1 << 18
_SHINGLES_AT_ONCE = 1 << 19
_REMEMBERED = 1 << 22
_ROUNDS = 4
_OTHER = np.uint64(0xD6E8FEB86659FD93)
_HALF, _LOW_HALF = np.uint64(32), np.uint64(0xFFFFFFFF)

_Pairs = npt.NDArray[np.int64]
"""(pairs, 2): the earlier text, the later."""


def near_groups(texts: Sequence[Text], *, threshold: float, seed: int = 0) -> list[list[int]]:
    """The groups of two texts or more, each with its head first, then in order.

    Raises DataError where the threshold is not between LOWEST and 1.
    """
    heads = near_heads(texts, threshold=threshold, seed=seed)
    groups: dict[int, list[int]] = {}
    for at in np.flatnonzero(heads != np.arange(len(heads))).tolist():
        groups.setdefault(int(heads[at]), [int(heads[at])]).append(at)
    return [groups[head] for head in sorted(groups)]


def near_heads(
    texts: Sequence[Text],
    *,
    threshold: float,
    seed: int = 0,
    signed: "Signatures | None" = None,
) -> npt.NDArray[np.int64]:
    """For each text the head of its group, itself where it is near none before it. (n,)

    Earlier texts are preferred as heads: sort the best first. Texts are read once in order, those to be compared again by
    index, and none is kept: less than 1 kB of memory for each text, and 50 bytes for each character of the longest. Equal
    input gives equal groups. Raises DataError as near_groups does, ValueError for a text without parts.

    `signed` has the texts' signatures, by the same threshold and seed, where they were made before.
    """
    _check(threshold)
    if len(texts) < 2:
        return np.arange(len(texts))
    return _Search(texts, threshold, seed, signed).heads()


def signatures(texts: Sequence[Text], *, threshold: float, seed: int = 0) -> "Signatures":
    """What the search goes by, of some of the texts: they may be made in other processes. Errors as of near_heads."""
    _check(threshold)
    return _signatures(texts, _bands(threshold), seed)


def gathered(some: "Iterable[Signatures]", count: int, *, threshold: float) -> "Signatures":
    """The signatures of `count` texts that were made some at a time, put together without a second copy of them all."""
    minima = np.empty((count, PERMUTATIONS), np.uint32)
    keys = np.empty((_bands(threshold).number, count), np.uint32)
    start = shingles = 0
    for one in some:
        end = start + len(one.minima)
        minima[start:end], keys[:, start:end] = one.minima, one.keys
        start, shingles = end, shingles + one.shingles
    return Signatures(minima, keys, shingles)


def near_chains(texts: Sequence[Text], *, threshold: float, seed: int = 0) -> npt.NDArray[np.int64]:
    """For each text the first one that it is tied to by steps from near text to near text, itself where there is none. (n,)

    No two near texts that are found have different ones: what must not be parted is kept together, where `near_heads` says
    what may be dropped. Reads, memory and errors are those of near_heads.
    """
    _check(threshold)
    return _Chains(texts, threshold, seed).firsts() if len(texts) > 1 else np.arange(len(texts))


def _check(threshold: float) -> None:
    if not LOWEST <= threshold <= 1:
        raise DataError(
            f"the threshold of near duplicates is {threshold:g}; it is a similarity between {LOWEST:g} and 1.",
            fix="At 0.7, about one word in eleven may differ.",
        )


def similarity(one: Text, other: Text) -> float:
    """The true similarity of two texts, between 0 and 1: of the parts' the smallest."""
    return float(_similarities([one, other], np.array([[0, 1]]))[0])


class _Bands(NamedTuple):
    number: int
    rows: int
    """Minima in a band; a pair meets in a band with the probability of similarity to the power of `rows`."""


def _bands(threshold: float) -> _Bands:
    """The most selective banding that still finds a pair at the threshold."""
    fitting = [
        rows
        for rows in range(1, PERMUTATIONS + 1)
        if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= _FOUND
    ]
    rows = max(fitting, default=1)
    return _Bands(PERMUTATIONS // rows, rows)


class _Search:
    """Heads found band by band: whoever is near a head is out of the search."""

    def __init__(
        self,
        texts: Sequence[Text],
        threshold: float,
        seed: int,
        signed: "Signatures | None" = None,
    ) -> None:
        self._texts = texts
        self._threshold = threshold
        self._bands = _bands(threshold)
        self._minima, self._keys, shingles = signed or _signatures(texts, self._bands, seed)
        self._at_once = int(np.clip(_SHINGLES_AT_ONCE * len(texts) / shingles, 16, 1 << 14))
        self._heads = np.arange(len(texts))
        self._refused = np.zeros(0, np.int64)
        self._refusals = np.zeros(len(texts), np.uint32)

    def heads(self) -> npt.NDArray[np.int64]:
        looked_for = np.ones(len(self._heads), bool)
        for _ in range(_ROUNDS):
            for band in range(self._bands.number):
                refused: list[npt.NDArray[np.int64]] = []
                for pairs in self._candidates(band):
                    refused += self._join(pairs[looked_for[pairs].any(1)])
                if len(self._refused) < _REMEMBERED:
                    self._refused = np.sort(np.concatenate((self._refused, *refused)))
            freed = self._release()
            if not freed:
                break
            looked_for[:] = False
            looked_for[freed] = True
        return self._heads

    def _candidates(self, band: int) -> Iterator[_Pairs]:
        """Pairs of one band's buckets: each text with the bucket's first, then with its neighbours at rising distance."""
        alone = self._sought()
        # key and place in one number: the quickest sort there is
        ordered = np.sort(self._keys[band, alone].astype(np.uint64) << _HALF | alone.astype(np.uint64))
        keys, members = ordered >> _HALF, (ordered & _LOW_HALF).astype(np.int64)
        begins = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        sizes = np.diff(np.concatenate((begins, [len(keys)])))
        several = np.repeat(sizes > 1, sizes)
        keys, members = keys[several], members[several]
        firsts = members[np.repeat(_starts(sizes[sizes > 1]), sizes[sizes > 1])]
        yield np.stack((firsts, members), 1)[firsts != members]
        members = self._neighbourly(members, sizes[sizes > 1], band)
        for distance in range(1, WINDOW + 1):
            together = np.flatnonzero(keys[distance:] == keys[:-distance])
            if not len(together):
                return
            yield np.sort(np.stack((members[together], members[together + distance]), 1), 1)

    def _sought(self) -> Places:
        """The texts that are compared: those that are under no head yet."""
        return np.flatnonzero(self._heads == np.arange(len(self._heads)))

    def _neighbourly(self, members: Places, sizes: Places, band: int) -> Places:
        """The members of large buckets in an order that brings those together which agree in further bands as well."""
        large = np.flatnonzero(np.repeat(sizes > WINDOW + 1, sizes))
        if not len(large):
            return members
        bucket = np.repeat(np.arange(len(sizes)), sizes)[large]
        further = [
            self._keys[(band + step) % self._bands.number, members[large]]
            for step in range(1, min(4, self._bands.number))
        ]
        members = members.copy()
        members[large] = members[large][np.lexsort((*further[::-1], bucket))]
        return members

    def _join(self, pairs: _Pairs) -> Iterator[npt.NDArray[np.int64]]:
        """Put the later text of each near pair under the earlier, where both are still heads; tell the pairs refused."""
        for start in range(0, len(pairs), self._at_once):
            block = pairs[start : start + self._at_once]
            found, refused = self._compared(block[(self._heads[block] == block).all(1)])
            yield refused
            for earlier, later in found[np.lexsort((found[:, 1], found[:, 0]))].tolist():
                if self._heads[earlier] == earlier and self._heads[later] == later:
                    self._heads[later] = earlier

    def _compared(self, pairs: _Pairs) -> tuple[_Pairs, npt.NDArray[np.int64]]:
        """Those of some pairs that are near, and the codes of those that were compared and are not."""
        block = pairs[self._is_likely(pairs)]
        block = block[~_in_sorted(self._codes(block), self._refused)]
        near = _similarities(self._texts, block) >= self._threshold
        np.add.at(self._refusals, block[~near], np.uint32(1))
        return block[near], self._codes(block[~near])

    def _is_likely(self, pairs: _Pairs) -> npt.NDArray[np.bool_]:
        """Whether so many minima agree that the pair is worth checking: fewer than the threshold asks for, by what chance
        does, but the more the oftener a text was refused."""
        agreeing = (self._minima[pairs[:, 0]] == self._minima[pairs[:, 1]]).mean(1)
        spread = np.sqrt(self._threshold * (1 - self._threshold) / PERMUTATIONS)
        strictness = np.minimum(self._refusals[pairs].max(1) / PATIENCE - 2.5, 2)
        likely: npt.NDArray[np.bool_] = agreeing >= np.minimum(self._threshold + strictness * spread, 1)
        return likely

    def _codes(self, pairs: _Pairs) -> npt.NDArray[np.int64]:
        return pairs[:, 0] * len(self._heads) + pairs[:, 1]

    def _release(self) -> list[int]:
        """Where a head went under another later on, those under it go there too if they are near that one, or go free."""
        freed = []
        while len(orphans := np.flatnonzero(self._heads[self._heads] != self._heads)):
            pairs = np.stack((self._heads[self._heads[orphans]], orphans), 1)
            for start in range(0, len(pairs), self._at_once):
                block = pairs[start : start + self._at_once]
                near = _similarities(self._texts, block) >= self._threshold
                self._heads[block[:, 1]] = np.where(near, block[:, 0], block[:, 1])
                freed += block[~near, 1].tolist()
        return freed


class _Chains(_Search):
    """Chains found band by band: `_heads` names the first text of each one's chain, as far as it is known."""

    def firsts(self) -> npt.NDArray[np.int64]:
        for band in range(self._bands.number):
            refused: list[npt.NDArray[np.int64]] = []
            for pairs in self._candidates(band):
                refused += self._tie(pairs)
            if len(self._refused) < _REMEMBERED:
                self._refused = np.sort(np.concatenate((self._refused, *refused)))
        return self._heads

    def _sought(self) -> Places:
        return np.arange(len(self._heads))

    def _tie(self, pairs: _Pairs) -> Iterator[npt.NDArray[np.int64]]:
        """Tie the chains of near pairs together; tell the pairs refused."""
        for start in range(0, len(pairs), self._at_once):
            block = pairs[start : start + self._at_once]
            found, refused = self._compared(block[self._heads[block[:, 0]] != self._heads[block[:, 1]]])
            yield refused
            for one, other in found.tolist():
                first, second = sorted((self._first(one), self._first(other)))
                self._heads[second] = first
            while (self._heads != (further := self._heads[self._heads])).any():
                self._heads = further

    def _first(self, at: int) -> int:
        while self._heads[at] != at:
            at = int(self._heads[at])
        return at


class Signatures(NamedTuple):
    """What the search goes by, of n texts."""

    minima: npt.NDArray[np.uint32]
    """The least value that each permutation gives a text's shingles. (n, PERMUTATIONS)"""
    keys: npt.NDArray[np.uint32]
    """One hash of each band's minima. (bands, n)"""
    shingles: int
    """How many there are in all."""

    def put_in_order(self, order: Sequence[int]) -> None:
        """Let text i be the one that was at `order[i]`."""
        places = np.asarray(order)
        for column in range(PERMUTATIONS):
            self.minima[:, column] = self.minima[places, column]
        for keys in self.keys:
            keys[:] = keys[places]


def _signatures(texts: Sequence[Text], bands: _Bands, seed: int) -> Signatures:
    numbers = np.random.default_rng(seed).integers(0, 1 << 32, (2, PERMUTATIONS), np.uint32)
    factors, shifts = numbers[0] | np.uint32(1), numbers[1]
    minima = np.empty((len(texts), PERMUTATIONS), np.uint32)
    keys = np.empty((bands.number, len(texts)), np.uint32)
    start = total = 0
    for block in _blocks(texts):
        end = start + len(block)
        shingles, rows = _shingled(block)
        short = (shingles.hashes >> _HALF).astype(np.uint32)
        begins = shingles.starts[rows[:-1]]
        columns = np.empty((PERMUTATIONS, len(block)), np.uint32)
        permuted = np.empty_like(short)
        for at in range(PERMUTATIONS):
            np.multiply(short, factors[at], out=permuted)
            permuted += shifts[at]
            np.minimum.reduceat(permuted, begins, out=columns[at])
        for band in range(bands.number):
            key = np.zeros(len(block), np.uint64)
            for row in columns[band * bands.rows : (band + 1) * bands.rows]:
                key = key * _OTHER + row
            keys[band, start:end] = mixed(key) >> _HALF
        minima[start:end] = columns.T
        start = end
        total += len(short)
    return Signatures(minima, keys, total)


def _shingled(texts: Sequence[Text]) -> tuple[Shingles, Places]:
    """The shingles of all parts, other for each part of a text; text i has the parts `rows[i]:rows[i + 1]`."""
    split = [(text,) if isinstance(text, str) else text for text in texts]
    counts = np.fromiter(map(len, split), np.int64, len(split))
    if not counts.all():
        raise ValueError("a text needs one part at least")
    shingles = shingles_of(words_of([part for parts in split for part in parts]), SHINGLE)
    rows = np.concatenate(([0], np.cumsum(counts)))
    if rows[-1] > len(split):
        number = np.arange(rows[-1]) - np.repeat(rows[:-1], counts)
        told = np.repeat(number, np.diff(shingles.starts)).astype(np.uint64)
        shingles = Shingles(shingles.hashes + told * _OTHER, shingles.starts)
    return shingles, rows


def _similarities(texts: Sequence[Text], pairs: _Pairs) -> npt.NDArray[np.float64]:
    """The true similarity of each pair: the texts are read again and their shingles counted."""
    wanted, places = np.unique(pairs, return_inverse=True)
    parts: list[list[set[int]]] = []
    for block in _blocks(texts[at] for at in wanted.tolist()):
        shingles, rows = _shingled(block)
        sets = shingles.sets()
        parts += [sets[start:end] for start, end in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True)]
    return np.array([_jaccard(parts[one], parts[other]) for one, other in places.reshape(-1, 2).tolist()])


def _jaccard(one: list[set[int]], other: list[set[int]]) -> float:
    if len(one) != len(other):
        return 0.0
    shared = ((len(a & b), len(a), len(b)) for a, b in zip(one, other, strict=True))
    return min(both / (a + b - both) for both, a, b in shared)


def _blocks(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """As many texts at a time as fit into a bounded room (or one that alone is larger)."""
    block: list[Text] = []
    chars = 0
    for text in texts:
        block.append(text)
        chars += len(text) if isinstance(text, str) else sum(map(len, text))
        if len(block) == _BLOCK_TEXTS or chars >= _BLOCK_CHARS:
            yield block
            block, chars = [], 0
    if block:
        yield block


def _starts(sizes: Places) -> Places:
    return np.cumsum(sizes) - sizes


def _in_sorted(values: npt.NDArray[np.int64], ordered: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which values are among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.equal(ordered[at], values)
