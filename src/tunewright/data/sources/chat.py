"""Chat JSONL: {"messages": [{"role", "content", "weight"?}, …]}, the shape of OpenAI's fine-tuning files."""

from pathlib import Path
from typing import Any, get_args

from tunewright.core.message import Conversation, Message, Role
from tunewright.data.names import listed
from tunewright.data.rows import BadRow, Table
from tunewright.data.sources import jsonl

_ROLES: tuple[str, ...] = get_args(Role)
_KEYS = {"role", "content", "weight"}


def read(path: Path, encoding: str) -> Table:
    """Open a chat JSONL file. Raises BadFile while reading."""
    return jsonl.read(path, encoding)


def conversation(values: dict[str, Any]) -> Conversation:
    """The messages of a chat row, weights kept. Raises BadRow unless the last one is the assistant's."""
    if "messages" not in values:
        raise BadRow(f"missing column: the row has no 'messages'; it has {listed(values)}")
    rows = values["messages"]
    if not isinstance(rows, list) or len(rows) < 2:
        raise BadRow(
            "bad messages: 'messages' must be an array of at least a user's and an assistant's message"
        )
    messages = tuple(_message(row, f"messages[{at}]") for at, row in enumerate(rows))
    if messages[-1].role != "assistant":
        raise BadRow(f"bad messages: the last message is the {messages[-1].role}'s, not the assistant's")
    return messages


def _message(row: Any, where: str) -> Message:
    if not isinstance(row, dict):
        raise BadRow(f"bad messages: {where} is {jsonl.kind_of(row)}, not an object")
    role, content, weight = row.get("role"), row.get("content"), row.get("weight")
    if role not in _ROLES:
        raise BadRow(f"bad messages: {where}.role is {str(role)[:40]!r}; roles are {listed(_ROLES)}")
    if not isinstance(content, str):
        raise BadRow(f"bad messages: {where}.content is {jsonl.kind_of(content)}, not a text")
    if isinstance(weight, bool) or weight not in (None, 0, 1):
        raise BadRow(f"bad messages: {where}.weight is {str(weight)[:40]}, not 0 or 1")
    extra = [key for key, value in row.items() if key not in _KEYS and value is not None]
    if extra:
        raise BadRow(f"bad messages: {where} has {listed(extra)}; a message has role, content and weight")
    return Message(role=role, content=content, weight=None if weight is None else int(weight))
