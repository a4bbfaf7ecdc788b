"""One message of a chat row: OpenAI's shape, and what other tools write for it.

{"role", "content", "weight"? or "train"?}                             content: a text, or a list of text parts
{"role": "assistant", "tool_calls": [{"id"?, "function": {"name", "arguments"}}, …]}     see _call.py
{"role": "tool", "content", "tool_call_id"?, "name"?}

Whatever else a message has is kept aside, or refused where it has a meaning that would be lost (side_keys.py). Thinking is
what the source says of it (data/thinking.py).
"""

from typing import Any, get_args

from tunewright.core.message import Message, Role, ToolCall
from tunewright.data.names import listed
from tunewright.data.rows import BadRow
from tunewright.data.side_keys import beside
from tunewright.data.sources import jsonl
from tunewright.data.sources._call import read_calls, read_text
from tunewright.data.thinking import REFUSED, Thoughts

_ROLES: tuple[str, ...] = get_args(Role)
_KEYS = ("role", "content", "weight", "train", "name", "tool_calls", "tool_call_id")
_PLAIN = {"role", "content"}
_LEAST_WEIGHT = 1e-3
"""The least weight that is not 0: with much smaller ones a step's weights sum to what fp32 cannot divide by."""


def read_message(
    row: Any, where: str, aside: dict[str, dict[str, Any]] | None = None, thoughts: Thoughts = REFUSED
) -> Message:
    """The message that `row` holds; `where` is its place in words. Raises BadRow.

    Keys that say nothing of the message go into `aside`, by the place; where there is no such thing they are refused.
    `thoughts` says what becomes of thinking.
    """
    if not isinstance(row, dict):
        raise BadRow(f"bad messages: {where} is {jsonl.kind_of(row)}, not an object")
    role, content = row.get("role"), row.get("content")
    if role not in _ROLES:
        raise BadRow(f"bad messages: {where}.role is {str(role)[:40]!r}; roles are {listed(_ROLES)}")
    if row.keys() == _PLAIN and isinstance(content, str):  # as most rows' are
        return Message(role=role, content=content)
    calls = read_calls(row.get("tool_calls"), role, where)
    told, inside = thoughts.parts(content, role, f"{where}.content")
    content = _content(told, where, calls)
    weight = _weight(row, where)
    own = {key: read_text(row.get(key), f"{where}.{key}") for key in ("tool_call_id", "name")}
    if own["tool_call_id"] is not None and role != "tool":
        raise BadRow(f"bad messages: {where}.tool_call_id stands in a message of the {role}, not of a tool")
    keys = {key: value for key, value in row.items() if key not in _KEYS}
    if role != "tool":  # templates show no other's
        keys["name"] = own.pop("name")
    more, thought = thoughts.part(keys, role, where, inside=inside)
    content = thoughts.joined(content, thought, calls=bool(calls), where=where)
    if extra := beside(more, role, bool(calls), where):
        if aside is None:
            raise BadRow(f"bad messages: {where} has {listed(extra)}; a message has {', '.join(_KEYS)}")
        aside[where] = extra
    return Message(role=role, content=content, weight=weight, tool_calls=calls, **own)


def _content(value: Any, where: str, calls: tuple[ToolCall, ...]) -> str:
    """The text; one of parts is their texts joined. A message that calls tools need not have one."""
    if value is None and calls:
        return ""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        raise BadRow(f"bad messages: {where}.content is {jsonl.kind_of(value)}, not a text")
    return "".join(_part(part, f"{where}.content[{at}]") for at, part in enumerate(value))


def _part(part: Any, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or kind != "text" or not isinstance(part.get("text"), str):
        what = repr(kind[:40]) if isinstance(kind, str) and kind != "text" else jsonl.kind_of(part)
        raise BadRow(f"bad messages: {where} is {what}; of content in parts only texts are read")
    extra = [key for key, value in part.items() if key not in ("type", "text") and value is not None]
    if extra:
        raise BadRow(f"bad messages: {where} has {listed(extra)}; a part has type and text")
    return str(part["text"])


def _weight(row: dict[str, Any], where: str) -> int | float | None:
    """How much the message counts: its weight, or its `train` as 1 or 0."""
    weight, train = row.get("weight"), row.get("train")
    if weight is not None and (
        isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1
    ):
        raise BadRow(f"bad messages: {where}.weight is {str(weight)[:40]}, not a number from 0 to 1")
    if weight not in (None, 0, 1):
        if row.get("role") != "assistant":
            raise BadRow(
                f"bad messages: {where}.weight is {weight}, and only the assistant's messages count by a part"
            )
        if weight < _LEAST_WEIGHT:
            raise BadRow(f"bad messages: {where}.weight is {weight}; the least but 0 is {_LEAST_WEIGHT}")
    if train is None:
        return int(weight) if weight in (0, 1) else weight
    if not isinstance(train, bool):
        raise BadRow(f"bad messages: {where}.train is {str(train)[:40]}, not true or false")
    if weight is not None:
        raise BadRow(f"bad messages: {where} has both weight and train; one of them says how much it counts")
    if train and row.get("role") != "assistant":
        raise BadRow(f"bad messages: {where}.train is true, and only the assistant's messages are trained")
    return int(train)
