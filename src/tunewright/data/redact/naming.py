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
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

from tunewright.data.redact.span import Kind, Span

_SEAL_BYTES = 6
"""Of a hash, so many bytes: among 100,000 things two are confused once in 50,000 data sets."""
PLACEHOLDER = re.compile(
    rf"\[(?:{'|'.join(kind.name for kind in Kind)})_(?:[0-9a-f]{{{2 * _SEAL_BYTES}}}|\d{{1,9}})\]"
)
_OPENINGS = {kind: f"[{kind.name}_" for kind in Kind}
_NUMBERED = frozenset((Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID))
_LONGEST_NAME = 60
"""Characters of a name whose words are remembered: rows have many of them in common."""
_SAME_DIGITS = 9
"""Phone numbers of one conversation that end in the same digits are one: +44 20 7946 0123 and 020 7946 0123."""
_EXTENSION = re.compile(r"[a-z#]")
_NAME_WORD, _NO_DIGIT, _NO_LETTER = re.compile(r"[^\W\d_][\w'’-]*"), re.compile(r"\D"), re.compile(r"\W")


def sealed(texts: Sequence[str], found: Sequence[Sequence[Span]], key: bytes) -> tuple[str, ...]:
    """The texts with placeholders that hang on what was found and on `key` (up to 64 bytes) alone."""
    return tuple(
        _replaced(text, spans, [_seal(span.kind, _whole(span, text), key) for span in spans])
        if spans
        else text
        for text, spans in zip(texts, found, strict=True)
    )


def name_words(value: str) -> Sequence[str]:
    """The words of a name, initials too."""
    return _words_of(value) if len(value) <= _LONGEST_NAME else _NAME_WORD.findall(value)


@lru_cache(maxsize=1 << 12)
def _words_of(value: str) -> tuple[str, ...]:
    return tuple(_NAME_WORD.findall(value))


def _seal(kind: Kind, key: str, secret: bytes) -> str:
    told = f"{kind.value}\0{key}".encode("utf-8", "surrogatepass")
    return f"[{kind.name}_{blake2b(told, key=secret, digest_size=_SEAL_BYTES).hexdigest()}]"


def _key(span: Span, text: str) -> str:
    """What makes two finds of one conversation the same: letter case, blanks, punctuation and country codes aside."""
    kind, start, end, _, _ = span
    value = text[start:end]
    if kind is Kind.SECRET:
        return value
    value = value.casefold()
    if kind is Kind.PERSON:
        return " ".join([word for word in name_words(value) if len(word) > 1]) or value
    if kind is Kind.PHONE:
        return _NO_DIGIT.sub("", value)[-_SAME_DIGITS:]
    if kind in _NUMBERED:
        return _NO_LETTER.sub("", value)
    return " ".join(value.split())


def _whole(span: Span, text: str) -> str:
    """What makes two finds the same in a whole data set: small and capital letters, blanks and punctuation aside."""
    value = unicodedata.normalize("NFC", text[span.start : span.end])
    if span.kind in (Kind.SECRET, Kind.URL):
        return value
    if span.kind is Kind.PHONE:
        return _dialled(value)
    value = value.lower()
    if span.kind in _NUMBERED:
        return _NO_LETTER.sub("", value)
    if span.kind is Kind.PERSON:
        return " ".join(name_words(value.replace("’", "'"))) or value
    return " ".join(value.split())


def _dialled(number: str) -> str:
    """A phone number's digits, in the form of E.164 where the country is said; an extension behind them."""
    number, *extension = _EXTENSION.split(number.strip().lower(), maxsplit=1)
    digits = _NO_DIGIT.sub("", number)
    if number.startswith(("+", "00")):
        digits = "+" + _NO_DIGIT.sub("", number.replace("(0)", "")).removeprefix("00")
    return "x".join((digits, *(_NO_DIGIT.sub("", one) for one in extension)))


class Naming:
    """Which numbered placeholder a found thing gets in one conversation."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._taken = {match[0] for text in texts if "[" in text for match in PLACEHOLDER.finditer(text)}
        self._next = dict[Kind, int]()
        self._named = dict[tuple[Kind, str], str]()
        self._full = dict[str, set[str]]()
        """A word of a name → the full names met that have it."""

    def replaced(self, texts: Sequence[str], found: Sequence[Sequence[Span]]) -> tuple[str, ...]:
        """Texts of the conversation with numbered placeholders for what `find_all` found in them. More of them may come
        later: what was met before has the same number."""
        keys = [
            [_key(span, text) for span in spans] if spans else ()
            for text, spans in zip(texts, found, strict=True)
        ]
        for spans, same in zip(found, keys, strict=True):
            if spans:
                self._meet(spans, same)
        return tuple(
            [
                _replaced(text, spans, map(self._placeholder, spans, same)) if spans else text
                for text, spans, same in zip(texts, found, keys, strict=True)
            ]
        )

    def _meet(self, spans: Sequence[Span], keys: Sequence[str]) -> None:
        """Learn the full names of a conversation first: "Ann" may stand before "Ann Lee"."""
        for span, key in zip(spans, keys, strict=True):
            if span.kind is Kind.PERSON and len(words := key.split()) > 1:
                for word in words:
                    self._full.setdefault(word, set()).add(key)

    def _placeholder(self, span: Span, key: str) -> str:
        """`[EMAIL_1]` and so on, numbered by first occurrence; numbers that stand in the texts already are left out."""
        kind = span.kind
        if kind is Kind.PERSON and " " not in key and len(full := self._full.get(key, set())) == 1:
            key = next(iter(full))
        known = self._named.get((kind, key))
        if known is not None:
            return known
        number = self._next.get(kind, 1)
        while (name := f"{_OPENINGS[kind]}{number}]") in self._taken:
            number += 1
        self._next[kind] = number + 1
        self._named[kind, key] = name
        return name


def _replaced(text: str, spans: Sequence[Span], placeholders: Iterable[str]) -> str:
    parts, at = list[str](), 0
    for span, placeholder in zip(spans, placeholders, strict=True):
        parts += [text[at : span.start], placeholder]
        at = span.end
    parts.append(text[at:])
    return "".join(parts)
