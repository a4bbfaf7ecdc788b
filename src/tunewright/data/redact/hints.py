"""Which words of the finders stand in a text: one look for all of them, so that most patterns need not be tried.

    NEAR = hint_words("phone", "fax")            # told once, when a finder is loaded
    if not hints_in(text).isdisjoint(NEAR): ...

All of them together take some milliseconds a megabyte, as two or three by themselves would (Aho and Corasick 1975).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from tunewright.data.redact.starts import folded, held

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_words: dict[str, None] = {}
_BLOCK = 1 << 16
"""Characters that are looked over at once: each find takes a hundred bytes, and a text may be nothing but finds."""


def hint_words(*words: str | Iterable[str]) -> frozenset[str]:
    """Words in small letters that will be looked for, parts of longer ones too."""
    told = [word for some in words for word in ((some,) if isinstance(some, str) else some)]
    _words.update(dict.fromkeys(told))
    return frozenset(told)


@held
def hints_in(text: str) -> frozenset[str]:
    """All that was told to `hint_words` and stands in a text, letter case aside."""
    return among(folded(text))


def among(plain: str) -> frozenset[str]:
    """All that stands in a text as it is written."""
    if len(plain) <= _BLOCK:
        return frozenset(_within(plain))
    longer = _BLOCK + max(map(len, _words))  # a word may lie across the end of a block
    blocks = range(0, len(plain), _BLOCK)
    return frozenset().union(*(_within(plain[at : at + longer]) for at in blocks))


def _within(plain: str) -> set[str]:
    search = _search(len(_words))
    try:
        return set(search.find_matches_as_strings(plain, overlapping=True))
    except UnicodeEncodeError:  # half of a surrogate pair, which is in no word
        return set(
            search.find_matches_as_strings(plain.encode("utf-8", "replace").decode(), overlapping=True)
        )


@lru_cache(maxsize=1)
def _search(known: int) -> "AhoCorasick":
    from ahocorasick_rs import AhoCorasick, Implementation

    return AhoCorasick(tuple(_words), implementation=Implementation.DFA)
