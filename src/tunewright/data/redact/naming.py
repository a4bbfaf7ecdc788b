"""Placeholders: what stands where something was found.

    Naming(turns).replaced(turns, found)     # [EMAIL_1]: numbered within one conversation, by first occurrence
    sealed(values, found, key)               # [EMAIL_5f0c9a21b7de]: the same for the same thing wherever the key is the same

A number tells who is who in one conversation and means another in the next. What rows are grouped, counted or joined by
wants one for the whole data set: a keyed hash (BLAKE2, RFC 7693) of what was found. Without the key it cannot be traced
back; whoever has it can try values out.

In one conversation J. Smith and Smith are one, and so are +44 20 7946 0123 and 020 7946 0123. In a whole data set they may
be two, and two customers under one hash are worse than one under two: a hash takes initials and every digit.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from tunewright.data.redact.span import Kind, Span

_SEAL_BYTES = 6
"""Of a hash, so many bytes: among 100,000 things two are confused once in 50,000 data sets."""
PLACEHOLDER = re.compile(
    rf"\[(?:{'|'.join(kind.name for kind in Kind)})_(?:[0-9a-f]{{{2 * _SEAL_BYTES}}}|\d{{1,9}})\]"
)
_SAME_DIGITS = 9
"""Phone numbers of one conversation that end in the same digits are one: +44 20 7946 0123 and 020 7946 0123."""
_EXTENSION = re.compile(r"[a-z#]")


def sealed(texts: Sequence[str], found: Sequence[Sequence[Span]], key: bytes) -> tuple[str, ...]:
    """The texts with placeholders that hang on what was found and on `key` (up to 64 bytes) alone."""
    return tuple(
        _replaced(text, spans, [_seal(span.kind, _whole(span, text), key) for span in spans])
        if spans
        else text
        for text, spans in zip(texts, found, strict=True)
    )


def name_words(value: str) -> list[str]:
    """The words of a name, initials too."""
    return re.findall(r"[^\W\d_][\w'’-]*", value)


def _seal(kind: Kind, key: str, secret: bytes) -> str:
    told = f"{kind.value}\0{key}".encode("utf-8", "surrogatepass")
    return f"[{kind.name}_{blake2b(told, key=secret, digest_size=_SEAL_BYTES).hexdigest()}]"


def _key(span: Span, text: str) -> str:
    """What makes two finds of one conversation the same: letter case, blanks, punctuation and country codes aside."""
    value = text[span.start : span.end].casefold()
    if span.kind is Kind.PHONE:
        return re.sub(r"\D", "", value)[-_SAME_DIGITS:]
    if span.kind in (Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID):
        return re.sub(r"\W", "", value)
    if span.kind is Kind.PERSON:
        return " ".join(word for word in name_words(value) if len(word) > 1) or value
    return text[span.start : span.end] if span.kind is Kind.SECRET else " ".join(value.split())


def _whole(span: Span, text: str) -> str:
    """What makes two finds the same in a whole data set: small and capital letters, blanks and punctuation aside."""
    value = unicodedata.normalize("NFC", text[span.start : span.end])
    if span.kind in (Kind.SECRET, Kind.URL):
        return value
    if span.kind is Kind.PHONE:
        return _dialled(value)
    value = value.lower()
    if span.kind in (Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID):
        return re.sub(r"\W", "", value)
    if span.kind is Kind.PERSON:
        return " ".join(name_words(value.replace("’", "'"))) or value
    return " ".join(value.split())


def _dialled(number: str) -> str:
    """A phone number's digits, in the form of E.164 where the country is said; an extension behind them."""
    number, *extension = _EXTENSION.split(number.strip().lower(), maxsplit=1)
    digits = re.sub(r"\D", "", number)
    if number.startswith(("+", "00")):
        digits = "+" + re.sub(r"\D", "", number.replace("(0)", "")).removeprefix("00")
    return "x".join((digits, *(re.sub(r"\D", "", one) for one in extension)))


class Naming:
    """Which numbered placeholder a found thing gets in one conversation."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._taken = {match[0] for text in texts if "[" in text for match in PLACEHOLDER.finditer(text)}
        self._next: dict[Kind, int] = defaultdict(lambda: 1)
        self._named: dict[tuple[Kind, str], str] = {}
        self._full: dict[str, set[str]] = defaultdict(set)
        """A word of a name → the full names met that have it."""

    def replaced(self, texts: Sequence[str], found: Sequence[Sequence[Span]]) -> tuple[str, ...]:
        """Texts of the conversation with numbered placeholders for what `find_all` found in them. More of them may come
        later: what was met before has the same number."""
        keys = [[_key(span, text) for span in spans] for text, spans in zip(texts, found, strict=True)]
        for spans, same in zip(found, keys, strict=True):
            self._meet(spans, same)
        return tuple(
            _replaced(text, spans, map(self._placeholder, spans, same)) if spans else text
            for text, spans, same in zip(texts, found, keys, strict=True)
        )

    def _meet(self, spans: Sequence[Span], keys: Sequence[str]) -> None:
        """Learn the full names of a conversation first: "Ann" may stand before "Ann Lee"."""
        for span, key in zip(spans, keys, strict=True):
            if span.kind is Kind.PERSON and len(words := key.split()) > 1:
                for word in words:
                    self._full[word].add(key)

    def _placeholder(self, span: Span, key: str) -> str:
        """`[EMAIL_1]` and so on, numbered by first occurrence; numbers that stand in the texts already are left out."""
        if span.kind is Kind.PERSON and " " not in key and len(full := self._full.get(key, set())) == 1:
            key = next(iter(full))
        known = self._named.get((span.kind, key))
        if known is not None:
            return known
        while True:
            name = f"[{span.kind.name}_{self._next[span.kind]}]"
            self._next[span.kind] += 1
            if name not in self._taken:
                break
        self._named[span.kind, key] = name
        return name


def _replaced(text: str, spans: Sequence[Span], placeholders: Iterable[str]) -> str:
    parts, at = [], 0
    for span, placeholder in zip(spans, placeholders, strict=True):
        parts += [text[at : span.start], placeholder]
        at = span.end
    return "".join([*parts, text[at:]])
