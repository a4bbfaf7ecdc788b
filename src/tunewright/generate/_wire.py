"""The OpenAI chat wire: from a conversation to a request's body, from a response's body to an answer.

What a server takes differs: `Dialect` is what one was found to take.
"""

import json
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Literal, NamedTuple

from tunewright.core.generation import Decoding
from tunewright.core.message import Conversation, Function, Message, ToolCall, tools_of
from tunewright.core.strict_json import StrictJsonError, parse

_CLIPPED = 200
_IN_WORDS = (
    "Answer with one JSON value and nothing else: no explanation, no code fence."
    " It must be valid by this JSON Schema:\n"
)
_SPARED = ("max_tokens", "seed", "temperature", "top_p")
"""Parameters that can be left out of a request, or said otherwise."""
_UNTAKEN = (
    r"unsupported|unknown|unrecogni[sz]ed|unexpected|unavailable|not (?:be )?(?:supported|permitted|allowed|available)"
    r"|does not support|extra (?:inputs?|fields?|parameters?)|use '?max_completion_tokens"
)
"""How servers say that they take no such parameter. A value out of its range is another thing, and is not left out."""
_OF_SCHEMAS = r"response_(?:format|schema)|json[ _]schema|grammar|structured output"
_CUT = ("length", "max_tokens", "model_length")
"""How servers say that an answer came to its most tokens."""
_BROKEN = ("error", "abort", "aborted", "cancelled", "network_error", "insufficient_system_resource")
"""How servers say that they broke an answer off: what there is of it is no answer."""
_MOST_TOKENS = 10**9
"""A larger count is none."""


class Malformed(Exception):
    """What came back is no answer; the message says why."""


class Answer(NamedTuple):
    """What a response says. `error` is why it is no answer, where it is none."""

    text: str
    tokens_in: int
    tokens_out: int
    finish: Literal["stop", "length", "error"]
    error: str | None = None
    counted: bool = True
    """Whether the server counted the tokens; otherwise they are a guess."""


class Dialect(NamedTuple):
    """What a server was found not to take."""

    left_out: frozenset[str] = frozenset()
    """Names of parameters; of a schema, its `response_format` as JSON: one may be refused where another is taken."""

    def body(self, model: str, conversation: Conversation, decoding: Decoding) -> dict[str, Any]:
        """A request's body."""
        limit = "max_completion_tokens" if "max_tokens" in self.left_out else "max_tokens"
        wanted: dict[str, Any] = {limit: decoding.max_new_tokens, "temperature": decoding.temperature}
        if decoding.temperature:
            wanted |= {"seed": decoding.seed, **({"top_p": decoding.top_p} if decoding.top_p < 1 else {})}
        row = {name: value for name, value in wanted.items() if name not in self.left_out}
        if decoding.json_schema is not None:
            form = _response_format(decoding.json_schema)
            if json.dumps(form) in self.left_out:
                conversation = _in_words(conversation, decoding.json_schema)
            else:
                row["response_format"] = form
        tools = tools_of(conversation)
        offered = {"tools": json.loads(tools)} if tools else {}
        return {"model": model, "messages": [m.wire() for m in conversation], **row, **offered}

    def refused(self, body: Mapping[str, Any], problem: "ServerSaid") -> str | None:
        """What of a request the server does not take, where it can be spared: an entry of `left_out`."""
        named = problem.param.split(".")[0]
        if "response_format" in body and (
            named == "response_format" or (not named and re.search(_OF_SCHEMAS, problem.text, re.I))
        ):
            return json.dumps(body["response_format"])
        for name in (name for name in _SPARED if name in body):
            if named and named != name:
                continue
            near = rf"({_UNTAKEN}).{{0,60}}\b{name}\b|\b{name}\b.{{0,80}}({_UNTAKEN})"
            if re.search(
                _UNTAKEN if named else near, f"{problem.code.replace('_', ' ')} {problem.text}", re.I
            ):
                return name
        return None

    def without(self, entry: str) -> "Dialect":
        """The dialect of a server that does not take this, either."""
        return Dialect(self.left_out | {entry})


def told(entry: str, model: str, words: str) -> str:
    """What is said where something is left out; `words` are the server's."""
    if entry == "max_tokens":
        return (
            f"{model} takes max_completion_tokens here: what it thinks to itself counts as part of an answer"
        )
    if entry in _SPARED:
        return f"{model} takes no {entry} here: it is left out, and the server's own holds"
    why = f" ({words})" if words else ""
    return f"{model} does not take a JSON Schema here{why}: it is asked in words to keep to it, and may not"


class ServerSaid(NamedTuple):
    """What a server says of a request that it refuses."""

    text: str
    """In one line, clipped."""
    code: str = ""
    param: str = ""


def read_error(data: bytes) -> ServerSaid:
    """The words of an error's body, whatever its form."""
    try:
        value = parse(data[:100_000].decode("utf-8", "replace"))
    except StrictJsonError:
        return ServerSaid(clip(re.sub(r"<[^>]*>", " ", data[:10_000].decode("utf-8", "replace"))))
    inner = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(inner, dict):
        return ServerSaid(clip(str(inner)))
    said = next((inner[name] for name in ("message", "detail", "msg", "error") if inner.get(name)), "")
    code, param = (str(inner.get(name) or "") for name in ("code", "param"))
    return ServerSaid(clip(said if isinstance(said, str) else json.dumps(said)), code, param)


def read_answer(data: bytes, asked_chars: int) -> Answer:
    """The answer in a response's body. Raises Malformed."""
    try:
        value = parse(data.decode("utf-8"))
    except (StrictJsonError, UnicodeDecodeError) as error:
        raise Malformed(f"what came back is no JSON ({clip(str(error), 80)})") from None
    if isinstance(value, dict) and value.get("error") and not value.get("choices"):
        raise Malformed(f"it answered with an error ({read_error(data).text})")
    try:
        choice = value["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        text = _said(message)
        refusal = message.get("refusal")
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Malformed("what came back is no chat completion") from None
    usage = value.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    tokens_in, tokens_out = (_count(counts.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    counted = tokens_in is not None and tokens_out is not None
    asked, answered = tokens_in or _guess(asked_chars), tokens_out if counted else _guess(len(text))
    if finish in _BROKEN:
        raise Malformed(f"it broke its answer off ({finish})")
    if isinstance(finish, str) and finish.startswith("content_filter"):
        return _no_answer(asked, answered or 0, "the server's content filter stopped the answer", counted)
    if isinstance(refusal, str) and refusal and not text:
        return _no_answer(asked, answered or 0, f"the model refused to answer: {clip(refusal)}", counted)
    end: Literal["stop", "length"] = "length" if finish in _CUT else "stop"
    return Answer(text, asked, answered or 0, end, counted=counted)


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """The seconds that a Retry-After header asks to wait, or None. It is a number or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def clip(text: str, most: int = _CLIPPED) -> str:
    """The text in one line, cut to `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _no_answer(tokens_in: int, tokens_out: int, error: str, counted: bool) -> Answer:
    return Answer("", tokens_in, tokens_out, "error", error, counted)


def _said(message: Mapping[str, Any]) -> str:
    """A message's text, its calls as lines of JSON."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type", "text") == "text")
    if content is not None and not isinstance(content, str):
        raise ValueError
    calls = tuple(
        ToolCall(
            function=Function(
                name=call["function"]["name"], arguments=call["function"].get("arguments") or "{}"
            )
        )
        for call in message.get("tool_calls") or ()
    )
    return Message(role="assistant", content=content or "", tool_calls=calls).said


def _count(value: Any) -> int | None:
    counts = isinstance(value, int) and not isinstance(value, bool)
    return value if counts and 0 <= value <= _MOST_TOKENS else None


def _guess(chars: int) -> int:
    return math.ceil(chars / 4)


def _response_format(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as servers take it. `strict` is said only where OpenAI would take it for strict: it refuses others."""
    strict = {"strict": True} if _is_strict(schema) else {}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **strict}}


def _is_strict(schema: Any) -> bool:
    """Whether every object in a schema names all of its properties as required, and allows no others."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    known = schema.get("properties")
    if schema.get("type") == "object" or isinstance(known, dict):
        names = set(known) if isinstance(known, dict) else set[str]()
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if set(map(str, required)) != names:
            return False
    return all(_is_strict(part) for name, part in schema.items() if name not in ("enum", "const", "default"))


def _in_words(conversation: Conversation, schema: dict[str, Any]) -> Conversation:
    words = _IN_WORDS + json.dumps(schema, ensure_ascii=False)
    first = conversation[0]
    if first.instructs:
        return (first.model_copy(update={"content": f"{first.content}\n\n{words}"}), *conversation[1:])
    return (Message(role="system", content=words), *conversation)
