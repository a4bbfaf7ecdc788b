"""The texts of a row, taken out and put back: messages, calls, the worse answer, and fields.

texts = texts_of(row)
row = with_texts(row, [clean(text) for text in texts])
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tunewright.core.example import Example, make_document, make_example
from tunewright.core.message import Message

_BARE = re.compile(r"([:\[,]\s*)(\[[A-Z_]+_\d+\])")
"""A placeholder that stands where a JSON number stood."""


def texts_of(row: Example) -> list[str]:
    """Every text that somebody wrote: of the turns, of calls' arguments, of the worse answer, of fields, to their depth."""
    turns = [
        text
        for message in row.messages
        for text in (message.content, *(call.function.arguments for call in message.tool_calls))
    ]
    worse = [] if row.rejected is None else [row.rejected]
    return [*turns, *worse, *_strings(row.fields)]


def with_texts(row: Example, texts: Sequence[str]) -> Example:
    """The row with these texts in place of its own, in the order of `texts_of`."""
    left = iter(texts)
    messages = tuple(_message(message, left) for message in row.messages)
    rejected = None if row.rejected is None else next(left)
    fields = _filled(row.fields, left)
    if row.is_document:
        return make_document(messages[0].content, fields=fields, origin=row.origin)
    desirable = row.desirable if row.rated else None
    return make_example(messages, fields=fields, origin=row.origin, rejected=rejected, desirable=desirable)


def _message(message: Message, left: Iterator[str]) -> Message:
    content = _as_before(message.content, next(left))
    calls = tuple(
        call.model_copy(
            update={
                "function": call.function.model_copy(
                    update={"arguments": _as_before(call.function.arguments, next(left))}
                )
            }
        )
        for call in message.tool_calls
    )
    return message.model_copy(update={"content": content, "tool_calls": calls})


def _as_before(before: str, after: str) -> str:
    """The new text; where the old one was JSON and the new one is not any more, a number was replaced: it becomes a text."""
    if before == after or before.lstrip()[:1] not in ("{", "["):
        return after
    try:
        json.loads(before)
    except ValueError:
        return after
    try:
        json.loads(after)
    except ValueError:
        return _BARE.sub(r'\1"\2"', after)
    return after


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _filled(value: Any, left: Iterator[str]) -> Any:
    if isinstance(value, str):
        return next(left)
    if isinstance(value, dict):
        return {name: _filled(inner, left) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, left) for inner in value]
    return value
