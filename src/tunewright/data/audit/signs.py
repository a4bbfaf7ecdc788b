"""What is odd about the letters of a row: misread encodings, signs nobody sees, HTML, two alphabets in a word, links."""

import re
from collections.abc import Iterator
from itertools import islice

from tunewright.core.example import Example
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.clean import drop_controls, mend_encoding, strip_html

_ODD = re.compile("[^\t\n\r -~]")
_MARKUP = re.compile(
    r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
)
_LOST = "\ufffd"
_LEADS = re.compile("[\u00c2-\u00f4\u0100-\u017f\u0400-\u045f]")
"""What first bytes of UTF-8 are misread as: a text without any was not misread."""
_LONGEST = 20_000
"""Characters of a text that are looked at: what is wrong with a text shows in its beginning."""
_LOOK_ALIKE = frozenset("авекмнорстухАВЕКМНОРСТУХіІјЈѕЅaBbeKkMHopcCTyXxAEOPiIjJsS")
"""Cyrillic letters that look like Latin ones, and the other way round."""
_TWO_ALPHABETS = re.compile(r"[a-zA-Z][\u0400-\u04ff]|[\u0400-\u04ff][a-zA-Z]")
_WORD = re.compile(r"[a-zA-Z\u0400-\u04ff]+")
_LOOKED_AT = 20
"""Words of two alphabets that are looked at in a text."""
_ADDRESSES = re.compile(r"\s*+(?:(?:https?://|www\.)\S++\s*+)+")
_SAID = {
    "mojibake": "hold text that was read in the wrong encoding",
    "lost_sign": "hold the sign for a character that could not be read (U+FFFD)",
    "hidden_sign": "hold characters that nobody sees: controls, zero-width signs, turned directions",
    "html": "hold left-overs of HTML",
    "mixed_script": "hold words with letters of two alphabets that look alike",
    "url_only": "ask nothing but a web address",
}


class Signs:
    """Reads the texts of each row, letter by letter where there is reason to."""

    kinds: tuple[str, ...] = tuple(_SAID)

    def __init__(self) -> None:
        self._hits = {kind: Hits() for kind in _SAID}

    def see(self, row: Example) -> None:
        """Take a row in."""
        told = set[str]()
        for message in row.messages:
            text = message.content[:_LONGEST]
            for kind, at in _oddities(text):
                if kind not in told:
                    told.add(kind)
                    self._hits[kind].add(row, text, at)
        if not row.is_document and _ADDRESSES.fullmatch(row.input_text[:_LONGEST]):
            self._hits["url_only"].add(row, row.input_text)

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        for kind, hits in self._hits.items():
            if hits:
                yield Oddity(kind, hits, f"{scope.share(hits.count)} {_SAID[kind]}.")


def _oddities(text: str) -> Iterator[tuple[str, int]]:
    """(kind, where it begins) of what is odd in a text."""
    marked = ("<" in text or "&" in text) and "```" not in text
    if marked and (found := _MARKUP.search(text)) and strip_html(text) != text:
        yield "html", found.start()
    first = _ODD.search(text)
    if first is None:
        return
    if (at := text.find(_LOST)) >= 0:
        yield "lost_sign", at
    lines = text.replace("\r\n", "\n")
    if len(seen := drop_controls(lines)) < len(lines):
        yield "hidden_sign", _differs(lines, seen)
    if not text.isascii():
        if _LEADS.search(text) and (mended := mend_encoding(text)) != text:
            yield "mojibake", _differs(text, mended)
        if (at := _mixed(text)) >= 0:
            yield "mixed_script", at


def _differs(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(other))


def _mixed(text: str) -> int:
    """Where a word begins whose few letters of one alphabet all look like the other's; -1 where none does."""
    for pair in islice(_TWO_ALPHABETS.finditer(text), _LOOKED_AT):
        start = pair.start()
        while start and _WORD.fullmatch(text[start - 1]):
            start -= 1
        word = _WORD.match(text, start)
        latin, cyrillic = list[str](), list[str]()
        for sign in word[0] if word else "":
            (latin if sign.isascii() else cyrillic).append(sign)
        if _LOOK_ALIKE.issuperset(latin if len(latin) < len(cyrillic) else cyrillic):
            return start
    return -1
