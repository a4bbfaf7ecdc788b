"""Postal addresses: a street with its number, flats, boxes, military mail, and the town and post code that follow."""

import re
from collections.abc import Iterator, Sequence
from string import ascii_letters
from typing import NamedTuple

import regex

from tunewright.data.redact.hints import hint_words, hints_in
from tunewright.data.redact.patterns import one_of
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import digit_runs, folded, in_order, matches, occurrences, packed, small

_WORD = r"\p{Lu}[\p{L}\p{M}'’.-]{0,30}+"
_ANY_WORD = r"\p{L}[\p{L}\p{M}'’.-]{0,30}+"
_NUMBER = r"\d{1,5}(?:[ ]?[a-zA-Z]\b)?(?:[-/]\d{1,4})?"
_SMALL = r"(?:d[aeiou]s?|del(?:la)?|las?|les?|los|al|el|i|van|von|der|den|upon|am|an|l['’]\p{L}+)"
_AFTER = (
    "street st avenue ave road rd boulevard blvd lane ln drive dr court ct square sq place pl terrace ter way parkway pkwy"
    " highway hwy circle cir trail close crescent cres gardens grove mews row loop plaza alley crossing hill rise walk str"
    " strasse straße gate path ridge pass bypass"
)
_BEFORE = (
    "rue chemin impasse allée allee quai via viale piazza corso vicolo largo strada calle c/ avenida avda avda. av. paseo"
    " carrera rua rúa travessa praça praca estrada ul. ulica al. aleja os. pl. postboks"
)
_BEFORE_CAPITAL = "Avenue Boulevard Place Plaza"
"""In small letters these are English words: "12 place settings"."""
_ENDINGS = (
    "straße strasse str. weg platz allee gasse damm ufer straat laan plein gracht kade dreef vej gade stræde gata gatan"
    " vägen gränd veien vegen gaten stien braut vegur katu kuja ntie polku puiestee tänav iela gatvė utca sétány körút"
)
_APART = (
    "tér út útja utca u. rkp. sor tee mnt väg plats vei allé platz weg ring strasse straße kapu str strada trg ulica cesta"
    " náměstí ulice třída"
)


_STREETS = (
    # 12 Long Street, 6400 12 Timms Drive
    rf"{_NUMBER}[ ]+(?:\d{{1,5}}[ ]+)?(?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))[ ]){{1,4}}"
    rf"(?i:{one_of(_AFTER)})\b\.?(?:[ ]\d{{1,4}}\b)?",
    # Rue de Rivoli 12, ul. Jasna 3; then 12 rue de Rivoli
    rf"(?:\d{{1,5}}[ ,]+){{0,2}}(?:{one_of(_BEFORE_CAPITAL)}|(?i:{one_of(_BEFORE)}))[ ]"
    rf"(?:(?:{_WORD}|\d{{1,2}}|{_SMALL})[ ,]+){{1,6}}{_NUMBER}",
    rf"{_NUMBER}[ ,]+(?:\d{{1,5}}[ ]+)?(?:{one_of(_BEFORE_CAPITAL)}|(?i:{one_of(_BEFORE)}))"
    rf"[ ](?:{_WORD}|{_SMALL})(?:[ ](?:{_WORD}|{_SMALL}|[a-z]{{4,15}})){{0,4}}",
    # Bahnhofstraße 12, 28245 Mellemvej 32
    rf"(?:{_NUMBER}[ ]+)?(?:{_WORD}[ ]){{0,2}}\p{{L}}[\p{{L}}-]{{2,25}}(?<={one_of(_ENDINGS)})[ ]{_NUMBER}",
    # Erzsébet tér 19.
    rf"(?:{_NUMBER}[ ]+)?(?:{_WORD}[ ]){{1,3}}(?i:{one_of(_APART)})\.?[ ]{_NUMBER}\.?",
    # the corner of A and B
    rf"(?i:(?:the[ ])?corner[ ]of)[ ]+(?:{_NUMBER}[ ]+)?(?:{_ANY_WORD}[ ]){{1,4}}(?:{_NUMBER}\.?[ ]+)?(?:and|&)[ ]+"
    rf"{_WORD}(?:[ ]{_WORD}){{0,2}}",
    # 28245 Puruntie 82, with a flat or a town behind it
    rf"(?P<bare>\d{{2,5}}[ ]+(?:{_WORD}[ ]){{1,4}}\d{{1,4}}\b)",
)
_STREET = regex.compile(
    rf"(?<![\p{{L}}\d.,$€£/-])(?>{'|'.join(f'(?:{street})' for street in _STREETS)})",
)
_MAY_BEGIN = re.compile(
    r"\d{1,5}(?: ?[a-zA-Z])?(?:[-/]\d{1,4})?[ ,]+(?:\d{1,5}[ ,]+)?(?P<ordinal>\d{0,3})[^\W\d_]"
)
"""What a street begins with that begins with its number: another number perhaps, then a word."""
_MAY_GO_ON = re.compile(
    rf"\d\S*+(?: +(?:[^a-z\s]\S*+|[a-z](?![^\W_])\S*+)){{1,6}} +(?:\d|(?i:{one_of(_AFTER)})\b)"
)
"""How a street of a text of ASCII goes on from its number where none of _BEFORE names it: a letter or another number
perhaps, capitalised words, and then the kind of street or a number."""
_NOT_BEFORE = frozenset(ascii_letters + ".,$€£/-")
_MAYBE = regex.compile(r"\d[a-zA-Z]?[,. ]++(?:\d++[ ])?\p{Lu}|\p{Lu}[\p{L}.'’-]*+[ ]\d")
_MAYBE_SMALL = (
    *(f"{ending} " for ending in _ENDINGS.split()),
    *(f"{word} " for word in _BEFORE.split()),
    "corner of",
)
"""A text that has neither holds no street."""
_STREET_WORDS = tuple({folded(word) for word in (*_ENDINGS.split(), *_APART.split())})
_STREET_TAILS = frozenset(word[-2:] for word in _STREET_WORDS)
_BEFORE_WORDS = hint_words(f"{folded(word)} " for word in (*_BEFORE.split(), *_BEFORE_CAPITAL.split()))
_LONGEST_BEFORE, _LONGEST_ENDING = 44, 20
_FOLLOWS = r"[ \t\n,>]{1,14}"
_UNIT = regex.compile(
    rf"{_FOLLOWS}(?i:apt|apartment|suite|ste|unit|flat|room|floor|fl|whg|appt)\b\.?[ ]?\#?[ ]?\d{{1,5}}[a-zA-Z]?\b"
)
_TOWN = regex.compile(rf"{_FOLLOWS}{_WORD}(?!\w)(?:[ ](?:{_WORD}|{_SMALL})(?!\w)){{0,4}}")
_STATE = regex.compile(_FOLLOWS + r"(?:\p{Lu}{2,3}|\d{2}|nan)(?!\w)")
_CODE = (
    r"(?:\p{Lu}{2}[ ]\d{5}(?:-\d{4})?|\d{4,5}(?:-\d{3,4})?|\p{Lu}{1,2}\d{1,2}\p{Lu}?[ ]?\d\p{Lu}{2}"
    r"|\p{Lu}\d\p{Lu}[ ]?\d\p{Lu}\d|\d{3}[ ]\d{2}|\d{2}-\d{3}|\d{4}[ ]\p{Lu}{2})(?!\w)"
)
_POST_CODE = regex.compile(_FOLLOWS + _CODE)
_MOST_FLATS, _MOST_TOWN_LINES = 3, 4
_BOX = regex.compile(
    r"(?i)(?<!\w)(?:(?:psc|unit)[ ]\d{1,5},?[ ]box[ ]\d{1,5}|us(?:n?s|cgc|nv)[ ]\p{L}++(?=\s{1,3}[adf]po)"
    r"|p\.?[ ]?o\.?[ ]?box[ ]\#?\d{1,6}|postfach[ ]\d{1,6})(?:\s{1,3}[adf]po[ ]a[aep][ ]\d{5})?"
)
_FLAT = regex.compile(r"(?i)(?<!\w)(?:apt|suite|flat)\b\.?[ ]?\#?\d{1,5}[a-z]?\b")
_TOWN_LINE = regex.compile(
    rf"(?<!\p{{L}})(?>{_WORD}(?:[ ]{_WORD}){{0,3}}),[ ]\p{{Lu}}{{2}}[ ]\d{{5}}(?:-\d{{4}})?(?!\w)",
)
_CUES = (
    "address|anschrift|adresse|dirección|direccion|indirizzo|endereço|endereco|lives? at|lives? in|living at|located at"
    "|reside at|ship to|shipped to|moved to|deliver to|delivered to|sent to"
)
_CUE_WORDS = (
    *(
        "address",
        "adresse",
        "anschrift",
        "dirección",
        "direccion",
        "indirizzo",
        "endereço",
        "endereco",
        "lives at",
    ),
    *(
        "live at",
        "lives in",
        "live in",
        "living at",
        "located at",
        "reside at",
        "ship to",
        "shipped to",
        "moved to",
    ),
    *("deliver to", "delivered to", "sent to"),
)
"""In small letters: one of them begins every match of _NAMED."""
_CUE_HINTS = hint_words(_CUE_WORDS)
_CUE_ENDS = tuple(f"{cue}{more}" for cue in _CUE_WORDS for more in ("", " is", " to", " was", " at"))
_NAMED = regex.compile(
    rf"(?i)\b(?:{_CUES})(?:[ ](?:is|to|was|at))?[ ]?:?[ ]{{0,8}}"
    rf"(?P<street>\d{{1,5}}[ ,]+(?:\d{{1,5}}[ ]+)?{_ANY_WORD}(?:[ ]{_ANY_WORD}){{0,3}}[ ]\d{{1,5}}\b)"
)
_NAMED_CODE = regex.compile(
    rf"(?i)(?:zip(?:[ ]?code)?|post(?:al)?[ ]?code|plz)(?:[ ](?:is|to))?[ ]?:?[ ](\d{{3}}|{_CODE})(?!\w)"
)


_CODE_HINTS = hint_words("zip", "post", "plz")
_BOX_HINTS, _FLAT_HINTS = hint_words("box", "postfach"), hint_words("apt", "suite", "flat")
_CORNER, _MILITARY = hint_words("corner"), hint_words("po a")
_HINTS = _BEFORE_WORDS | _CUE_HINTS | _CODE_HINTS | _BOX_HINTS | _FLAT_HINTS | _CORNER | _MILITARY


def find_addresses(text: str) -> Iterator[Span]:
    """Streets with a number, with flat, town and post code where they follow; boxes; military mail; named post codes."""
    plain, runs, there = folded(text), digit_runs(text), hints_in(text) & _HINTS
    before = _before_digits(text, runs)
    yield from _streets(text, plain, runs, before)
    if before.box or (not there.isdisjoint(_MILITARY) and "us" in plain):
        for match in _BOX.finditer(text):
            yield Span(Kind.ADDRESS, match.start(), match.end(), "box", 0.8)
    if before.flat:
        for match in _FLAT.finditer(text):
            yield Span(Kind.ADDRESS, match.start(), match.end(), "flat", 0.6)
    if before.state:
        for match in _TOWN_LINE.finditer(text):
            yield Span(Kind.ADDRESS, match.start(), match.end(), "town", 0.8)
    if not there.isdisjoint(_CODE_HINTS):
        for match in _NAMED_CODE.finditer(text):
            yield Span(Kind.ADDRESS, match.start(1), match.end(1), "post_code_named", 0.8)


class _Before(NamedTuple):
    """What stands right before one of the runs of digits. A pattern that has none of its own need not be tried."""

    street: bool
    """An ending or a word that makes a street (Bahnhofstraße, tér)."""
    named: bool
    """One of the cues."""
    word: bool
    """What may stand between `rue` and the number."""
    box: bool
    flat: bool
    state: bool
    """`, IL`: a town's line may end here."""


def _before_digits(text: str, runs: Sequence[int]) -> _Before:
    there, plain = hints_in(text) & _HINTS, folded(text)
    if len(plain) != len(text):  # the places are others
        plain = ""
    street = state = False
    for run in runs:
        if text[run - 1 : run] == " ":
            street = street or _ends_street(text, plain, run)
            state = state or (text[max(0, run - 5) : run - 3] == ", " and text[run - 3 : run - 1].isupper())
    if not there:  # as in most texts
        return _Before(street, False, False, False, False, state)
    return _Before(
        street,
        not there.isdisjoint(_CUE_HINTS) and _stands_before(text, plain, runs, " :", _CUE_ENDS),
        not there.isdisjoint(_BEFORE_WORDS) and any(_may_name_street(text, run) for run in runs),
        not there.isdisjoint(_BOX_HINTS) and _stands_before(text, plain, runs, " .#", tuple(_BOX_HINTS)),
        not there.isdisjoint(_FLAT_HINTS) and _stands_before(text, plain, runs, " .#", tuple(_FLAT_HINTS)),
        state,
    )


def _stands_before(text: str, plain: str, runs: Sequence[int], signs: str, ends: tuple[str, ...]) -> bool:
    """Whether one of the ends stands before a run, but for some signs."""
    return any(_tail(text, plain, run, _LONGEST_BEFORE).rstrip(signs).endswith(ends) for run in runs)


def _tail(text: str, plain: str, run: int, signs: int) -> str:
    """What stands before a run, in small letters; `plain` is the text in small letters, blank where that is longer."""
    begin = max(0, run - signs)
    return plain[begin:run] if plain else small(text[begin:run])


def _ends_street(text: str, plain: str, run: int) -> bool:
    """Whether what stands before a number, and a blank, ends as streets do."""
    if (
        plain
        and plain[run - 3 : run - 1] not in _STREET_TAILS
        and text[run - 2 : run - 1] not in (" ", ".", "#")
    ):
        return False  # as most words
    tail = _tail(text, plain, run, _LONGEST_ENDING)
    if tail[-3:-1] in _STREET_TAILS and tail[:-1].endswith(_STREET_WORDS):
        return True
    bare = tail.rstrip(" .#")
    return bare[-2:] in _STREET_TAILS and bare.endswith(_STREET_WORDS)


def _may_name_street(text: str, run: int) -> bool:
    """Whether a capitalised or small word of a street's name, or a number, stands before the run."""
    if text[run - 1 : run] not in (" ", ","):
        return False
    begin = max(0, run - _LONGEST_BEFORE)
    tail = text[begin:run].rstrip(" ,").replace(",", " ")
    token = tail.rpartition(" ")[2]
    if len(token) == len(tail) and begin:
        return True
    small = token[:1] in "dlaeivu" and (len(token) < 6 or "’" in token or "'" in token)
    return token[:1].isupper() or token[:1].isdigit() or small


def _streets(text: str, plain: str, runs: Sequence[int], before: _Before) -> Iterator[Span]:
    corner = not _CORNER.isdisjoint(hints_in(text))
    if not runs and not corner:
        return
    first, *rest = [*_street_matches(text, plain, runs, before), *_named_streets(text, plain, before)] or [
        None
    ]
    if first is None or not (_MAYBE.search(text) or any(sign in plain for sign in _MAYBE_SMALL)):
        return
    for match in (first, *rest):
        if match.re is _NAMED:
            end, _ = _with_what_follows(text, match.end("street"))
            yield Span(Kind.ADDRESS, match.start("street"), end, "address_named", 0.7)
            continue
        end, more = _with_what_follows(text, match.end())
        if match["bare"] is None or more:
            yield Span(Kind.ADDRESS, match.start(), end, "street", 0.7)


def _street_matches(
    text: str, plain: str, runs: Sequence[int], before: _Before
) -> Iterator["regex.Match[str]"]:
    """Streets that begin with their number, wherever there is one; others only where a word hints at them."""
    named = hints_in(text) & _BEFORE_WORDS
    words = named if before.word else frozenset[str]()
    if before.street or not _CORNER.isdisjoint(hints_in(text)) or (words and len(plain) != len(text)):
        return _STREET.finditer(text)
    likely = (run for run in runs if text[run - 1 : run] not in _NOT_BEFORE and _may_begin(text, run, named))
    return matches(_STREET, text, in_order(packed(likely), occurrences(plain, words)) if words else likely)


def _may_begin(text: str, run: int, words: frozenset[str]) -> bool:
    """Whether a street may begin with this number. A small word behind it makes one only if it is one of the words."""
    match = _MAY_BEGIN.match(text, run)
    if match is None:
        return False
    if not (words or match["ordinal"] or not text[match.end() - 1].islower()):
        return False
    return bool(words) or not text.isascii() or _MAY_GO_ON.match(text, run) is not None


def _named_streets(text: str, plain: str, before: _Before) -> Iterator["regex.Match[str]"]:
    if not before.named or len(plain) != len(text):
        return _NAMED.finditer(text) if before.named else iter(())
    return matches(_NAMED, text, occurrences(plain, _CUE_WORDS))


def _with_what_follows(text: str, at: int) -> tuple[int, bool]:
    """Where the address ends, and whether anything followed: flats, then town, state and country, then a post code.

    What stands on further lines counts only where a post code ends it: it may be the next thing somebody says.
    """
    start = at
    for _ in range(_MOST_FLATS):
        if match := _UNIT.match(text, at):
            at = match.end()
    ahead = at
    for _ in range(_MOST_TOWN_LINES):
        match = _TOWN.match(text, ahead) or _STATE.match(text, ahead)
        if match is None:
            break
        ahead = match.end()
        if "\n" not in text[at:ahead]:
            at = ahead
    if match := _POST_CODE.match(text, ahead):
        at = match.end()
    return at, at > start
