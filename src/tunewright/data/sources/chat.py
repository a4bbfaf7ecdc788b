"""Chat JSONL: conversations that end with an answer, with a worse answer beside it or a rating where there is one.

    {"messages": [{"role", "content", …}, …]}                                OpenAI's fine-tuning files
    {"messages": […], "rejected": answer} or {"messages": […], "label": rating}
    {"prompt": …, "completion": …, "label"?: rating}                         TRL's prompt-completion and unpaired rows
    {"prompt"?: …, "chosen": …, "rejected": …}                               TRL's preference rows, prompt apart or within
    {"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}   OpenAI's preference files

A prompt or an answer is a text or a list of messages (see _message.py; `messages` may be JSON text of one); beside any of
them may stand `tools` (_call.py).
A rating is true or false, or says so as a table's cell may (yes, good, up, 1); `kto_tag` is another name for it. A `label`
of messages that says anything else is a field.
"""

from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.message import Conversation, Message, Role, with_tools
from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import listed
from tunewright.data.ratings import is_rating, read_rating
from tunewright.data.rows import BadRow, Table
from tunewright.data.side_keys import refuse_lost
from tunewright.data.sources import jsonl
from tunewright.data.sources._call import check_calls, read_tools
from tunewright.data.sources._message import read_message
from tunewright.data.thinking import BEGIN, REFUSED, Thoughts

_SHAPES = (
    {"chosen", "rejected"},
    {"messages"},
    {"prompt", "completion"},
    {"input", "preferred_output", "non_preferred_output"},
)
"""The keys that each shape of row must have; the first that fits is taken."""
_TAG = "kto_tag"
"""What LLaMA-Factory calls the rating; nothing else is called so."""
_OWN = {"messages", "tools", "prompt", "completion", "label", _TAG, "chosen", "rejected"} | _SHAPES[-1]
"""Keys that are read here when their shape is; all others are fields."""

_Aside = dict[str, dict[str, Any]] | None
"""A message's place → its keys that say nothing of it."""


class _Beside(NamedTuple):
    """Where what stands beside the messages' texts goes."""

    aside: _Aside
    thoughts: Thoughts


class Talk(NamedTuple):
    """A chat row: its conversation, the worse answer, the rating, and the keys that it was read from."""

    messages: Conversation
    rejected: str | None
    desirable: bool | None
    """None where nobody rated the answer."""
    keys: frozenset[str]


def read(path: Path, encoding: str) -> Table:
    """Open a chat JSONL file. Raises BadFile while reading."""
    return jsonl.read(path, encoding)


def is_chat(values: dict[str, Any]) -> bool:
    """Whether a row has the keys of a chat row."""
    return any(shape <= values.keys() for shape in _SHAPES)


def talk(values: dict[str, Any], aside: _Aside = None, thoughts: Thoughts = REFUSED) -> Talk:
    """What a chat row holds, weights kept. Raises BadRow unless it ends with the assistant.

    Keys of its messages that say nothing of them go into `aside`, by the message's place (`messages[0]`), and so do those of
    OpenAI's `input`; where there is no such thing they are refused. `thoughts` says what becomes of thinking beside them.
    """
    shape = next((shape for shape in _SHAPES if shape <= values.keys()), None)
    if shape is None:
        raise BadRow(f"missing column: the row has no 'messages'; it has {listed(values)}")
    refuse_lost(values)
    more = _Beside(aside, thoughts)
    worse: Conversation | None = None
    if "messages" in shape:
        messages = _conversation(values["messages"], more)
        worse = _after(messages, values.get("rejected"), "rejected", more)
        used = {"messages", "label", *(["rejected"] if worse else [])}
    elif "completion" in shape:
        prompt = _turns(values["prompt"], "prompt", "user", more)
        messages = (*prompt, *_turns(values["completion"], "completion", "assistant", more))
        used = {"prompt", "completion", "label"}
    elif "chosen" in shape:
        messages = _turns(values["chosen"], "chosen", "assistant", more)
        worse = _turns(values["rejected"], "rejected", "assistant", more)
        if "prompt" in values and all(turn.role == "assistant" for turn in (*messages, *worse)):
            prompt = _turns(values["prompt"], "prompt", "user", more)
            messages, worse = (*prompt, *messages), (*prompt, *worse)
        elif isinstance(values.get("prompt"), list) and values["prompt"]:
            spare = Thoughts("drop")  # these turns are read for their side keys alone
            prompt = _turns(values["prompt"], "prompt", "user", _Beside(aside, spare))
            if spare.found:
                thoughts.apart(
                    "prompt", any(turn.content.startswith(BEGIN) for turn in messages[: len(prompt)])
                )
        # answers that hold their prompt need no other: many sets name it beside them once more
        used = {"prompt", "chosen", "rejected", "messages"}
    else:
        asked = values["input"] if isinstance(values["input"], dict) else {"messages": values["input"]}
        prompt = _turns(asked.get("messages"), "input.messages", "user", more)
        own = {key: value for key, value in asked.items() if key not in ("messages", "tools", "functions")}
        if own and aside is None:
            raise BadRow(f"bad messages: 'input' has {listed(own)}; it has messages and tools")
        if own and aside is not None:
            aside["input"] = own
        messages = (*prompt, *_turns(values["preferred_output"], "preferred_output", "assistant", more))
        worse = (*prompt, *_turns(values["non_preferred_output"], "non_preferred_output", "assistant", more))
        used = set(shape)
    _ending(messages)
    rejected, rating = _worse(messages, worse), _rating(values, used)
    tools = _tools(values, used)
    check_calls(messages, tools)
    return Talk(with_tools(messages, tools), rejected, rating, frozenset(used & _OWN))


def _conversation(rows: Any, more: _Beside) -> Conversation:
    if isinstance(rows, str) and rows.lstrip().startswith("["):  # in databases and tables without lists
        try:
            rows = parse(rows)
        except StrictJsonError as error:
            raise BadRow(f"bad messages: 'messages' is no JSON: {error}") from None
    if not isinstance(rows, list) or len(rows) < 2:
        raise BadRow(
            "bad messages: 'messages' must be an array of at least a user's and an assistant's message"
        )
    return tuple(read_message(row, f"messages[{at}]", *more) for at, row in enumerate(rows))


def _after(messages: Conversation, answer: Any, name: str, more: _Beside) -> Conversation | None:
    """The conversation with another last answer, where one is given."""
    return None if answer is None else (*messages[:-1], *_turns(answer, name, "assistant", more))


def _turns(value: Any, name: str, role: Role, more: _Beside) -> Conversation:
    """A text as one message of that role, or a list of messages as it is."""
    if isinstance(value, str):
        return (Message(role=role, content=value),)
    if isinstance(value, list) and value:
        return tuple(read_message(row, f"{name}[{at}]", *more) for at, row in enumerate(value))
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
    if worse[-1].tool_calls:
        raise BadRow("bad pair: the worse answer calls a tool, and only a text can be the worse answer")
    return worse[-1].content


def _tools(values: dict[str, Any], used: set[str]) -> str | None:
    """The row's tools; OpenAI's preference rows have them beside the messages of `input`."""
    places = [values]
    if "input" in used and isinstance(values["input"], dict):
        places.append(values["input"])
    used.add("tools")
    found = {tools for place in places if (tools := read_tools(place.get("tools"))) is not None}
    if len(found) > 1:
        raise BadRow("bad tools: the row's tools are others than those of its 'input'")
    if not found and any(isinstance(place.get("functions"), list) and place["functions"] for place in places):
        raise BadRow("bad tools: 'functions' stands beside the messages; rename it to 'tools'")
    return found.pop() if found else None


def _rating(values: dict[str, Any], used: set[str]) -> bool | None:
    """The row's rating, or none where it has none. Raises BadRow for one that cannot be read.

    A row of messages may have a `label` that is no rating but a category: it is a field.
    """
    if "label" not in used:  # pairs: the better answer is told by its key
        return None
    names = [name for name in ("label", _TAG) if name in values]
    label = values.get("label")
    if "completion" not in used and label is not None and not is_rating(label):
        names.remove("label")
        used.discard("label")
    used.add(_TAG)
    found = {read_rating(values[name], name) for name in names}
    if len(found) > 1:
        raise BadRow(f"bad rating: 'label' and {_TAG!r} say the opposite of each other")
    return found.pop() if found else None
