"""Words and shingles of many texts at once, as 64-bit hashes in numpy arrays.

A **word** is a run of letters, digits and marks of the text in plain form (`plain_text` of data/normal.py). In scripts that
write no blanks (Chinese, Japanese, Thai, …) every letter is a word; so is every sign but the punctuation of prose, since
`a > b` and `a < b` say different things. A **shingle** is a run of `size` words, and a text of fewer words is one shingle. A
text without any word is one shingle, its plain form.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.data.normal import plain_text

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_GAP, _LETTER, _SIGN, _UNKNOWN = 0, 1, 2, 255
_PROSE = frozenset(".,;:!?\"'()[]{}_…¿¡。、，")
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Chinese characters
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_HYPHEN = ord("-")
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Words(NamedTuple):
    """The words of n texts, one text after the other."""

    hashes: Hashes
    """Equal for equal words. (words,)"""
    starts: Places
    """Text i has the words `starts[i]:starts[i + 1]`. (n + 1,)"""
    plain: list[str]
    """The texts in plain form."""


class Shingles(NamedTuple):
    """The shingles of n texts, one text after the other; a shingle that a text repeats stands there again."""

    hashes: Hashes
    """Equal for equal shingles. (shingles,)"""
    starts: Places
    """Text i has the shingles `starts[i]:starts[i + 1]`. (n + 1,)"""

    def sets(self) -> list[set[int]]:
        """The shingles of each text."""
        found = self.hashes.tolist()
        ends = self.starts.tolist()
        return [set(found[start:end]) for start, end in pairwise(ends)]


def words_of(texts: Sequence[str]) -> Words:
    """The words of each text. Memory: about 50 bytes for each character."""
    plain = [plain_text(text) for text in texts]
    codes, kinds, ends = _coded(plain)
    lettered = kinds == _LETTER
    begins = lettered.copy()
    begins[1:] &= ~lettered[:-1]
    begins |= kinds == _SIGN
    places = np.flatnonzero(begins)
    starts = np.concatenate(([0], np.searchsorted(places, ends)))
    return Words(_word_hashes(codes, kinds, places), starts, plain)


def shingles_of(words: Words, size: int) -> Shingles:
    """The runs of `size` words of each text: one at least."""
    counts = np.diff(words.starts)
    runs = np.maximum(counts - (size - 1), 1)
    starts = np.concatenate(([0], np.cumsum(runs)))
    first = np.arange(starts[-1]) + np.repeat(words.starts[:-1] - starts[:-1], runs)
    end = np.repeat(words.starts[1:], runs)
    padded = np.concatenate((words.hashes, np.zeros(size, np.uint64)))
    hashes = np.full(starts[-1], size, np.uint64)
    for offset in range(size):
        word = np.where(first + offset < end, padded[first + offset], np.uint64(0))
        hashes = mixed(hashes * _STEP + word)
    for at in np.flatnonzero(counts == 0):
        hashes[starts[at]] = _text_hash(words.plain[at])
    return Shingles(hashes, starts)


def letters_of(plain: Sequence[str], size: int) -> Shingles:
    """The runs of `size` letters of each text in plain form: its words with one blank before, between and after them.

    A text may have none.
    """
    codes, kinds, ends = _coded(plain)
    kept = kinds != _GAP
    kept[1:] |= kept[:-1]
    kept[ends - 1] = True  # a text's end, and the next one's beginning
    places = np.flatnonzero(kept)
    closing = np.zeros(len(codes), bool)
    closing[ends - 1] = True
    last = closing[places]
    doubled = (kinds[places] == _GAP) & ~last & np.append(last[1:], False)
    places, last = places[~doubled], last[~doubled]
    stream = np.concatenate(([0], np.where(kinds == _GAP, 0, codes)[places])).astype(np.uint64)
    closes = np.flatnonzero(last) + 1  # where a text's closing blank stands in the stream
    opens = np.concatenate(([0], closes[:-1]))
    runs = np.maximum(closes - opens + 2 - size, 0)
    starts = np.concatenate(([0], np.cumsum(runs)))
    first = np.arange(starts[-1]) + np.repeat(opens - starts[:-1], runs)
    hashes = np.zeros(starts[-1], np.uint64)
    for offset in range(size):
        hashes = hashes * _STEP + stream[first + offset]
    return Shingles(mixed(hashes), starts)


def _coded(plain: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8], Places]:
    """The texts' code points, a line break after each text; their kinds; where each text ends, its line break included."""
    joined = "\n".join([*plain, ""])  # plain text holds no line break
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, plain), np.int64, len(plain))
    return codes, _kinds(codes), np.cumsum(lengths + 1)


def mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the result hangs on every bit given."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


def _word_hashes(codes: npt.NDArray[np.uint32], kinds: npt.NDArray[np.uint8], places: Places) -> Hashes:
    """A polynomial in the letters of each word."""
    if not len(places):
        return np.zeros(0, np.uint64)
    lengths = np.diff(np.concatenate((places, [len(codes)])))
    within = np.arange(places[0], len(codes)) - np.repeat(places, lengths)
    powers = np.multiply.accumulate(np.full(int(within.max()) + 1, _STEP, np.uint64))
    letters = np.where(kinds == _GAP, 0, codes).astype(np.uint64)[places[0] :] * powers[within]
    return mixed(np.add.reduceat(letters, places - places[0]))


def _kinds(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """Whether each code point is of a gap, a word, or is a word by itself."""
    table = _table()
    kinds = table[codes]
    if (unknown := kinds == _UNKNOWN).any():
        for code in np.unique(codes[unknown]).tolist():
            table[code] = _kind(code)
        kinds = table[codes]
    hyphens = np.flatnonzero(codes[1:-1] == _HYPHEN) + 1
    inside = (kinds[hyphens - 1] == _LETTER) & (kinds[hyphens + 1] == _LETTER)
    kinds[hyphens[inside]] = _GAP  # top-up is top up, but -5 is not 5
    return kinds


@cache
def _table() -> npt.NDArray[np.uint8]:
    return np.full(0x110000, _UNKNOWN, np.uint8)


def _kind(code: int) -> int:
    sign = chr(code)
    category = unicodedata.category(sign)
    if category[0] in "ZC" or sign in _PROSE:
        return _GAP
    if category[0] not in "LNM":
        return _SIGN
    return _SIGN if any(first <= code <= last for first, last in _UNSPACED) else _LETTER


def _text_hash(plain: str) -> int:
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest())
