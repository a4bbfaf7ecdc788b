"""What a chat template leaves out of a row with tools: looked for in the text that it makes, piece by piece.

    left_out(conversation, renderer)      "the argument 'Prague' of a call", or none

A template may leave out the second of two calls, tools beside a system message, or the text beside a call, and say nothing.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any, NamedTuple

from tunewright.core.message import Conversation, Message, tools_of
from tunewright.models.template import Renderer

_THOUGHT = "</think>"
"""The end of what templates rightly leave out of turns that are over."""


class _Piece(NamedTuple):
    """A text that the template has to show, and what it is, in words."""

    text: str
    what: str


def left_out(row: Conversation, renderer: Renderer) -> str | None:
    """What of a row's tools, calls and tools' answers the text that the template makes of the row does not have, in words.

    A piece may stand in other pieces and in questions too, so it is counted: as often as in the text up to the first
    answer, and once more for each time that it stands in a later piece. Raises ModelError where the template refuses the
    row.
    """
    tools = tools_of(row)
    if tools is None and not any(message.tool_calls or message.role == "tool" for message in row):
        return None
    head = tuple(takewhile(lambda message: message.role not in ("assistant", "tool"), row))
    text = renderer.text(head) if any(message.role == "user" for message in head) else ""
    named = [_Piece(tool["function"]["name"], "the tool {}") for tool in json.loads(tools or "[]")]
    wanted = [piece for message in row[len(head) :] for piece in _pieces(message)]
    if not text:
        wanted = [*named, *wanted]
    elif missing := _missing(text, "", named, [message.content for message in head]):
        return missing
    beside = [message.content for message in row[len(head) :] if message.role == "user"]
    return _missing(renderer.text(row), text, wanted, beside)


def _pieces(message: Message) -> Iterator[_Piece]:
    """What has to be shown of a call or of a tool's answer."""
    if message.role == "tool":
        yield _Piece(message.content.strip(), "a tool's answer {}")
    elif message.tool_calls:
        said = message.content.rpartition(_THOUGHT)[2]
        yield _Piece(said.strip(), "the text {} beside a call")
    for call in message.tool_calls:
        yield _Piece(call.function.name, "a call of {}")
        for leaf in _leaves(json.loads(call.function.arguments)):
            yield _Piece(leaf, "the argument {} of a call")


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in an argument."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _missing(text: str, before: str, wanted: Iterable[_Piece], beside: list[str]) -> str | None:
    """The first piece that `text` has less often than it should, in words.

    It should have it as often as the text `before`, the pieces and the texts `beside` them together.
    """
    pieces = [piece for piece in wanted if piece.text]
    every = "\0".join([*(piece.text for piece in pieces), *beside])
    for piece in dict.fromkeys(pieces):
        if _count(text, piece.text) < _count(before, piece.text) + every.count(piece.text):
            return piece.what.format(repr(piece.text[:40]))
    return None


def _count(text: str, piece: str) -> int:
    """How often the piece stands in the text, as it is or in JSON text, or in JSON text of JSON text."""
    forms = {piece}
    for ascii_only in (False, True):
        once = json.dumps(piece, ensure_ascii=ascii_only)[1:-1]
        forms |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    return sum(map(text.count, forms))
