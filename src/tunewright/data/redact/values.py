"""Values of fields: what is somebody's in a text that is nothing but a number hangs on its field's name.

    Value("order", "4155550123")        # any ten digits: nobody's
    Value("phone", "4155550123")        # somebody's
    Value("phone.home", "4155550123")   # somebody's: of {"phone": {"home": "4155550123"}}

In a turn ten digits in a row are most likely a phone number; in a column they are most likely an order, an account or a
moment. A value with check digits or marks (a card, an IBAN, +1 (415) 555-0123) says by itself what it is.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from tunewright.data.redact.span import Kind, Span

_PHONE_DIGITS = range(6, 16)
_NUMBER = r"(?:numbers?|num|nos?|nrs?|nummern?|numeros?)"
_OF = r"(?:home|work|office|business|private|contact|customer|day|evening|mobile?|cell|smart|land)"
_DEVICE = r"(?:(?:tele)?phones?|telefo(?:o?n|n[eio]s?|ns)|telefax|tels?|fax)"
_BY_ITSELF = (
    rf"(?:{_OF}?{_DEVICE}|mobiles?|mobie?l|movil|celular|cellulare|landline|festnetz|whats_?app|sms|handy)"
)
_WITH_NUMBER = r"(?:cell|ruf)"
"""What has other meanings without `number` behind it: a table's cell."""
_WHICH = rf"(?:{_NUMBER}|home|work|office|business|private|main|primary|mobile|cell|national|international)"
_PHONE_NAME = re.compile(
    rf"(?<![a-z])(?:{_BY_ITSELF}_?{_NUMBER}?|{_WITH_NUMBER}_?{_NUMBER})(?:_?\d\d?)?"
    rf"(?:_{_WHICH}(?:_?\d\d?)?){{0,3}}(?:\.value)?$"
)
"""The end of a name of words with `_` between them: anything else behind a phone is as often its revenue as its number."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN = re.compile(r"(?:[ ./:_-](?!value$))+")
_LONGEST_NAME = 80


class Value(NamedTuple):
    """A text or a number of a row's fields, or a field's name."""

    name: str
    """The field's, behind those it is in, with dots between; its end, where it is long. Of a field's name itself nothing."""
    text: str
    is_column: bool = False
    """Whether it is a name of one of the row's own fields, which rows have in common."""


def within(name: str, inner: str) -> str:
    """The name of a value's field that is in the field `name`."""
    inner = inner[-_LONGEST_NAME:]
    return f"{name}.{inner}"[-_LONGEST_NAME:] if name else inner


def allowed(value: Value, spans: Iterable[Span]) -> list[Span]:
    """Of what was found in a value, what may be replaced: not that a column of one word, Ann or Smith, is a person."""
    if not value.is_column or not value.text.isidentifier():
        return list(spans)
    return [span for span in spans if span.kind is not Kind.PERSON]


def marked(value: Value, spans: Iterable[Span]) -> Iterator[Span]:
    """Of what was found in a value, what digits in a row alone do not give away; all of it where it is more than digits.
    What is no phone number by its check digits is none by its field's name."""
    text = value.text.strip()
    if not text.isdecimal():
        yield from spans
        return
    others = [span for span in spans if span.kind is not Kind.PHONE]
    yield from others
    if not others and len(text) in _PHONE_DIGITS and _is_phone(value.name[-_LONGEST_NAME:]):
        start = value.text.index(text)
        yield Span(Kind.PHONE, start, start + len(text), "phone_field", 0.85)


@lru_cache(maxsize=1024)
def _is_phone(name: str) -> bool:
    plain = unicodedata.normalize("NFKD", _CAMEL.sub("_", name))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
    return _PHONE_NAME.search(_BETWEEN.sub("_", plain)) is not None
