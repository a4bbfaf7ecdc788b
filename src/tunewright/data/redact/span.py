"""What is looked for, and what a finder hands back: a place in a text, never the text itself."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What is looked for."""

    PERSON = "person"
    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"
    CARD = "card"
    IBAN = "iban"
    NATIONAL_ID = "national_id"
    IP = "ip"
    URL = "url"
    SECRET = "secret"


class Span(NamedTuple):
    """One thing found: `text[start:end]`, in characters."""

    kind: Kind
    start: int
    end: int
    rule: str
    """Which rule found it."""
    sure: float
    """How sure the rule is, 0 to 1: 0.5 a hint, 0.9 a shape that is seldom anything else, 1 check digits."""


Finder = Callable[[str], Iterator[Span]]
"""Finds things of one kind in one text; the spans may overlap."""
