"""Values of fields: what is somebody's in a text that is nothing but a number hangs on its field's name.

    Value("order", "4155550123")     # any ten digits: nobody's
    Value("phone", "4155550123")     # somebody's

In a turn ten digits in a row are most likely a phone number; in a column they are most likely an order, an account or a
moment. A value with check digits or marks (a card, an IBAN, +1 (415) 555-0123) says by itself what it is.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tunewright.data.redact.span import Kind, Span

_PHONE_DIGITS = range(6, 16)
_PHONE_NAME = re.compile(
    r"(?<![a-z])(?:(?:tele|cell|mobile|smart)?phone|mobile|cell|tel|fax|whats_?app|sms|telefon|handy|t[ée]l[ée]phone"
    r"|tel[ée]fono)(?:[ _.-]?(?:number|num|no|nr|home|work|\d))?(?![a-z])(?![ _.-]?(?:id|model|type|count)(?![a-z]))"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Value(NamedTuple):
    """A text or a number of a row's fields, or a field's name."""

    name: str
    """The field's; of a field's name itself nothing."""
    text: str


def marked(value: Value, spans: Iterable[Span]) -> Iterator[Span]:
    """Of what was found in a value, what digits in a row alone do not give away; all of it where it is more than digits."""
    text = value.text.strip()
    if not text.isdecimal():
        yield from spans
        return
    start = value.text.index(text)
    if len(text) in _PHONE_DIGITS and _is_phone(value.name):
        yield Span(Kind.PHONE, start, start + len(text), "phone_field", 0.85)
    else:
        yield from (span for span in spans if span.kind is not Kind.PHONE)


def _is_phone(name: str) -> bool:
    return _PHONE_NAME.search(_CAMEL.sub("_", name).casefold()) is not None
