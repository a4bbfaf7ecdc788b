"""What a row holds of personal data and secrets, as the audit and a review tell it.

    held = Personal().of(row)
    held.kinds     Counter({Kind.EMAIL: 1}): what is worth a warning
    held.names     names that stand alone ("Natalia sold clips"), which say of nobody who it is

A first name alone is no warning: nearly every story has some. The operation `redact` replaces it all the same.
"""

from collections import Counter
from itertools import chain
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.excerpt import SURE
from tunewright.data.ops._texts import turns_of, values_of
from tunewright.data.redact.redactor import DEFAULT, Redactor
from tunewright.data.redact.span import Kind, Span

_WHOLE = frozenset(("title", "surname", "ner"))
"""Rules that find more than a first name in one word: `Mr. Smith`."""


class Held(NamedTuple):
    """What stands in a row, counted."""

    kinds: Counter[Kind]
    names: int


class Personal:
    """Looks rows over; for `secrets_alone` many times as fast. What is a secret, nothing else takes from it."""

    def __init__(self, *, secrets_alone: bool = False) -> None:
        self._redactor = Redactor((Kind.SECRET,) if secrets_alone else DEFAULT, sure=SURE)

    def of(self, row: Example) -> Held:
        """What the row holds, in all that somebody wrote."""
        kinds, names = Counter[Kind](), 0
        turns = ((text, self._redactor.find(text)) for text in turns_of(row))
        values = ((value.text, self._redactor.find_in_value(value)) for value in values_of(row))
        for text, spans in chain(turns, values):
            for span in spans:
                if _is_alone(span, text):
                    names += 1
                else:
                    kinds[span.kind] += 1
        return Held(kinds, names)


def _is_alone(span: Span, text: str) -> bool:
    """Whether a name is one word that is no surname."""
    return (
        span.kind is Kind.PERSON and span.rule not in _WHOLE and len(text[span.start : span.end].split()) == 1
    )
