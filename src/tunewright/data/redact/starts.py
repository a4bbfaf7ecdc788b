"""Where a pattern can begin, so that it is tried there and nowhere else.

    for match in matches(_PATTERN, text, digit_runs(text)): ...

finds what `_PATTERN.finditer(text)` does, where every match of the pattern begins at one of the places. A pattern that
begins with a look behind is tried by its engine at every letter of a text: twenty such patterns are what a search for
personal data would mostly do. Texts of ASCII, as most are, are looked over as bytes of a few classes, at memory speed.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import merge
from itertools import groupby
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import TypeVar

import regex

_ANY_RUN, _ANY_CAPITAL = regex.compile(r"\d+"), regex.compile(r"\p{Lu}")


def _classed(classes: dict[str, str], other: str, beyond: str = " ") -> bytes:
    """A table for `bytes.translate`: signs of ASCII → their class, `other` for those not named, `beyond` for other bytes."""
    named = {sign: kind for signs, kind in classes.items() for sign in signs}
    return bytes(ord(named.get(chr(code), other)) for code in range(128)).ljust(256, beyond.encode())


_DIGITS = _classed({digits: "0"}, " ")
_RUN = re.compile(b"00*")
_LONG_NUMBER = re.compile(r"\d(?:[ ()./-]{0,3}\d){5}")
_SIGNS = _classed(
    {ascii_uppercase: "A", ascii_lowercase: "a", digits + "_@": "x", "+=": "+", "/\\": "/", " ": " "}
    | {sign: sign for sign in ".'-#"},
    ",",
)
CAPITALISED = re.compile(rb"A[Aa]*+(?: {1,2}+A[Aa]*+){0,6}+(?:(?=['\-/][Aa]| {1,2}+(?:a{1,5}+ ){0,2}A)())?+")
"""Capitalised words, in `name_signs`; its group says that a name may go on behind them."""
NOT_BEFORE_NAME, NOT_AFTER_NAME = b"Aax.-#/", b"x+"
"""What stands right before no name, and what right behind none, in `name_signs`."""
_SHORT = 10_000
"""Characters of a text whose places need not be packed, which takes a microsecond."""
_TOKENS = _classed({ascii_letters + digits + "_.:+/=-": "x"}, " ", "x")
LONG_TOKEN = 20
"""Signs that every marked token has."""
_LONG_TOKEN = b"x" * LONG_TOKEN
_ANY_TOKEN = re.compile(b"%b+" % _LONG_TOKEN)


HELD, LONGEST_HELD = 64, 2000
"""So many texts of so many characters are looked over side by side: what was seen of them is held."""
T = TypeVar("T")
_forget = list[Callable[[], None]]()


def held(look: Callable[[str], T]) -> Callable[[str], T]:
    """A look at a text that is not done again while its finders are at work."""
    looked = lru_cache(maxsize=HELD)(look)
    _forget.append(looked.cache_clear)
    return looked


def forget() -> None:
    """Let go of what is held: of texts of megabytes that is much."""
    for clear in _forget:
        clear()


@held
def digit_runs(text: str) -> Sequence[int]:
    """Where each run of digits begins."""
    ascii_alone = text.isascii()
    found = _RUN.finditer(text.encode().translate(_DIGITS)) if ascii_alone else _ANY_RUN.finditer(text)
    if len(text) <= _SHORT:
        return [match.start() for match in found]
    return packed(match.start() for match in found)


@held
def digit_count(text: str) -> int:
    """How many digits stand in it."""
    if text.isascii():
        return text.encode().translate(_DIGITS).count(b"0")
    return sum(map(len, _ANY_RUN.findall(text)))


@held
def long_numbers(text: str) -> Sequence[int]:
    """Where those runs of digits begin after which six digits come with no more than three signs between each two."""
    return beginning(_LONG_NUMBER, text, digit_runs(text))


def beginning(pattern: "re.Pattern[str]", text: str, places: Sequence[int]) -> Sequence[int]:
    """Those of these places at which a pattern begins."""
    if len(text) <= _SHORT:
        return [place for place in places if pattern.match(text, place)]
    return packed(place for place in places if pattern.match(text, place))


def before(places: Sequence[int], signs: int) -> Sequence[int]:
    """So many signs before each of these places."""
    return packed(place - signs for place in places if place >= signs) if places else ()


def packed(found: Iterable[int]) -> Sequence[int]:
    """Places in a text, four bytes each: a text of megabytes may be nothing but numbers, and the last few are held."""
    return array("I", found)


def capitals(text: str) -> list[int]:
    """Where a word may begin with a capital letter."""
    return [match.start() for match in _ANY_CAPITAL.finditer(text)]


def name_signs(text: str) -> bytes:
    """A text of ASCII as CAPITALISED reads it, letter by letter, and one more at its end."""
    return text.encode().translate(_SIGNS) + b","


def long_tokens(text: str) -> str:
    """In small letters and with a blank between, what of a text may be a part of a token: where LONG_TOKEN and more letters,
    digits and signs of tokens (_.:+/=-) stand together."""
    written = text.encode("utf-8", "surrogatepass")
    signs = written.translate(_TOKENS)
    if _LONG_TOKEN not in signs:
        return ""
    found = b" ".join(written[slice(*match.span())] for match in _ANY_TOKEN.finditer(signs))
    return found.decode("utf-8", "surrogatepass").lower()


@held
def folded(text: str) -> str:
    """The text in small letters, as a search without regard to case sees it; it may be longer than the text."""
    return small(text)


def small(text: str) -> str:
    """The same of a part of a text, which is not remembered."""
    return text.casefold().replace("ı", "i")


def matches(pattern: "re.Pattern[str]", text: str, starts: Iterable[int]) -> Iterator["re.Match[str]"]:
    """The matches of a pattern that begin at one of `starts`, in order, without overlaps. Patterns of `regex` do too."""
    at = 0
    for start in starts:
        if start >= at and (match := pattern.match(text, start)) is not None:
            yield match
            at = match.end()


def occurrences(text: str, words: Iterable[str]) -> Sequence[int]:
    """Where any of these words begins, in order."""
    if len(text) <= _SHORT:
        return sorted({at for word in words if word in text for at in _occurrences(text, word)})
    return in_order(*(packed(_occurrences(text, word)) for word in words))


def in_order(*places: Sequence[int]) -> Sequence[int]:
    """Places of several looks, each of which has them in order: all of them in order, each once."""
    found = [some for some in places if some]
    if len(found) == 1:
        return found[0]
    if sum(map(len, found)) <= _SHORT:
        return sorted(set().union(*found))
    return packed(place for place, _ in groupby(merge(*found)))


def _occurrences(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)
