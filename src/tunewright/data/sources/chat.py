"""Chat JSONL: conversations that end with an answer, with a worse answer beside it or a rating where there is one.

    {"messages": [{"role", "content", "weight"?}, …]}                        OpenAI's fine-tuning files
    {"messages": […], "rejected": answer} or {"messages": […], "label": bool}
    {"prompt": …, "completion": …, "label"?: bool}                           TRL's prompt-completion and unpaired rows
    {"prompt"?: …, "chosen": …, "rejected": …}                               TRL's preference rows, prompt apart or within
    {"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}   OpenAI's preference files

A prompt or an answer is a text or a list of messages.
"""

from pathlib import Path
from typing import Any, NamedTuple, get_args

from tunewright.core.message import Conversation, Message, Role
from tunewright.data.names import listed
from tunewright.data.rows import BadRow, Table
from tunewright.data.sources import jsonl

_ROLES: tuple[str, ...] = get_args(Role)
_KEYS = {"role", "content", "weight"}
_SHAPES = (
    {"chosen", "rejected"},
    {"messages"},
    {"prompt", "completion"},
    {"input", "preferred_output", "non_preferred_output"},
)
"""The keys that each shape of row must have; the first that fits is taken."""
_OWN = {"messages", "prompt", "completion", "label", "chosen", "rejected"} | _SHAPES[-1]
"""Keys that are read here when their shape is; all others are fields."""


class Talk(NamedTuple):
    """A chat row: its conversation, the worse answer, the rating, and the keys that it was read from."""

    messages: Conversation
    rejected: str | None
    desirable: bool
    keys: frozenset[str]


def read(path: Path, encoding: str) -> Table:
    """Open a chat JSONL file. Raises BadFile while reading."""
    return jsonl.read(path, encoding)


def is_chat(values: dict[str, Any]) -> bool:
    """Whether a row has the keys of a chat row."""
    return any(shape <= values.keys() for shape in _SHAPES)


def talk(values: dict[str, Any]) -> Talk:
    """What a chat row holds, weights kept. Raises BadRow unless it ends with the assistant."""
    shape = next((shape for shape in _SHAPES if shape <= values.keys()), None)
    if shape is None:
        raise BadRow(f"missing column: the row has no 'messages'; it has {listed(values)}")
    worse: Conversation | None = None
    if "messages" in shape:
        messages = _conversation(values["messages"])
        worse = _after(messages, values.get("rejected"), "rejected")
        used = {"messages", "label", *(["rejected"] if worse else [])}
    elif "completion" in shape:
        prompt = _turns(values["prompt"], "prompt", "user")
        messages = (*prompt, *_turns(values["completion"], "completion", "assistant"))
        used = {"prompt", "completion", "label"}
    elif "chosen" in shape:
        messages = _turns(values["chosen"], "chosen", "assistant")
        worse = _turns(values["rejected"], "rejected", "assistant")
        if "prompt" in values and all(turn.role == "assistant" for turn in (*messages, *worse)):
            prompt = _turns(values["prompt"], "prompt", "user")
            messages, worse = (*prompt, *messages), (*prompt, *worse)
        # answers that hold their prompt need no other: many sets name it beside them once more
        used = {"prompt", "chosen", "rejected", "messages"}
    else:
        asked = values["input"]
        prompt = _turns(asked.get("messages") if isinstance(asked, dict) else asked, "input.messages", "user")
        messages = (*prompt, *_turns(values["preferred_output"], "preferred_output", "assistant"))
        worse = (*prompt, *_turns(values["non_preferred_output"], "non_preferred_output", "assistant"))
        used = set(shape)
    return Talk(_ending(messages), _worse(messages, worse), _rating(values, used), frozenset(used & _OWN))


def _conversation(rows: Any) -> Conversation:
    if not isinstance(rows, list) or len(rows) < 2:
        raise BadRow(
            "bad messages: 'messages' must be an array of at least a user's and an assistant's message"
        )
    return tuple(_message(row, f"messages[{at}]") for at, row in enumerate(rows))


def _after(messages: Conversation, answer: Any, name: str) -> Conversation | None:
    """The conversation with another last answer, where one is given."""
    return None if answer is None else (*messages[:-1], *_turns(answer, name, "assistant"))


def _turns(value: Any, name: str, role: Role) -> Conversation:
    """A text as one message of that role, or a list of messages as it is."""
    if isinstance(value, str):
        return (Message(role=role, content=value),)
    if isinstance(value, list) and value:
        return tuple(_message(row, f"{name}[{at}]") for at, row in enumerate(value))
    raise BadRow(f"bad messages: {name!r} is {jsonl.kind_of(value)}, not a text or a list of messages")


def _ending(messages: Conversation) -> Conversation:
    if messages[-1].role != "assistant":
        raise BadRow(f"bad messages: the last message is the {messages[-1].role}'s, not the assistant's")
    if len(messages) < 2:
        raise BadRow("bad messages: the row has an answer and nothing that asks for it")
    return messages


def _worse(messages: Conversation, worse: Conversation | None) -> str | None:
    """The worse answer. Raises BadRow where the two conversations differ in more than the last answer."""
    if worse is None:
        return None
    _ending(worse)
    if [turn.wire() for turn in worse[:-1]] != [turn.wire() for turn in messages[:-1]]:
        raise BadRow("bad pair: the two answers do not follow the same messages")
    return worse[-1].content


def _rating(values: dict[str, Any], used: set[str]) -> bool:
    """The row's `label`, where it is true or false (beside a prompt and a completion also 1 or 0); else it is a field."""
    label = values.get("label")
    if "label" in used and (isinstance(label, bool) or ("completion" in used and label in (0, 1))):
        return bool(label)
    used.discard("label")
    return True


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
