"""Text repairs, each a small pure function: what scraped, mailed and exported text brings along that nobody wrote.

    clean("FranÃ§ois &amp; I<br>agree", ["encoding", "html"])   # "François & I\\nagree"

`REPAIRS` names them, in the order in which they make sense. Boilerplate that is repeated across rows needs all rows:
data/boilerplate.py finds it.
"""

import html
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache

from tunewright.core.errors import DataError

_CODECS = ("cp1252", "latin-1", "cp1251", "cp1250")
"""What UTF-8 is most often misread as."""
_SURE_LEADS = frozenset("ÃÂâð")
"""Misread first bytes of western letters, quotes and emoji: followed by a misread second one they are nothing else."""
_ROUNDS = 3
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Controls, soft hyphens, zero-width signs, and halves of characters; not the joiners that scripts and emoji need."""
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Signs that turn the direction of text: what is shown is not what stands there."""
_HIDDEN = ("script", "style", "head", "template", "noscript")
"""Elements whose text nobody sees."""
_BREAK = re.compile(
    r"(?i)<(?:br|hr|/p|/div|/li|/tr|/h[1-6]|/blockquote|/section|/article|/table)\b[^<>]{0,500}>"
)
_ITEM = re.compile(r"(?i)<li\b[^<>]{0,500}>")
_TAG = re.compile(
    r"(?i)</?(?:a|abbr|article|aside|b|big|blockquote|body|button|center|code|col|colgroup|dd|div|dl|dt|em|figcaption|figure"
    r"|font|footer|form|h[1-6]|head|header|html|i|iframe|img|input|ins|label|li|link|main|meta|nav|ol|option|p|picture|pre"
    r"|s|section|select|small|source|span|strike|strong|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|video|wbr)"
    r"(?:\s[^<>]{0,2000})?/?>"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_REPLY_HEAD = re.compile(
    r"(?im)^[ \t>]*(?:on\b[^\n]{4,160}(?:\n[^\n]{0,120})?\bwrote|am\b[^\n]{4,160}(?:\n[^\n]{0,120})?\bschrieb[^\n:]{0,80}"
    r"|le\b[^\n]{4,160}(?:\n[^\n]{0,120})?\ba écrit|el\b[^\n]{4,160}(?:\n[^\n]{0,120})?\bescribió"
    r"|il\b[^\n]{4,160}(?:\n[^\n]{0,120})?\bha scritto|em\b[^\n]{4,160}(?:\n[^\n]{0,120})?\bescreveu)\s?:[ \t]*$"
)
_FORWARD = re.compile(
    r"(?im)^[ \t]*(?:-{3,}[ \t]*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine)[ \t]*-{3,}"
    r"|_{10,}[ \t]*\n(?=from:)|from:[^\n]{1,200}\n(?:sent|date):[^\n]{1,200}\n(?:to|cc|subject):)"
)
_QUOTED = re.compile(r"(?m)^[ \t]*>[^\n]*(?:\n|\Z)")
_SIGNATURE = re.compile(r"(?m)^-- ?$")
_CLOSINGS = (
    *(
        "regards",
        "kind regards",
        "best regards",
        "warm regards",
        "best wishes",
        "best",
        "many thanks",
        "thanks",
    ),
    *("thank you", "sincerely", "yours sincerely", "yours truly", "yours faithfully", "cheers"),
    *(
        "mit freundlichen grüßen",
        "mit freundlichen gruessen",
        "viele grüße",
        "liebe grüße",
        "cordialement",
        "saludos",
    ),
    *("atentamente", "cordiali saluti", "met vriendelijke groet", "med vänlig hälsning", "pozdrawiam"),
)
_CLOSING = re.compile(rf"(?i)^[ \t]*(?:{'|'.join(_CLOSINGS)})[ \t]*[,.!]?[ \t]*$")
_SENT_FROM = re.compile(
    r"(?im)^[ \t]*(?:sent from my [^\n]{1,60}|get outlook for [^\n]{1,40}|von meinem [^\n]{1,40} gesendet"
    r"|envoyé de mon [^\n]{1,40})[ \t]*$"
)
_MOST_SIGNATURE_LINES, _LONGEST_SIGNATURE_LINE = 8, 80


def mend_encoding(text: str) -> str:
    """Undo UTF-8 that was read as another encoding, up to three times over ("FranÃ§ois" → "François").

    A text is turned back as a whole where all of its signs beyond ASCII, read back, are UTF-8: text in order hardly ever is.
    Else only stretches are that cannot be anything else.
    """
    for _ in range(_ROUNDS):
        if text.isascii():
            break
        mended = next((whole for codec in _CODECS if (whole := _read_again(text, codec)) is not None), None)
        if mended is None:
            mended = _MISREAD.sub(_decoded, text)
        if mended == text:
            break
        text = mended
    return text


class _Misreading:
    """One encoding as browsers have it: bytes that it leaves undefined are the control characters of that number."""

    def __init__(self, codec: str) -> None:
        letters = [bytes((byte,)).decode(codec, errors="ignore") or chr(byte) for byte in range(256)]
        self.bytes = {letter: byte for byte, letter in enumerate(letters)}
        self.letters = letters


@cache
def _misreading(codec: str) -> _Misreading:
    return _Misreading(codec)


def _read_again(text: str, codec: str) -> str | None:
    """The text as UTF-8, if it may have been that, misread as `codec`."""
    table = _misreading(codec).bytes
    try:
        mended = bytes(table[sign] for sign in text).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
    sequences = len(text) - len(mended)
    surely = sequences > 1 or not _SURE_LEADS.isdisjoint(text) or _odd(text)
    return mended if surely else None


def _odd(text: str) -> bool:
    """Whether a capital beyond ASCII stands inside a word ("PaweÅ‚") or a sign does behind one ("Å›w")."""
    return any(
        sign.isupper()
        and not sign.isascii()
        and (text[at - 1 : at].islower() or text[at + 2 : at + 3].islower())
        for at, sign in enumerate(text)
    )


def _misread_pattern() -> re.Pattern[str]:
    letters = _misreading("cp1252").letters
    follows = "[" + re.escape("".join(letters[0x80:0xC0])) + "\x80-\x9f]"
    capital = f"(?:(?<=[a-zß-ÿ])[Ä-ß]{follows}|[Ä-ß]{follows}(?=[a-z]))"
    return re.compile(f"[ÃÂ]{follows}|{capital}|â{follows}{{2}}|ð{follows}{{3}}")


def _decoded(match: re.Match[str]) -> str:
    table = {**_misreading("latin-1").bytes, **_misreading("cp1252").bytes}
    try:
        return bytes(table[sign] for sign in match[0]).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return match[0]


_MISREAD = _misread_pattern()


def drop_controls(text: str) -> str:
    """Drop what is not to be seen: control characters, zero-width signs, soft hyphens, turned directions.

    Line ends become "\\n"; tabs stay; joiners stay, which emoji and some scripts need.
    """
    text = (
        text.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u2029", "\n\n")
        .replace("\x85", "\n")
    )
    return _BIDI.sub("", _CONTROL.sub("", text.replace("\x0c", "\n")))


def strip_html(text: str) -> str:
    """Text of HTML left-overs: known tags go, breaks and blocks become lines, entities become characters.

    Only tags that HTML has are taken out: `List<int>` and "a < b" stay.
    """
    if "<" in text:
        text = _without_hidden(text)
        text = _TAG.sub("", _ITEM.sub("- ", _BREAK.sub("\n", text)))
        text = re.sub(r"\n[ \t]++(?=\n)", "\n", text)
        text = re.sub(r"\n{3,}", "\n\n", text)
    return _ENTITY.sub(_character, text) if "&" in text else text


def drop_quotes(text: str) -> str:
    """Drop the messages that a mail quotes: below "On … wrote:" or a forwarding line, and lines that begin with ">".

    A text that is nothing but quotes stays as it is.
    """
    ends = [match.start() for match in (_REPLY_HEAD.search(text), _FORWARD.search(text)) if match is not None]
    kept = text[: min(ends)] if ends else text
    kept = _QUOTED.sub("", kept)
    return kept.rstrip() if kept.strip() and kept != text else text


def drop_signature(text: str) -> str:
    """Drop a mail's signature: below "-- ", or a closing line such as "Kind regards," with a few short lines under it.

    A text that is nothing but a signature stays as it is.
    """
    kept = _SENT_FROM.sub("", text)
    lines = kept.split("\n")
    at = next((at for at in range(len(lines) - 1, -1, -1) if _SIGNATURE.match(lines[at])), None)
    if at is None:
        first = max(0, len(lines) - _MOST_SIGNATURE_LINES)
        at = next((at for at in range(first, len(lines)) if _closes(lines, at)), None)
    kept = "\n".join(lines[:at])
    return kept.rstrip() if kept.strip() and kept != text else text


def collapse_blanks(text: str) -> str:
    """Odd blanks become plain ones, runs of them one, more than one empty line one; the ends are trimmed.

    The indent of a line stays: code lives by it.
    """
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    text = re.sub(r"(?<=\S)[ \t]{2,}+(?=\S)", " ", text)
    text = re.sub(r"(?<![ \t])[ \t]++(?=\n|\Z)", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _without_hidden(text: str) -> str:
    """Without comments and elements that are not shown; what has no end stays."""
    for opening, closing in (("<!--", "-->"), *((f"<{name}", f"</{name}>") for name in _HIDDEN)):
        kept, at = [], 0
        folded = text.lower()
        if len(folded) != len(text):  # a rare letter (İ) has a longer small form
            folded = text
        for start in _openings(folded, opening):
            if start < at:
                continue
            end = folded.find(closing, start)
            if end < 0:
                break
            kept.append(text[at:start])
            at = end + len(closing)
        text = "".join([*kept, text[at:]])
    return text


def _openings(folded: str, opening: str) -> Iterator[int]:
    """Where an element opens: `<head` and not `<header`."""
    at = folded.find(opening)
    while at >= 0:
        after = at + len(opening)
        if opening == "<!--" or not folded[after : after + 1].isalnum():
            yield at
        at = folded.find(opening, after)


def _character(match: re.Match[str]) -> str:
    """An entity's character; a control's number, and a name that HTML does not have, stay as they are."""
    sign = html.unescape(match[0])
    unseen = sign == "\ufffd" or (_CONTROL.search(sign) and sign not in "\u00ad\u200b")
    return match[0] if len(sign) > 2 or unseen else sign


def _closes(lines: list[str], at: int) -> bool:
    """Whether a closing stands on this line and only a name, a firm, numbers follow: short lines, none a question."""
    below = [line.strip() for line in lines[at + 1 :] if line.strip()]
    short = all(len(line) <= _LONGEST_SIGNATURE_LINE and not line.endswith(("?", ":")) for line in below)
    return at > 0 and bool(_CLOSING.match(lines[at])) and short


REPAIRS: dict[str, Callable[[str], str]] = {
    "encoding": mend_encoding,
    "html": strip_html,
    "controls": drop_controls,
    "quotes": drop_quotes,
    "signature": drop_signature,
    "blanks": collapse_blanks,
}
"""Name → repair, in the order in which `clean` makes them."""


def clean(text: str, repairs: Collection[str]) -> str:
    """Make the named repairs, in the order of `REPAIRS`. Raises DataError for a name that there is not."""
    if unknown := sorted(set(repairs) - REPAIRS.keys()):
        raise DataError(
            f"there is no repair {unknown[0]!r}",
            where="clean.repairs",
            fix=f"The repairs are {', '.join(REPAIRS)}.",
        )
    for name, repair in REPAIRS.items():
        if name in repairs:
            text = repair(text)
    return text
