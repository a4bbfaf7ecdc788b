"""Payment cards and bank accounts (IBAN): long numbers with check digits."""

import re
from collections.abc import Iterator
from string import ascii_letters

from tunewright.data.redact.checks import iban, luhn, same
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import digit_count, digit_runs, long_numbers, matches

_CARD = re.compile(
    r"(?<![\w.+/=-])(?<!\d{4} )(?:(?P<fours>\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{4})(?:(?P=gap)\d{1,3}(?!\d))?"
    r"|\d{4}(?P<sixes>[ -])\d{6}(?P=sixes)\d{4,5}|\d{12,19})(?![\w=/]|-\w|\.\d)"
)
_CARD_WORD = re.compile(
    r"(?i)\b(?:card|cards|visa|mastercard|amex|american express|maestro|debit|credit|cc|pan)\b"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_LETTERS = frozenset(ascii_letters)
_FEWEST_DIGITS = 12
_NEAR = 80
"""Characters before a number in which a word says that it is a card."""
_PREFIXES: tuple[tuple[tuple[int, ...], range, range], ...] = (
    ((13, 16, 18, 19), range(4, 5), range(1)),  # Visa
    ((16,), range(51, 56), range(2221, 2721)),  # Mastercard
    ((15,), range(34, 35), range(37, 38)),  # American Express
    ((14, 16, 17, 18, 19), range(300, 306), range(36, 37)),  # Diners Club
    ((14, 16, 17, 18, 19), range(38, 40), range(309, 310)),
    ((16, 17, 18, 19), range(644, 660), range(6011, 6012)),  # Discover
    ((16, 17, 18, 19), range(62, 63), range(65, 66)),  # UnionPay, Discover
    ((16, 17, 18, 19), range(3528, 3590), range(1)),  # JCB
    ((15,), range(1800, 1801), range(2131, 2132)),
    ((16, 18, 19), range(2200, 2205), range(60, 61)),  # Mir, RuPay
)
"""Lengths and issuer prefixes, ISO/IEC 7812."""


def find_cards(text: str) -> Iterator[Span]:
    """Payment cards of 12 to 19 digits: an issuer's prefix and length, or a word that says so, and Luhn's check."""
    if digit_count(text) < _FEWEST_DIGITS:
        return
    for match in matches(_CARD, text, long_numbers(text)):
        named = _CARD_WORD.search(text, max(0, match.start() - _NEAR), match.start()) is not None
        for group in (0, "fours"):  # what follows four groups of four may be the month of expiry
            digits = re.sub(r"\D", "", match[group] or "")
            if digits and not same(digits) and luhn(digits) and (named or _issued(digits)):
                sure = (1.0 if _issued(digits) else 0.8) if named else 0.9
                yield Span(Kind.CARD, *match.span(group), "card_named" if named else "card", sure)
                break


def find_ibans(text: str) -> Iterator[Span]:
    """Bank account numbers (IBAN), with or without blanks, by their country's length and check digits."""
    starts = (run - 2 for run in digit_runs(text) if run >= 2 and text[run - 1] in _LETTERS)
    for match in matches(_IBAN, text, starts):
        if (end := _iban_end(text, match.start(), match.end())) is not None:
            yield Span(Kind.IBAN, match.start(), end, "iban", 1.0)


def _iban_end(text: str, start: int, end: int) -> int | None:
    """Where the account ends: words that follow may have been taken for groups of it, and are given back."""
    while end > start:
        written = text[start:end]
        value = written.replace(" ", "").upper()
        if value.isascii() and iban(value):
            return end
        end = start + written.rfind(" ") if " " in written else start
    return None


def _issued(digits: str) -> bool:
    return any(
        len(digits) in lengths and (_starts(digits, first) or _starts(digits, second))
        for lengths, first, second in _PREFIXES
    )


def _starts(digits: str, prefixes: range) -> bool:
    return prefixes.start > 0 and int(digits[: len(str(prefixes.start))]) in prefixes
