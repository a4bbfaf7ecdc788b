"""Which words of the finders stand in a text: one look for all of them, so that most patterns need not be tried.

    NEAR = hint_words("phone", "fax")            # told once, when a finder is loaded
    if not hints_in(text).isdisjoint(NEAR): ...

A look for one word takes about a millisecond a megabyte, and so does one for two hundred (Aho and Corasick 1975).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from tunewright.data.redact.starts import folded

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_words: dict[str, None] = {}


def hint_words(*words: str | Iterable[str]) -> frozenset[str]:
    """Words in small letters that will be looked for, parts of longer ones too."""
    told = [word for some in words for word in ((some,) if isinstance(some, str) else some)]
    _words.update(dict.fromkeys(told))
    return frozenset(told)


@lru_cache(maxsize=4)
def hints_in(text: str) -> frozenset[str]:
    """All that was told to `hint_words` and stands in a text, letter case aside."""
    return among(folded(text))


def among(plain: str) -> frozenset[str]:
    """All that stands in a text as it is written."""
    words, search = _search(len(_words))
    try:
        found = search.find_matches_as_indexes(plain, overlapping=True)
    except UnicodeEncodeError:  # half of a surrogate pair, which is in no word
        found = search.find_matches_as_indexes(plain.encode("utf-8", "replace").decode(), overlapping=True)
    return frozenset([words[one[0]] for one in found])


@lru_cache(maxsize=1)
def _search(known: int) -> tuple[tuple[str, ...], "AhoCorasick"]:
    from ahocorasick_rs import AhoCorasick, Implementation

    words = tuple(_words)
    return words, AhoCorasick(words, implementation=Implementation.DFA)
