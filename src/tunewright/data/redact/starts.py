"""Where a pattern can begin, so that it is tried there and nowhere else.

    for match in matches(_PATTERN, text, digit_runs(text)): ...

finds what `_PATTERN.finditer(text)` does, where every match of the pattern begins at one of the places. A pattern that
begins with a look behind is tried by its engine at every letter of a text: twenty such patterns are what a search for
personal data would mostly do. Texts of ASCII, as most are, are looked over as bytes of a few classes, at memory speed.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex

_RUN, _CAPITAL = re.compile(b"00*"), re.compile(b" A")
_ANY_RUN, _ANY_CAPITAL = regex.compile(r"\d+"), regex.compile(r"\p{Lu}")
_DIGITS = bytes(ord("0") if 48 <= code <= 57 else 32 for code in range(256))
_NAMES = bytes(
    ord("A") if chr(code).isupper() else ord("x") if chr(code).isalnum() or chr(code) in "_@#/\\.-" else 32
    for code in range(128)
).ljust(256)
_TOKENS = bytes(
    ord("x") if code > 127 or chr(code).isalnum() or chr(code) in "_.:+/=-" else 32 for code in range(256)
)


@lru_cache(maxsize=4)
def digit_runs(text: str) -> tuple[int, ...]:
    """Where each run of digits begins."""
    if text.isascii():
        return tuple([match.start() for match in _RUN.finditer(text.encode().translate(_DIGITS))])
    return tuple([match.start() for match in _ANY_RUN.finditer(text)])


@lru_cache(maxsize=4)
def digit_count(text: str) -> int:
    """How many digits stand in it."""
    if text.isascii():
        return text.encode().translate(_DIGITS).count(b"0")
    return sum(map(len, _ANY_RUN.findall(text)))


def capitals(text: str) -> list[int]:
    """Where a word may begin with a capital letter; in texts of ASCII only those with no sign of a name or path before."""
    if text.isascii():
        return [match.start() for match in _CAPITAL.finditer(b" " + text.encode().translate(_NAMES))]
    return [match.start() for match in _ANY_CAPITAL.finditer(text)]


def may_hold_token(text: str, length: int) -> bool:
    """Whether so many letters, digits and signs of tokens (_.:+/=-) may stand together; where they do, yes."""
    return b"x" * length in text.encode("utf-8", "surrogatepass").translate(_TOKENS)


@lru_cache(maxsize=4)
def folded(text: str) -> str:
    """The text in small letters, as a search without regard to case sees it; it may be longer than the text."""
    return text.casefold().replace("ı", "i")


def matches(pattern: "re.Pattern[str]", text: str, starts: Iterable[int]) -> Iterator["re.Match[str]"]:
    """The matches of a pattern that begin at one of `starts`, in order, without overlaps. Patterns of `regex` do too."""
    at = 0
    for start in starts:
        if start >= at and (match := pattern.match(text, start)) is not None:
            yield match
            at = match.end()


def occurrences(text: str, words: Iterable[str]) -> list[int]:
    """Where any of these words begins, in order."""
    found = []
    for word in words:
        at = text.find(word)
        while at >= 0:
            found.append(at)
            at = text.find(word, at + 1)
    return sorted(set(found))
