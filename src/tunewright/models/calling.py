"""How a chat template shows tools: whether it shows them, and in which form it wants a call.

Templates differ. Some write a call's arguments themselves and want an object (Qwen's), some put in the text that they are
given (DeepSeek's); some take a call for one only where the message has no text at all. So each form is tried on a made-up
conversation, and the first that shows the call is taken.
"""

import json
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, NamedTuple

from tunewright.core.errors import ModelError

Turn = dict[str, Any]
"""A message as a template is given it."""
Render = Callable[[list[Turn], list[Any] | None], str]
"""The text that the template makes of turns and tools. Raises ModelError where it refuses them."""

_NAME, _KEY, _VALUE, _SAID = "probe_tool", "probe_key", "probe value", "probe answer"
_PYTHON = f"'{_KEY}'"
"""In the quotes of Python's: an object was put into the text without being written as JSON."""
_TOOL = {
    "type": "function",
    "function": {
        "name": _NAME,
        "description": "A probe.",
        "parameters": {
            "type": "object",
            "properties": {_KEY: {"type": "string", "description": "A probe."}},
            "required": [_KEY],
        },
    },
}
_ID = "probe0123"
"""Nine letters and digits, which Mistral's templates insist on."""
_SYSTEM: Turn = {"role": "system", "content": "b"}
_ASKED: Turn = {"role": "user", "content": "a"}
_SAYS: Turn = {"role": "assistant", "content": "c"}
_CALLED: Turn = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": _ID,
            "type": "function",
            "function": {"name": _NAME, "arguments": json.dumps({_KEY: _VALUE})},
        }
    ],
}
_ANSWERED: Turn = {"role": "tool", "content": _SAID, "tool_call_id": _ID, "name": _NAME}


class Calling(NamedTuple):
    """What a template shows of tools, and how it wants a call."""

    tools: bool
    """It shows the tools that may be called."""
    calls: bool
    """It shows calls, with their arguments."""
    answers: bool
    """It shows what a tool answered."""
    as_object: bool = True
    """A call's arguments are given as an object, not as JSON text."""
    as_null: bool = False
    """A message that calls and says nothing else has null for its content, not an empty text."""

    def shown(self, turn: Turn) -> Turn:
        """A turn with calls, in OpenAI's shape, as the template wants it."""
        if not self.as_object:
            calls = turn["tool_calls"]
        else:
            calls = [
                {
                    **call,
                    "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])},
                }
                for call in turn["tool_calls"]
            ]
        content = None if self.as_null and not turn["content"] else turn["content"]
        return {**turn, "content": content, "tool_calls": calls}


def probe_calling(render: Render) -> Calling:
    """Try a template on a tool, a call and an answer; on a tool with a system message too, where it takes one."""
    heads = [text for turns in ([_ASKED], [_SYSTEM, _ASKED]) if (text := _tried(render, turns, [_TOOL]))]
    tools = bool(heads) and all(_NAME in text for text in heads)
    offered = [_TOOL] if tools else None
    before = _tried(render, [_ASKED], offered)
    for as_null, as_object in product((False, True), (True, False)):
        found = Calling(tools, True, True, as_object, as_null)
        called = _tried(render, [_ASKED, found.shown(_CALLED)], offered)
        if all(called.count(part) > before.count(part) for part in (_NAME, _KEY, _VALUE)) and (
            called.count(_PYTHON) == before.count(_PYTHON)
        ):
            answered = _tried(render, [_ASKED, found.shown(_CALLED), _ANSWERED], offered)
            return found._replace(answers=_SAID in answered)
    return Calling(tools, calls=False, answers=_SAID in _tried(render, [_ASKED, _ANSWERED], offered))


def probe_marks(render: Render, calling: Calling, words: Iterable[str]) -> list[str]:
    """Those of the words that a template writes around tools, calls and tools' answers, and not in other conversations."""
    offered = [_TOOL] if calling.tools else None
    called = [calling.shown(_CALLED)] if calling.calls else []
    answered = [_ANSWERED] if calling.answers else []
    with_tools = [
        _tried(render, [_ASKED, *called, *answered], offered),
        _tried(render, [_ASKED, *called, *answered, _SAYS], offered),
    ]
    plain = [_tried(render, [_ASKED], None), _tried(render, [_ASKED, _SAYS], None)]
    return [word for word in words if word in "".join(with_tools) and word not in "".join(plain)]


def _tried(render: Render, turns: list[Turn], tools: list[Any] | None) -> str:
    """What the template makes of it, nothing where it refuses."""
    try:
        return render(turns, tools)
    except ModelError:
        return ""
