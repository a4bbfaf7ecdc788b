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
Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.uint8]

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
_BACK = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
"""_STEP times this is 1, as 64 bits count."""
_POWERS = 1 << 19
"""Powers that are worked out once: as many as a block of text has letters, mostly."""
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Words(NamedTuple):
    """The words of n texts, one text after the other."""

    hashes: Hashes
    """Equal for equal words. (words,)"""
    starts: Places
    """Text i has the words `starts[i]:starts[i + 1]`. (n + 1,)"""
    texts: Sequence[str]

    @property
    def plain(self) -> list[str]:
        """The texts in plain form."""
        return [plain_text(text) for text in self.texts]


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
    """The words of each text. Memory: about 30 bytes for each character."""
    # of ASCII, plain text has the same letters: its blanks are gaps, however many there are
    codes, kinds, ends = _coded([text.lower() if text.isascii() else plain_text(text) for text in texts])
    lettered = kinds == _LETTER
    begins = lettered.copy()
    begins[1:] &= ~lettered[:-1]
    begins |= kinds == _SIGN
    places = np.flatnonzero(begins)
    starts = np.concatenate(([0], np.searchsorted(places, ends)))
    return Words(_word_hashes(codes, kinds, places), starts, texts)


def shingles_of(words: Words, size: int) -> Shingles:
    """The runs of `size` words of each text: one at least."""
    counts = np.diff(words.starts)
    runs = np.maximum(counts - (size - 1), 1)
    starts = np.concatenate(([0], np.cumsum(runs)))
    first = np.arange(starts[-1]) + np.repeat(words.starts[:-1] - starts[:-1], runs)
    end = np.repeat(words.starts[1:], runs)
    padded = np.concatenate((words.hashes, np.zeros(size, np.uint64)))
    hashes = mixed(padded[first] + np.array([size], np.uint64) * _STEP)
    for offset in range(1, size):
        word = np.where(first + offset < end, padded[first + offset], np.uint64(0))
        hashes = mixed(hashes * _STEP + word)
    for at in np.flatnonzero(counts == 0).tolist():
        hashes[starts[at]] = _text_hash(words.texts[at])
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


def _coded(texts: Sequence[str]) -> tuple[Codes, Kinds, Places]:
    """The texts' code points, a line break after each text; their kinds; where each text ends, its line break included."""
    joined = "\n".join([*texts, ""])
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
    if joined.isascii():
        data = joined.encode()
        codes: Codes = np.frombuffer(data, np.uint8)
        kinds = np.frombuffer(bytearray(data.translate(_ascii())), np.uint8)
    else:
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        kinds = _kinds(codes)
    hyphens = np.flatnonzero(codes[1:-1] == _HYPHEN) + 1
    inside = (kinds[hyphens - 1] == _LETTER) & (kinds[hyphens + 1] == _LETTER)
    kinds[hyphens[inside]] = _GAP  # top-up is top up, but -5 is not 5
    return codes, kinds, ends


def mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the result hangs on every bit given."""
    values = values ^ (values >> np.uint64(30))
    values *= _MIX[0]
    values ^= values >> np.uint64(27)
    values *= _MIX[1]
    values ^= values >> np.uint64(31)
    return values


def _word_hashes(codes: Codes, kinds: Kinds, places: Places) -> Hashes:
    """A polynomial in the letters of each word: in those of the whole block, divided by the power at the word's place."""
    if not len(places):
        return np.zeros(0, np.uint64)
    first = int(places[0])
    powers, back = (_powers(base, len(codes) - first) for base in (_STEP, _BACK))
    letters = (codes[first:] * (kinds[first:] != _GAP)).astype(np.uint64)
    letters *= powers
    places = places - first
    sums = np.add.reduceat(letters, places)
    sums *= back[places] * _STEP
    return mixed(sums)


def _powers(base: np.uint64, count: int) -> Hashes:
    """base, base², …"""
    known = _first_powers(int(base))
    return known[:count] if count <= len(known) else np.multiply.accumulate(np.full(count, base, np.uint64))


@cache
def _first_powers(base: int) -> Hashes:
    return np.multiply.accumulate(np.full(_POWERS, base, np.uint64))


def _kinds(codes: Codes) -> Kinds:
    """Whether each code point is of a gap, a word, or is a word by itself."""
    table = _table()
    kinds = table[codes]
    if (unknown := kinds == _UNKNOWN).any():
        for code in np.unique(codes[unknown]).tolist():
            table[code] = _kind(code)
        kinds = table[codes]
    return kinds


@cache
def _ascii() -> bytes:
    """The kind of each ASCII character, for `bytes.translate`."""
    return bytes(map(_kind, range(128))).ljust(256, bytes([_UNKNOWN]))


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


def _text_hash(text: str) -> int:
    """Of a text without a word, which may say something all the same; most say nothing."""
    if not text:
        return _nothing()
    plain = plain_text(text).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(plain, digest_size=8).digest())


@cache
def _nothing() -> int:
    return int.from_bytes(hashlib.blake2b(b"", digest_size=8).digest())
