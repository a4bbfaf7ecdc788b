"""Text on the page: what is hidden is made visible, what is long is cut, replies are compared word by word."""

import difflib
import re
from typing import Any, Literal, NamedTuple

CLIP = 1_200
"""The most characters of one text that are shown."""
_WORDS = 600
"""The most words compared: the comparison's time grows with their square."""
_WORD = re.compile(r"\w+|[^\w\s]|\s+")
# control characters and lone surrogates cannot stand in HTML; bidirectional overrides can make text read as another
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

Kind = Literal["same", "wrong", "missing"]


class Piece(NamedTuple):
    """Part of a reply held against the expected answer."""

    kind: Kind
    text: str


def visible(text: str) -> str:
    """The text with hidden characters written out: a zero byte becomes ⟨0000⟩."""
    return _HIDDEN.sub(lambda match: f"⟨{ord(match[0]):04X}⟩", text.replace("\r\n", "\n").replace("\r", "\n"))


def clip(text: str, most: int = CLIP) -> str:
    """At most `most` characters, and how many more there are."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def first_line(text: str, most: int = 110) -> str:
    """The text on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def compare(expected: str, reply: str) -> list[Piece]:
    """The reply in pieces: what agrees with the expected answer, what does not, and what is missing there.

    Blanks do not count as differences. Texts too long to compare come back whole, as the same.
    """
    theirs, ours = _words(clip(expected)), _words(clip(reply))
    if max(len(theirs), len(ours)) > _WORDS:
        return [Piece("same", clip(reply))]
    matcher = difflib.SequenceMatcher(
        None, [word.strip() for word in theirs], [word.strip() for word in ours], autojunk=False
    )
    pieces: list[Piece] = []
    for tag, start, end, ours_start, ours_end in matcher.get_opcodes():
        if ours_end > ours_start:
            pieces.append(Piece("same" if tag == "equal" else "wrong", "".join(ours[ours_start:ours_end])))
        elif "".join(theirs[start:end]).strip():
            pieces.append(Piece("missing", "".join(theirs[start:end]).strip()))
    return pieces


def fact(value: Any) -> str:
    """A fact as a table shows it: few digits for floats, commas in large integers, lists joined, sentences by a blank."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {fact(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        parts = [fact(inner) for inner in value]
        return (" " if all(part.endswith(".") for part in parts) else ", ").join(parts)
    return str(value)


def _words(text: str) -> list[str]:
    """Words and signs, each with the blanks after it."""
    words: list[str] = []
    for match in _WORD.finditer(text):
        if match[0].isspace() and words:
            words[-1] += match[0]
        else:
            words.append(match[0])
    return words
