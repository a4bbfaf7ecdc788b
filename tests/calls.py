"""Tools, calls and tools' answers, and renderers whose templates show them, for tests."""

import json
from importlib.util import find_spec
from pathlib import Path

from tiny import make_tokenizer
from tunewright.core.message import Function, Message, ToolCall
from tunewright.models.base import resolve_base
from tunewright.models.load import load_tokenizer
from tunewright.models.template import Renderer

TOOLS = json.dumps(
    [
        {
            "type": "function",
            "function": {
                "name": "find",
                "description": "Says where a thing is.",
                "parameters": {
                    "type": "object",
                    "properties": {"what": {"type": "string", "description": "the thing"}},
                    "required": ["what"],
                },
            },
        }
    ]
)
ASKED = Message(role="user", content="Where is é?", tools=TOOLS)
FOUND = Message(role="tool", content="Prague", tool_call_id="abcdefghi", name="find")
SAYS = Message(role="assistant", content="In Prague.")


def call(*whats: str, text: str = "", weight: float | None = None) -> Message:
    calls = [
        Function(name="find", arguments=json.dumps({"what": what}, ensure_ascii=False)) for what in whats
    ]
    return Message(
        role="assistant",
        content=text,
        weight=weight,
        tool_calls=tuple(ToolCall(id="abcdefghi", function=function) for function in calls),
    )


ROW = (ASKED, call('"é"'), FOUND, SAYS)


def stored(name: str, **tokens: str) -> Renderer:
    """The renderer of a real model's template, which TRL brings along."""
    folder = Path(next(iter(find_spec("trl").submodule_search_locations))) / "chat_templates"
    return Renderer(make_tokenizer((folder / f"{name}.jinja").read_text(), **tokens))


def made(name: str) -> Renderer:
    if name == "embedded":
        return Renderer(load_tokenizer(resolve_base("embedded", Path())))
    return stored(name, eos_token="<|eot_id|>" if name.startswith("llama") else "<|im_end|>")


TEXT_ONLY = (
    "{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['content'] is none -%}{%- for call in message['tool_calls'] -%}"
    "{{- call['function']['name'] + ' ' + call['function']['arguments'] -}}{%- endfor -%}"
    "{%- else -%}{{- message['content'] -}}{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
"""As DeepSeek's: a call where there is no text at all, its arguments as they are given."""
