"""National ids: of people and taxpayers, by shape and check digits; bare digits only beside a word that names them."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from tunewright.data.redact.checks import luhn, same, verhoeff, weighted
from tunewright.data.redact.hints import hint_words, hints_in
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import before, beginning, digit_runs, in_order, long_numbers, matches


class Id(NamedTuple):
    """One country's id."""

    name: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    """Takes the id in upper case without blanks, dots, dashes and slashes."""
    words: str = ""
    """A pattern of words, one of which must stand near; "" where the shape and the check are enough."""
    sure: float = 0.9
    hints: frozenset[str] = frozenset()
    """Small letters, of which one piece stands in every text that has one of the words."""
    before: tuple[int, ...] = (0,)
    """Its first digit is the first of its run; how many signs before that it may begin. Empty: it need have no digit."""


_NEAR = 60
_A, _Z = r"(?<![\w.,+/-])", r"(?![\w/]|[-.,]\w)"
_LETTERS_ES = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTERS_FI = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD_DIGITS_IT = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS_IT = (*_ODD_DIGITS_IT, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD_IT = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (*_ODD_DIGITS_IT, *_ODD_LETTERS_IT), strict=True))


def _us_ssn(value: str) -> bool:
    return value[:3] not in ("000", "666") and value[3:5] != "00" and value[5:] != "0000" and not same(value)


def _es(value: str) -> bool:
    number = value[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return value[-1] == _LETTERS_ES[int(number) % 23]


def _it(value: str) -> bool:
    odd = sum(_ODD_IT[sign] for sign in value[:15:2])
    even = sum(int(sign) if sign.isdigit() else ord(sign) - ord("A") for sign in value[1:15:2])
    return value[15] == chr(ord("A") + (odd + even) % 26)


def _fr(value: str) -> bool:
    number = value[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(value[13:])


def _de(value: str) -> bool:
    """§ 139b AO: ISO 7064 MOD 11,10."""
    product = 10
    for digit in value[:10]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(value[10]) and not same(value[:10])


def _nl(value: str) -> bool:
    return weighted(value, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and not same(value)


def _pl(value: str) -> bool:
    month = int(value[2:4]) % 20
    dated = 1 <= month <= 12 and 1 <= int(value[4:6]) <= 31
    return dated and weighted(value, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _se(value: str) -> bool:
    value = value.replace("+", "")[-10:]
    return 1 <= int(value[2:4]) <= 12 and 1 <= int(value[4:6]) % 60 <= 31 and luhn(value)


def _fi(value: str) -> bool:
    return value[-1] == _LETTERS_FI[int(re.sub(r"\D", "", value[:-1])) % 31]


def _dk(value: str) -> bool:
    try:
        date(2000 + int(value[4:6]), int(value[2:4]), int(value[:2]))
    except ValueError:
        return False
    return True


def _cpf(value: str) -> bool:
    checks = [weighted(value, tuple(range(top, 1, -1))) * 10 % 11 % 10 for top in (10, 11)]
    return not same(value) and checks == [int(value[9]), int(value[10])]


def _nhs(value: str) -> bool:
    return (11 - weighted(value, tuple(range(10, 1, -1))) % 11) % 11 == int(value[9]) and not same(value)


def _nino(value: str) -> bool:
    return value[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _aadhaar(value: str) -> bool:
    return value[0] not in "01" and verhoeff(value)


def _any(value: str) -> bool:
    return not same(value)


def _id(
    name: str,
    body: str,
    valid: Callable[[str], bool],
    words: str = "",
    sure: float = 0.9,
    *,
    hints: str = "",
    before: tuple[int, ...] = (0,),
) -> Id:
    return Id(name, re.compile(_A + body + _Z), valid, words, sure, hint_words(hints.split()), before)


_SSN_HINTS = "ssn social tax itin"
_SSN = r"(?:ssn|social[ -]security|tax(?:payer)?[ -]id|itin)"
IDS = (
    _id("us_ssn", r"(?!9)\d{3}-\d{2}-\d{4}", _us_ssn),
    _id("us_ssn", r"(?!9)\d{3}([ .]?)\d{2}\1\d{4}", _us_ssn, _SSN, hints=_SSN_HINTS),
    _id("us_itin", r"9\d{2}([ -]?)[5-9]\d\1\d{4}", _any, _SSN, hints=_SSN_HINTS),
    _id("uk_nino", r"(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]( ?)\d{2}\1\d{2}\1\d{2}\1[A-D])", _nino, sure=0.9,
        before=(2, 3)),
    _id("uk_nhs", r"\d{3}([ -]?)\d{3}\1\d{4}", _nhs, r"nhs", hints="nhs"),
    _id("es_dni", r"\d{8}[ -]?[A-HJ-NP-TV-Z]", _es, sure=0.8),
    _id("es_nie", r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", _es, before=(1, 2)),
    _id("it_codice_fiscale", r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", _it, sure=1.0, before=(6,)),
    _id("fr_nir", r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", _fr),
    _id("de_steuer_id", r"[1-9]\d( ?)\d{3}\1\d{3}\1\d{3}", _de, r"steuer|tax|idnr|tin", hints="steuer tax idnr tin"),
    _id("nl_bsn", r"\d{9}|\d{4}\.\d{2}\.\d{3}", _nl, r"bsn|burgerservice|sofi", hints="bsn burgerservice sofi"),
    _id("pl_pesel", r"\d{11}", _pl, r"pesel", hints="pesel"),
    _id("se_personnummer", r"(?:19|20)?\d{6}[-+]\d{4}", _se, sure=0.8),
    _id("se_personnummer", r"(?:19|20)\d{10}", _se, r"personn(?:umme|)r|personal (?:identity )?number",
        hints="personn personal"),
    _id("dk_cpr", r"\d{6}-?\d{4}", _dk, r"cpr", hints="cpr"),
    _id("fi_hetu", r"[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _fi, sure=1.0),
    _id("br_cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}", _cpf, sure=1.0),
    _id("br_cpf", r"\d{11}", _cpf, r"cpf", hints="cpf"),
    _id("in_aadhaar", r"\d{4}([ -]?)\d{4}\1\d{4}", _aadhaar, r"aadhaa?r|uidai?", hints="aadha uida"),
    _id("in_pan", r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", _any, r"pan|income tax", hints="pan tax", before=(5,)),
    _id("ca_sin", r"\d{3}([ -]?)\d{3}\1\d{3}", luhn, r"sin|social insurance|nas", hints="sin social nas"),
    _id("au_tfn", r"\d{3}( ?)\d{3}\1\d{3}", lambda value: weighted(value, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0,
        r"tfn|tax file", hints="tfn tax"),
    _id("passport", r"(?:[A-Z]{1,2}\d{6,8}|\d{9}|\d{2}[A-Z]{2}\d{5}|[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{8})", _any,
        r"passport|reisepass|passeport|pasaporte", 0.7, hints="passport reisepass passeport pasaporte", before=()),
    _id("driving_licence", r"(?:[A-Z]{1,2}\d{6,14}|\d{7,9}|\d{4}-\d{2}-\d{4})", _any,
        r"driv(?:er|ing)(?:'?s)? licen[cs]e|driv(?:er|ing)(?:'?s)? licen[cs]e number", 0.7, hints="licen",
        before=(0, 1, 2)),
)  # fmt: skip
_UNNAMED = re.compile(
    f"{_A}(?:{'|'.join(one.pattern.pattern[len(_A) : -len(_Z)] for one in IDS if not one.words and one.before == (0,))}){_Z}"
)
"""All that need no word and begin with a digit. None of them refers to a group."""
_SIX, _SEVEN = re.compile(r"\d(?:[ ./-]?\d){5}"), re.compile(r"\d(?:[ ./-]?\d){6}")
"""What an id's first digits are at least (seven where it needs a word and begins with them), but for `_AMONG_LETTERS`."""
_AMONG_LETTERS = frozenset(("it_codice_fiscale", "in_pan"))
_LETTERED = re.compile(r"(?:(?<![^\W\d_])[^\W\d_]{2} ?|[XYZxyz][ -]?)$")
"""What stands before the first digits of those that need no word and do not begin with them."""
_HINTS = frozenset[str]().union(*(one.hints for one in IDS))
_WITHOUT_DIGITS = frozenset[str]().union(*(one.hints for one in IDS if not one.before))
_WORDS = {one: re.compile(rf"(?i)(?<![a-z])(?:{one.words})(?![a-z])") for one in IDS if one.words}


def find_ids(text: str) -> Iterator[Span]:
    """National ids, tax ids, passports and driving licences; `rule` names which."""
    for one, matched in _possible(text):
        words = _WORDS.get(one)
        for match in matched:
            if words is not None and not words.search(text, max(0, match.start() - _NEAR), match.start()):
                continue
            if one.valid(re.sub(r"[ ./-]", "", match[0]).upper()):
                yield Span(Kind.NATIONAL_ID, *match.span(), one.name, one.sure)


def _possible(text: str) -> Iterator[tuple[Id, Iterator[re.Match[str]]]]:
    """The ids that the text may hold, each with the matches of its pattern, in the order of IDS."""
    runs, there = digit_runs(text), hints_in(text)
    six = beginning(_SIX, text, long_numbers(text))
    among_letters = any(text[run - 1].isupper() and text[run - 5 : run].isupper() for run in runs if run >= 5)
    if not (six or among_letters or not there.isdisjoint(_WITHOUT_DIGITS)):
        return
    hinted = there & _HINTS
    seven = bool(hinted) and any(_SEVEN.match(text, run) for run in six)
    unnamed = any(_UNNAMED.match(text, run) for run in six)
    lettered = any(_LETTERED.search(text, max(0, run - 4), run) for run in six)
    for one in _told_by(hinted):
        if one.name in _AMONG_LETTERS:
            likely = among_letters
        elif one.before == (0,):
            likely = seven if one.words else unnamed
        else:
            likely = (bool(six) if one.words else lettered) or not one.before
        if likely:
            yield one, _matches(one, text, runs if one.name in _AMONG_LETTERS else six)


@lru_cache(maxsize=1024)
def _told_by(hints: frozenset[str]) -> tuple[Id, ...]:
    """The ids that need no word, and those of which a hint is there."""
    return tuple(one for one in IDS if not one.words or not hints.isdisjoint(one.hints))


def _matches(one: Id, text: str, runs: Sequence[int]) -> Iterator[re.Match[str]]:
    if not one.before:
        return one.pattern.finditer(text)
    starts = runs if one.before == (0,) else in_order(*(before(runs, signs) for signs in one.before))
    return matches(one.pattern, text, starts)
