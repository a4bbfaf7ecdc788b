"""Text on the page: what is long is cut, replies are compared word by word."""

import difflib
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

CLIP = 1_200
"""The most characters of one text that are shown."""
_WORDS = 600
"""The most words compared: the comparison's time grows with their square."""
_WORD = re.compile(r"\w+|[^\w\s]|\s+")
_NO_BLANK = re.compile(r"\w+|[^\w\s]")
_TOO_LONG = "Too long to compare word by word, so no difference is marked:\n"

Kind = Literal["same", "wrong", "missing", "uncompared", "note"]


class Piece(NamedTuple):
    """Part of a reply held against the expected answer."""

    kind: Kind
    text: str


def clip(text: str, most: int = CLIP) -> str:
    """At most `most` characters, and how many more there are."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def first_line(text: str, most: int = 110) -> str:
    """The text on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def compare(expected: str, reply: str) -> list[Piece]:
    """The reply in pieces: what agrees with the expected answer, what does not, and what is missing there.

    Blanks do not count as differences. A note says what is too long to compare.
    """
    if reply and _same(expected, reply):
        return [Piece("same", clip(reply))]
    theirs, ours = _words(expected[:CLIP]), _words(reply[:CLIP])
    if max(len(theirs), len(ours)) > _WORDS:
        return [Piece("note", _TOO_LONG), Piece("uncompared", clip(reply))]
    return [*_pieces(theirs, ours), *_rest(expected, reply)]


def _same(expected: str, reply: str) -> bool:
    both = zip_longest(_NO_BLANK.finditer(expected), _NO_BLANK.finditer(reply))
    return all(theirs and ours and theirs[0] == ours[0] for theirs, ours in both)


def _pieces(theirs: list[str], ours: list[str]) -> Iterator[Piece]:
    matcher = difflib.SequenceMatcher(
        None, [word.strip() for word in theirs], [word.strip() for word in ours], autojunk=False
    )
    for tag, start, end, ours_start, ours_end in matcher.get_opcodes():
        if ours_end > ours_start:
            yield Piece("same" if tag == "equal" else "wrong", "".join(ours[ours_start:ours_end]))
        elif "".join(theirs[start:end]).strip():
            yield Piece("missing", "".join(theirs[start:end]).strip())


def _rest(expected: str, reply: str) -> Iterator[Piece]:
    """How much of both is not compared, where one is longer than what is shown."""
    lengths = {"of the reply": len(reply), "of the expected answer": len(expected)}
    more = [f"{length - CLIP:,} more characters {of}" for of, length in lengths.items() if length > CLIP]
    if more:
        yield Piece("note", f" … (not compared: {' and '.join(more)})")


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
