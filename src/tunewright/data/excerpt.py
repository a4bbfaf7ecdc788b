"""What may be shown of a row: a line of its text, cut, with personal data and secrets replaced.

    excerpt("Write to anna@mail.example,\\nplease")     # Write to [EMAIL], please

Whatever tells of rows without being asked for them (findings, clusters, gaps, labels) shows them through this.
"""

from functools import cache
from typing import TYPE_CHECKING

from tunewright.core.hidden import visible

if TYPE_CHECKING:
    from tunewright.data.redact.redactor import Redactor

CLIP = 140
"""Characters that are shown."""
SURE = 0.6
"""How sure the redactor must be. Our own choice: below are hints, and what is told of many rows should seldom be wrong."""
_BEFORE = 30
"""Of the characters, those that stand before what is to be seen."""
_AROUND = 4000
"""Characters on either side that are looked at for personal data: a number or a key is to be seen whole."""


def excerpt(text: str, at: int = 0, most: int = CLIP) -> str:
    """A line of the text around a place, hidden characters written out, personal data and secrets replaced."""
    begin = max(0, at - _BEFORE) if at > _BEFORE else 0
    first, last = max(0, begin - _AROUND), begin + most + _AROUND
    spans = [
        (first + span.start, first + span.end, span.kind.value.upper())
        for span in _redactor().find(text[first:last])
    ]
    pieces, here, end = list[str](), begin, min(len(text), begin + most)
    for start, stop, kind in spans:
        if stop > here and start < end:
            pieces += [text[here : max(here, start)], f"[{kind}]"]
            here = stop
    line = " ".join(visible("".join([*pieces, text[here:end]])).split())
    return f"{'… ' if begin else ''}{line}{' …' if end < len(text) else ''}"


def label_excerpt(label: str, most: int = CLIP) -> str:
    """A label, or another value that rows share, as an excerpt. A first name and nothing else stands as it is: it is a name
    of something (Julia, a language), or says of nobody who it is."""
    return label.strip() if _is_first_name(label) else excerpt(label, most=most)


def is_personal(label: str) -> bool:
    """Whether its excerpt would hide something of a label."""
    return bool(_redactor().find(label)) and not _is_first_name(label)


def _is_first_name(text: str) -> bool:
    found = _redactor().find(text) if text.strip().isalpha() else []
    return [span.rule for span in found] == ["first_name"]


@cache
def _redactor() -> "Redactor":
    from tunewright.data.redact.redactor import Redactor

    return Redactor(sure=SURE)
