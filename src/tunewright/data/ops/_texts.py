"""The texts of a row, taken out and put back: messages, calls, tools, the worse answer, and fields.

texts = texts_of(row)
row = with_texts(row, clean(texts), clean)
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from tunewright.core.example import Example, make_document, make_example
from tunewright.core.message import Message
from tunewright.data.redact.values import Value, within

_BARE = re.compile(r"([:\[,]\s*)(\[[A-Z_]+_[0-9a-f]+\])")
"""A placeholder that stands where a JSON number stood."""
Mend = Callable[[Sequence[str]], Iterable[str]]
"""New texts for some that stand together, one for each."""


def texts_of(row: Example) -> list[str]:
    """Every text that somebody wrote: `turns_of` the row, then the texts of `values_of` it."""
    return [*turns_of(row), *_strings(row.fields)]


def turns_of(row: Example) -> list[str]:
    """The texts of the turns, of names, of tools and calls' arguments, of the worse answer."""
    texts = list[str]()
    for message in row.messages:
        texts.append(message.content)
        if message.tool_calls:
            texts += [call.function.arguments for call in message.tool_calls]
        texts += (message.name or "", message.tools or "")
    return texts if row.rejected is None else [*texts, row.rejected]


def values_of(row: Example) -> list[Value]:
    """The texts and numbers of fields to their depth, and the fields' names, in the order of `texts_of`."""
    values = list[Value]()
    for name, held in row.fields.items():
        values.append(_column(name))
        if isinstance(held, str):  # as most are
            values.append(Value(name, held))
        else:
            values += _values(name, held)
    return values


@lru_cache(maxsize=1024)
def _column(name: str) -> Value:
    """A field's name, which rows have in common."""
    return Value("", name, is_column=True)


def with_texts(row: Example, texts: Sequence[str], mend: Mend) -> Example:
    """The row with these texts in place of its own, in the order of `texts_of`; fields stay as they are where these are
    those of `turns_of` alone.

    A text that was JSON stays JSON: where the new one is none, `mend` makes the texts inside it. No value is
    lost where names of fields become equal: later ones are counted, `name_2`.
    """
    left = iter(texts)
    messages = tuple(_message(message, left, mend) for message in row.messages)
    rejected = None if row.rejected is None else _as_before(row.rejected, next(left), mend)
    of_fields = [*left]
    fields = _filled(row.fields, iter(of_fields)) if of_fields else row.fields
    if row.is_document:
        return make_document(messages[0].content, fields=fields, origin=row.origin)
    desirable = row.desirable if row.rated else None
    return make_example(messages, fields=fields, origin=row.origin, rejected=rejected, desirable=desirable)


def _message(message: Message, left: Iterator[str], mend: Mend) -> Message:
    content = _as_before(message.content, next(left), mend)
    if message.is_plain and message.name is None and message.tools is None:
        name, tools = next(left), next(left)  # of one that has none
        same = content == message.content
        return message if same else Message(role=message.role, content=content, weight=message.weight)
    calls = []
    for call in message.tool_calls:
        arguments = _as_before(call.function.arguments, next(left), mend)
        calls.append(
            call.model_copy(update={"function": call.function.model_copy(update={"arguments": arguments})})
        )
    name, tools = next(left), next(left)
    update = {"content": content, "tool_calls": tuple(calls)}
    if message.name is not None:
        update["name"] = name
    if message.tools is not None:
        update["tools"] = _as_before(message.tools, tools, mend)
    return message.model_copy(update=update)


def _as_before(before: str, after: str, mend: Mend) -> str:
    """The new text; where the old one was JSON and the new one is not, JSON all the same."""
    if before == after or before.lstrip()[:1] not in ("{", "["):
        return after
    try:
        value = json.loads(before)
    except ValueError:
        return after
    for text in (after, _BARE.sub(r'\1"\2"', after)):  # a number that was replaced becomes a text
        try:
            json.loads(text)
        except ValueError:
            continue
        return text
    return json.dumps(_filled(value, iter(mend([*_strings(value)]))), ensure_ascii=False)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _values(name: str, value: Any) -> Iterator[Value]:
    """As `_strings`, each with the name of the field that it is of, and of those that this one is in."""
    if isinstance(value, dict):
        for inner, held in value.items():
            yield Value("", inner)
            yield from _values(within(name, inner), held)
    elif isinstance(value, list):
        for held in value:
            yield from _values(name, held)
    else:
        yield from (Value(name, text) for text in _strings(value))


def _filled(value: Any, left: Iterator[str]) -> Any:
    if isinstance(value, str):
        return next(left)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = next(left)
        return value if text == str(value) else text
    if isinstance(value, dict):
        made = [(next(left), _filled(inner, left)) for inner in value.values()]
        names = told_apart([*value], [name for name, _ in made])
        return dict(zip(names, (inner for _, inner in made), strict=True))
    if isinstance(value, list):
        return [_filled(inner, left) for inner in value]
    return value


def told_apart(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """New names for the old ones; those that become equal to another are counted. What keeps its name has it."""
    taken = {name for name, made in zip(old, new, strict=True) if name == made}
    last = defaultdict[str, int](lambda: 1)
    names = list[str]()
    for name, made in zip(old, new, strict=True):
        free = made
        while name != made and free in taken:
            last[made] += 1
            free = f"{made}_{last[made]}"
        taken.add(free)
        names.append(free)
    return names
