"""What a reviewer sees of a row: its parts, and what else stood there."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tunewright.core.example import Example
from tunewright.core.hidden import visible
from tunewright.core.message import tools_of
from tunewright.data.review.edit import edited
from tunewright.project.reviewing import ReviewItem

_CHARS, _LINES = 2000, 30
"""Of a text, what is shown at once."""
_FIRST, _LAST = 4, 12
"""Of the parts, how many are shown at once: what the answer follows is near the end."""
_LABELS = {"user": "cyan", "expected": "green", "text": "green", "rejected": "red"}


class Part(NamedTuple):
    """A part of a row as it is shown."""

    label: str
    text: str
    style: str


def parts(item: ReviewItem) -> Iterator[Part]:
    """The row, and below each of its parts what that was before or what an editor made of it, where it differs."""
    row = item.row
    others = [("before", was) for was in item.before]
    others += [
        (f"edited by {by or 'somebody'}", edited(row, one.edit))
        for by, one in item.standing.by.items()
        if one.edit
    ]
    if tools := tools_of(row.messages):
        yield Part("tools", tools, "dim")
    alike = [(words, other) for words, other in others if len(other.messages) == len(row.messages)]
    for at, message in enumerate(row.messages):
        yield _turn(row, at)
        for words, other in alike:
            if other.messages[at].said != message.said:
                yield Part(words, other.messages[at].said, "yellow")
    for words, other in others:
        if (words, other) not in alike:
            yield Part(words, "\n\n".join(message.said for message in other.messages), "yellow")
    for label, text in _besides(row).items():
        yield Part(label, text, _LABELS.get(label, "dim"))
    for words, other in others:
        for label, text in _besides(other).items():
            if _besides(row).get(label) != text:
                yield Part(f"{label} {words}", text, "yellow")


def _turn(row: Example, at: int) -> Part:
    message, last = row.messages[at], at == len(row.messages) - 1
    name: str = "text" if row.is_document else "expected" if last else message.role
    untrained = " (not learnt)" if message.role == "assistant" and message.weight == 0 else ""
    return Part(f"{name}{untrained}", message.said, _LABELS.get(name, ""))


def _besides(row: Example) -> dict[str, str]:
    """What a row has besides its messages."""
    found = {} if row.rejected is None else {"rejected": row.rejected}
    if row.rated:
        found["rating"] = "good" if row.desirable else "bad"
    if row.fields:
        found["fields"] = "\n".join(f"{name}: {_plain(value)}" for name, value in row.fields.items())
    return found


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def source(item: ReviewItem) -> str:
    """The row's source, and the model that wrote it, in brackets."""
    origin = item.row.origin
    if origin is None:
        return ""
    written = f", written by {origin.teacher}" if origin.teacher else ""
    return f"  ({origin.source}{written})"


def cut(text: str) -> str:
    """As much of a text as is shown at once."""
    lines = text[:_CHARS].split("\n")
    kept = "\n".join(lines[:_LINES])
    left = len(text) - len(kept)
    return f"{kept}\n… {left:,} more characters, v shows them" if left > 0 else text


def shown(item: ReviewItem) -> list[Part]:
    """The parts as they are shown at once: long texts are cut, and of a long conversation the middle is left out."""
    found = [Part(part.label, cut(part.text), part.style) for part in parts(item)]
    left = len(found) - _FIRST - _LAST
    if left <= 0:
        return found
    gap = Part(f"… {left:,} more parts, v shows them", "", "dim")
    return [*found[:_FIRST], gap, *found[-_LAST:]]


def whole(item: ReviewItem) -> str:
    """All of a row, as plain text."""
    return "\n".join(f"{visible(part.label)}\n{visible(part.text)}\n" for part in parts(item))
