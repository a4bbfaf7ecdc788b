"""Names of people: by lists of names, by what stands around them, by the shape of surnames.

A run of capitalised words is told apart word by word, and counts where enough of it is a name. A title, a greeting, a
signature or "my name is" vouches for a name that no list knows.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from string import ascii_uppercase
from typing import NamedTuple

import regex

from tunewright.data.redact import cues
from tunewright.data.redact.names import names
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import (
    CAPITALISED,
    NOT_AFTER_NAME,
    NOT_BEFORE_NAME,
    capitals,
    matches,
    name_signs,
)

_PART_WORDS = (
    "van von der den de ten ter la las los del della da di do dos das du le bin binti ibn al el y av af zu"
)
_PARTS = frozenset(_PART_WORDS.split())
_OF_PEOPLE = frozenset(("van", "von", "ten", "ter", "bin", "binti", "ibn"))
"""Small parts that stand in people's names and hardly in those of places."""
_SMALL = rf"(?:(?:{_PART_WORDS.replace(' ', '|')})[ ]){{0,2}}+"
_DOT = r"(?:(?<=(?<!\p{L})(?:\p{Lu}|Jr|Sr|St))\.(?=[ ]\p{Lu}))?+"
"""The dot of an initial; any other ends the run."""
_RUN = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}_@\#/\\.-]){cues.NAME}{_DOT}"
    rf"(?:[ ]{{1,2}}{_SMALL}{cues.NAME}{_DOT}){{0,6}}+(?![\p{{L}}\p{{N}}_@+=]|[/\\]\p{{L}})"
)
_WORD = regex.compile(r"[\p{L}\p{M}'’-]+")
_TAILS = frozenset(("II", "III", "IV", "Jr", "Sr", "MD", "PhD", "DDS", "DVM", "Esq"))
_DOTTED = frozenset((*ascii_uppercase, "Jr", "Sr", "St"))
_FULL_STOP = ord(".")
_LOOK_BACK = 60
_ENOUGH = 0.5
"""From here on the words speak for themselves."""
_SHORTEST_SMALL = 4
_REMEMBERED, _LONGEST_REMEMBERED = 1 << 15, 40
_JOINS_BEFORE, _JOINS_AFTER = (", ", "and ", "& "), (", ", " and ", " & ")


def _by_signs(texts: Iterable[str], of: slice) -> dict[str, tuple[str, ...]]:
    """Texts by their first or last two signs, in which few of them agree: one look finds those that may stand there."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        found[text[of]] = (*found.get(text[of], ()), text)
    return found


_BEFORE_BY_SIGNS = _by_signs((*_JOINS_BEFORE, *cues.SPOKEN_TAILS), slice(-2, None))
_AFTER_BY_SIGNS = _by_signs((*_JOINS_AFTER, *cues.AFTER_HEADS), slice(2))
"""What stands beside a word that its surroundings make a name."""


class _Word(NamedTuple):
    start: int
    end: int
    what: str
    """F or f a first name, L or l a surname (small: an ordinary word too), S shaped like a surname, I an initial,
    U unknown, P a small part ("de"), V one of people ("van"), T a tail ("Jr"), W an ordinary word."""
    last: bool = False
    """Whether it ends a name: a possessive."""
    of_place: bool = False
    """Whether it makes what stands before it no person: an ordinary word of `cues.PLACES`."""


class _Stretch(NamedTuple):
    """What may be a name in a run of capitalised words, by these words alone. Places are counted from the run's start."""

    start: int
    end: int
    sure: float
    rule: str
    words: tuple[_Word, ...]


def find_people(text: str) -> Iterator[Span]:
    """People's names, in whole runs: first names, initials, surnames."""
    for start, end in _runs(text):
        written = text[start:end]
        read = _read if end - start <= _LONGEST_REMEMBERED else _read_anew
        for stretch in read(written, text.startswith(".", end)):
            first, last, sure, rule = start + stretch.start, start + stretch.end, stretch.sure, stretch.rule
            if sure < _ENOUGH:
                if not _may_be_name(text, first, last, len(stretch.words)):
                    continue
                sure, rule = max(
                    _vouched(text, first, last, stretch.words),
                    _by_surroundings(text, first, last, stretch.words),
                )
            if sure:
                yield Span(Kind.PERSON, first, last, rule, sure)
    yield from _in_small_letters(text)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Where the matches of _RUN begin and end, but for ordinary words by themselves: most are."""
    if not text.isascii():
        yield from (run.span() for run in matches(_RUN, text, capitals(text)))
        return
    signs, at = name_signs(text), 0
    for words in CAPITALISED.finditer(signs):
        start, end = words.span()
        goes_on, dotted = words.lastindex is not None, signs[end] == _FULL_STOP
        if not (goes_on or dotted):
            written = text[start:end]
            if written in _ordinary or (written in _unsure and not _may_be_name(text, start, end, 1)):
                continue
        if start < at or (start and signs[start - 1] in NOT_BEFORE_NAME):
            start = signs.find(b" A", max(start, at), end) + 1
            if not start:
                continue
        if goes_on or (dotted and text[start:end].rpartition(" ")[2] in _DOTTED):
            for run in _runs_within(text, signs, start, end):
                yield run
                at = run[1]
        elif signs[end] not in NOT_AFTER_NAME:
            yield start, end
            at = end


def _runs_within(text: str, signs: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The runs that begin with one of some words, and may go on behind them."""
    begins = [start, *(place + 1 for place in range(start, end) if signs.startswith(b" A", place))]
    yield from (run.span() for run in matches(_RUN, text, begins))


def _read_anew(written: str, dotted: bool) -> tuple[_Stretch, ...]:
    """What may be names in a run of capitalised words, behind which a dot stands or not."""
    found = []
    for words in _stretches(_told(written, dotted)):
        sure, rule = _weighed(words)
        found.append(_Stretch(words[0].start, words[-1].end, sure, rule, tuple(words)))
    if not dotted and written.isalpha() and len(written) <= _LONGEST_REMEMBERED:
        met = _unsure if found else _ordinary
        if not (found and found[0].sure) and len(met) < _REMEMBERED:
            met.add(written)
    return tuple(found)


_read = lru_cache(maxsize=1 << 14)(_read_anew)
"""The same, of short runs: a text says most of its words more than once."""
_ordinary = set[str]()
"""Words met that are no names."""
_unsure = set[str]()
"""Words met that are names only where something beside them says so."""


@lru_cache(maxsize=1 << 14)
def _alone(written: str) -> str:
    """What a run of one word is."""
    return "T" if written in _TAILS else _classed(written)


def _told(run: str, dotted: bool) -> Iterator[_Word]:
    """The words of a run, each with what it may be."""
    end = len(run)
    for match in _WORD.finditer(run):
        written, (first, last) = match[0], match.span()
        possessive = written.endswith(("'s", "’s"))
        if possessive:
            written, last = written[:-2], last - 2
        if len(written) == 1:
            before_dot = dotted if last == end else run[last] == "."
            article = written in "IA" and not before_dot and (first == 0 or last == end)
            yield _Word(first, last, "W" if article else "I")
        elif not written[0].isupper() or (first > 0 and last < end and written.casefold() in _PARTS):
            yield _Word(first, last, "V" if written.casefold() in _OF_PEOPLE else "P")
        elif first > 0 and written.casefold() in cues.PLACES:
            yield _Word(first, last, "W", possessive, of_place=True)
        else:
            yield _Word(first, last, _alone(written), possessive)


def _classed(written: str) -> str:
    word, known = written.casefold(), names()
    if written.isupper():
        plain = len(written) > _SHORTEST_SMALL - 1 and word not in known.words
        return "f" if plain and word in known.first else "l" if plain and word in known.last else "W"
    ordinary = word in known.words or cues.CAMEL.search(written) is not None
    if word in known.first:
        return "f" if ordinary else "F"
    if word in known.last:
        return "l" if ordinary else "L"
    if ordinary or "'" in written[-3:-1] or "’" in written[-3:-1]:
        return "W"  # don't, we'll
    halves = word.split("-")
    if len(halves) > 1 and not known.words.isdisjoint(halves):
        return "W"
    if len(halves) > 1 and any(half in known.first or half in known.last for half in halves):
        return "F" if halves[0] in known.first else "L"
    return "S" if cues.SHAPED.search(word) else "U"


def _may_be_name(text: str, start: int, end: int, words: int) -> bool:
    """Whether something beside these words, which are no name by themselves, may make them one."""
    after, before = _AFTER_BY_SIGNS.get(text[end : end + 2]), _BEFORE_BY_SIGNS.get(text[start - 2 : start])
    return (
        (after is not None and text.startswith(after, end))
        or (before is not None and text.endswith(before, 0, start))
        or (words > 1 and "\n" in text)
        or cues.may_vouch(text, max(0, start - _LOOK_BACK), start)
    )


def _stretches(words: Iterator[_Word]) -> Iterator[list[_Word]]:
    """What lies between ordinary words, without initials and small parts at the ends."""
    stretch: list[_Word] = []
    for word in words:
        if word.what != "W":
            stretch.append(word)
        if word.what == "W" or word.last:
            if not word.of_place:
                yield from _trimmed(stretch)
            stretch = []
    yield from _trimmed(stretch)


def _trimmed(stretch: list[_Word]) -> Iterator[list[_Word]]:
    while stretch and stretch[-1].what in "PVI":
        stretch.pop()
    while stretch and stretch[0].what in "PVT":
        stretch.pop(0)
    if any(word.what not in "PVIT" for word in stretch):
        yield stretch


def _weighed(stretch: list[_Word]) -> tuple[float, str]:
    """How sure the words themselves make it, and by which rule."""
    what = "".join(word.what for word in stretch if word.what not in "PT")
    if len(what) == 1:
        return {"F": (0.65, "first_name"), "L": (0.55, "surname"), "S": (0.5, "surname_shape")}.get(
            what, (0.0, "")
        )
    of_people = "V" in what
    what = what.replace("V", "")
    full = what.replace("I", "")
    if full[0] == "F":
        return 0.85, "full_name"
    if len(full) > 1 and (full[-1] in "LS" or of_people):
        return 0.7, "full_name"
    if "I" in what[1:-1] or (what[0] == "I" and full[-1] in "LSF"):
        return 0.65, "initial"
    if "F" in full or "L" in full or (full[0] == "f" and full[-1] in "lU" and len(full) > 1):
        return 0.5, "full_name"
    return 0.0, ""


def _vouched(text: str, start: int, end: int, stretch: tuple[_Word, ...]) -> tuple[float, str]:
    """How sure what stands before it makes it."""
    if not cues.may_vouch(text, max(0, start - _LOOK_BACK), start):
        return 0.0, ""
    before = cues.BEFORE.search(text, max(0, start - _LOOK_BACK), start)
    rule = before.lastgroup if before is not None else None
    if rule is None:
        return 0.0, ""
    kinds = {word.what for word in stretch}
    if rule == "by":
        begin = start - stretch[0].start  # of the run
        ordinary = any(cues.ENGLISH.search(text, begin + word.start, begin + word.end) for word in stretch)
        counts = len(stretch) > 1 and kinds <= set("USPVIT") and not ordinary
    else:
        alone = text[end : end + 1] in ("", ",", "\n", "!", ".", ":", ";")
        counts = alone or rule in ("title", "named", "kin") or not kinds.isdisjoint("FLS")
    return (cues.VOUCHERS[rule][0], rule) if counts else (0.0, "")


def _by_surroundings(text: str, start: int, end: int, stretch: tuple[_Word, ...]) -> tuple[float, str]:
    """Words that no list knows, or knows as something else too: a person where what stands beside them says so."""
    after = cues.AFTER.match(text, end) if text.startswith(cues.AFTER_HEADS, end) else None
    rule = after.lastgroup if after is not None else None
    said = text.endswith(cues.SPOKEN_TAILS, max(0, start - 14), start)
    if rule in ("says", "speaks") or (said and cues.SPOKEN.search(text, max(0, start - 14), start)):
        return 0.6, "speaks"
    if not all(word.what in "USPVIT" for word in stretch):
        return 0.0, ""
    ordinary = len(stretch) == 1 and cues.ENGLISH.search(text, start, end) is not None
    if rule is not None and not ordinary:
        return 0.5, "surroundings"
    on_line = len(stretch) in (2, 3) and "\n" in text and cues.LINE_END.match(text, end)
    if on_line and cues.LINE_START.search(text, max(0, start - 12), start):
        return 0.5, "line"
    joined = text.endswith(_JOINS_BEFORE, 0, start)
    beside = (
        cues.BESIDE_BEFORE.search(text, max(0, start - 30), start) if joined else None,
        cues.BESIDE_AFTER.match(text, end) if text.startswith(_JOINS_AFTER, end) else None,
    )
    if any(match is not None and len(match[1]) > 1 and _classed(match[1]) in "FL" for match in beside):
        return 0.5, "beside"
    return 0.0, ""


def _in_small_letters(text: str) -> Iterator[Span]:
    """ "my name is john smith"; and first names in a text that has no capitals at all."""
    known = names()
    for match in cues.in_small(text):
        kept: list[regex.Match[str]] = []
        for word in _WORD.finditer(text, match.start(1), match.end(1)):
            name = word[0].casefold()
            if name in known.words or not (kept or name in known.first or name in known.last):
                break
            kept.append(word)
        if kept and kept[0][0].islower():
            yield Span(Kind.PERSON, kept[0].start(), kept[-1].end(), "named_small", 0.6)
    if text.islower():
        for word in _WORD.finditer(text):
            name = word[0].removesuffix("'s")
            if len(name) >= _SHORTEST_SMALL and name in known.first and name not in known.words:
                yield Span(Kind.PERSON, word.start(), word.start() + len(name), "first_name_small", 0.5)
