"""The tools of a chat row and its calls of them: OpenAI's shape, and what other tools write for it.

    tools        [{"type": "function", "function": {"name", "description"?, "parameters"?}}, …], or the functions alone
    tool_calls   [{"id"?, "type"?, "function": {"name", "arguments"}}, …], or the functions alone

Arguments (Llama's files call them parameters) are an object or JSON text of one, tools a list or JSON text of one. Both are
kept as JSON text in one form.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from tunewright.core.message import Conversation, Function, ToolCall
from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import listed
from tunewright.data.rows import BadRow
from tunewright.data.sources import jsonl

_CALL = ("id", "type", "function", "index")
_FUNCTION = ("name", "arguments", "parameters")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character in JSON text."""


def read_tools(value: Any) -> str | None:
    """A row's tools as JSON text of a list in OpenAI's shape, none where there are none. Raises BadRow."""
    if isinstance(value, str) and value.strip():
        value = _parsed(value, "bad tools: 'tools'")
    if value in (None, "", []):
        return None
    if not isinstance(value, list):
        raise BadRow(f"bad tools: 'tools' is {jsonl.kind_of(value)}, not a list of functions")
    tools = [_tool(tool, f"tools[{at}]") for at, tool in enumerate(value)]
    names = [tool["function"]["name"] for tool in tools]
    if twice := _twice(names):
        raise BadRow(f"bad tools: two tools are called {twice[:40]!r}")
    return _written(tools, "tools")


def read_calls(value: Any, role: str, where: str) -> tuple[ToolCall, ...]:
    """A message's calls, none where it has none; `where` is the message's place in words. Raises BadRow."""
    if value in (None, []):
        return ()
    where = f"{where}.tool_calls"
    if role != "assistant":
        raise BadRow(f"bad messages: {where} stands in a message of the {role}, not of the assistant")
    if not isinstance(value, list):
        raise BadRow(f"bad messages: {where} is {jsonl.kind_of(value)}, not a list of calls")
    calls = tuple(_call(call, f"{where}[{at}]") for at, call in enumerate(value))
    if twice := _twice([call.id for call in calls if call.id is not None]):
        raise BadRow(f"bad messages: two calls of {where} have the id {twice[:40]!r}")
    return calls


def read_text(value: Any, where: str) -> str | None:
    """A name or an id, none where there is none. Raises BadRow."""
    if value is not None and not isinstance(value, str):
        raise BadRow(f"bad messages: {where} is {jsonl.kind_of(value)}, not a text")
    if value and "\0" in value:
        raise BadRow(f"broken text: a NUL character stands in {where}")
    return value or None


def check_calls(messages: Conversation, tools: str | None) -> None:
    """Raises BadRow where a call is of no tool of the row (where it has any), or an answer of a tool answers no call.

    Templates show answers without the ids of their calls: they must come in the order of the calls, one each at most.
    """
    if not any(message.tool_calls or message.role == "tool" for message in messages):
        return
    offered = None if tools is None else [tool["function"]["name"] for tool in json.loads(tools)]
    called: list[str | None] = []
    answered = 0
    for number, message in enumerate(messages, 1):
        for call in message.tool_calls:
            if offered is not None and call.function.name not in offered:
                raise BadRow(
                    f"bad messages: message {number} calls {call.function.name[:40]!r}, which is none of the row's tools"
                    f" ({listed(offered)})"
                )
        called += [call.id for call in message.tool_calls]
        if message.role == "tool" and (called or message.tool_call_id):
            answered = _answered(message.tool_call_id, called, answered, number)


def _answered(answer: str | None, called: list[str | None], before: int, number: int) -> int:
    """How many calls are done with when message `number` answers one, `before` of them before; one may go unanswered."""
    if answer is not None and answer not in called:
        raise BadRow(
            f"bad messages: message {number} answers the call {answer[:40]!r}, which no message before it makes"
        )
    at = next((at for at in range(before, len(called)) if answer in (None, called[at])), None)
    if at is None:
        said = "a call" if answer is None else f"the call {answer[:40]!r}"
        raise BadRow(
            f"bad messages: message {number} answers {said} out of turn; answers come in the order of the calls, one each"
        )
    return at + 1


def _tool(tool: Any, where: str) -> dict[str, Any]:
    """The tool in OpenAI's shape; a bare function, with a type beside its name or not, is put into it."""
    kind = tool.get("type") if isinstance(tool, dict) else None
    if kind not in (None, "function"):
        raise BadRow(f"bad tools: {where}.type is {str(kind)[:40]!r}, not 'function'")
    wrapped = isinstance(tool, dict) and "function" in tool
    function = tool["function"] if wrapped else tool
    if not isinstance(function, dict) or _name(function) is None:
        raise BadRow(f"bad tools: {where} is no function with a name")
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise BadRow(f"bad tools: {where}.parameters is {jsonl.kind_of(parameters)}, not an object")
    function = {
        key: value
        for key, value in function.items()
        if (wrapped or key != "type") and (key != "parameters" or value is not None)
    }
    return {**(tool if wrapped else {}), "type": "function", "function": function}


def _call(call: Any, where: str) -> ToolCall:
    """A call; its function may stand in it without a `function` around. What it has besides would be lost: it is refused."""
    if not isinstance(call, dict):
        raise BadRow(f"bad messages: {where} is {jsonl.kind_of(call)}, not a call of a function")
    kind = call.get("type")
    if kind not in (None, "function"):
        raise BadRow(f"bad messages: {where}.type is {str(kind)[:40]!r}, not 'function'")
    wrapped = call.get("function") is not None
    function = call["function"] if wrapped else call
    name = _name(function) if isinstance(function, dict) else None
    if name is None:
        raise BadRow(f"bad messages: {where} names no function")
    _refuse_more(call, _CALL if wrapped else (*_CALL, *_FUNCTION), where)
    if wrapped:
        _refuse_more(function, _FUNCTION, f"{where}.function")
    return ToolCall(
        id=read_text(call.get("id"), f"{where}.id"),
        function=Function(name=read_text(name, f"{where}.name") or "", arguments=_arguments(function, where)),
    )


def _arguments(function: dict[str, Any], where: str) -> str:
    """A call's arguments as JSON text, those of an empty object where it has none."""
    given = {key: function[key] for key in _FUNCTION[1:] if function.get(key) is not None}
    if len(given) > 1:
        raise BadRow(f"bad messages: {where} has both arguments and parameters")
    key, arguments = next(iter(given.items()), ("arguments", {}))
    if isinstance(arguments, str):
        arguments = _parsed(arguments, f"bad messages: {where}.{key}") if arguments.strip() else {}
    if not isinstance(arguments, dict):
        raise BadRow(f"bad messages: {where}.{key} is {jsonl.kind_of(arguments)}, not an object")
    return _written(arguments, f"{where}.{key}")


def _refuse_more(row: dict[str, Any], known: Collection[str], where: str) -> None:
    """Raises BadRow for keys beside the known ones that have a value."""
    extra = [key for key, value in row.items() if key not in known and value is not None]
    if extra:
        raise BadRow(
            f"bad messages: {where} has {listed(extra)}; a call has id, type and function, and that name and arguments"
        )


def _name(function: dict[str, Any]) -> str | None:
    name = function.get("name")
    return name if isinstance(name, str) and name.strip() else None


def _twice(names: list[str]) -> str | None:
    """The first of these that stands there twice, if one does."""
    return next((name for at, name in enumerate(names) if name in names[:at]), None)


def _parsed(text: str, what: str) -> Any:
    try:
        return parse(text)
    except StrictJsonError as error:
        raise BadRow(f"{what} is not JSON: {error}") from None


def _written(value: Any, what: str) -> str:
    """JSON text in the one form in which it is kept."""
    text = json.dumps(value, ensure_ascii=False)
    if _NUL.search(text):
        raise BadRow(f"broken text: a NUL character stands in {what}")
    return text
