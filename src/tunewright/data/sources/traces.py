"""Traces: logs of served requests, JSONL; each request with its answer is a conversation, its feedback a rating or a pair.

    {"id", "time", "variant", "release"?, "request", "response"?, "error"?, "feedback"?}      ours (core/trace.py)
    {"object": "chat.completion", "messages", "choices", …}     OpenAI's stored completions, their messages put beside them
    {"messages", "response", "status"?, "error_str"?, …}        LiteLLM's logs (StandardLoggingPayload)
    {"input", "output", "type"?: "GENERATION", "level"?, …}     Langfuse's observations

A row holds {messages, tools, label, rejected} and the fields trace, time, variant, release, model, comment and written_by. A
thumb is a rating; a correction is the expected answer, and what was served the worse one. A correction that equals the
answer corrects nothing: it approves, unless a thumb says otherwise. Of the conversation before it only the context is kept:
each answer is trained where it was given. `written_by` is the variant or model that wrote the answer (`unknown` where the
log does not say), null where a person did. Requests that failed and answers that were cut off are rejects.
"""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.core.trace import Feedback, Trace
from tunewright.data.names import listed
from tunewright.data.rows import BadRow, Reject, Row, Table
from tunewright.data.sources import jsonl
from tunewright.data.sources._documents import clean, iso_time
from tunewright.data.thinking import THINKING_KEYS

_FINISHED = ("stop", "tool_calls", "function_call", "end_turn", "eos", "tool_use", "stop_sequence")
_CUT = {
    "length": "cut off: the answer reached its limit of tokens",
    "max_tokens": "cut off: the answer reached its limit of tokens",
    "max_output_tokens": "cut off: the answer reached its limit of tokens",
    "content_filter": "cut off: a filter stopped the answer",
    "safety": "cut off: a filter stopped the answer",
}
_REASONS = ("finish_reason", "finishReason", "stop_reason")
_LIMITS = ("max_tokens", "maxTokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
_KEPT = ("role", "content", "tool_calls", "tool_call_id")
_CHAT_CALLS = (None, "completion", "acompletion")
_UNKNOWN = "unknown"
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a log. Raises BadFile while reading."""
    return Table(None, _rows(jsonl.read(path, encoding)))


def _rows(table: Table) -> Generator[Row | Reject, None, None]:
    with closing(table.rows):
        for row in table.rows:
            if isinstance(row, Row):
                try:
                    yield Row(row.number, _read(row.values))
                except BadRow as bad:
                    yield Reject(row.number, str(bad), str(row.values)[:_RAW])
            else:
                yield row


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """The row of a trace, by the shape that its keys have. Raises BadRow."""
    if "request" in values:
        return _ours(values)
    if values.get("object") == "chat.completion":
        return _stored(values)
    if "messages" in values and "response" in values:
        return _litellm(values)
    if "input" in values and "output" in values:
        return _langfuse(values)
    raise BadRow(f"bad trace: it is of no shape that is known; it has {listed(values)}")


def _ours(values: dict[str, Any]) -> dict[str, Any]:
    try:
        trace = Trace.model_validate(values)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise BadRow(f"bad trace: {place}: {error.errors()[0]['msg'].lower()}") from None
    if trace.error is not None or trace.response is None:
        raise _failed(trace.error)
    about = {
        "trace": trace.id,
        "time": trace.time,
        "variant": trace.variant,
        "release": trace.release,
        "model": clean(trace.response.get("model")) or clean(trace.request.get("model")),
    }
    asked = _messages(trace.request.get("messages"), "request.messages")
    answer = _choice(trace.response, "response")
    return _row(asked, trace.request.get("tools"), answer, trace.feedback, about, trace.variant)


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    if "messages" not in values:
        raise BadRow(
            "bad trace: the completion is without what was asked; put the messages that are stored with it beside it"
        )
    about = {
        "trace": values.get("id"),
        "time": iso_time(values.get("created")),
        "model": clean(values.get("model")),
    }
    asked = _messages(values["messages"], "messages")
    return _row(asked, values.get("tools"), _choice(values, "the completion"), None, about, about["model"])


def _litellm(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("call_type") not in _CHAT_CALLS:
        raise BadRow(f"bad trace: it is no chat, but {str(values['call_type'])[:40]!r}")
    if values.get("status") == "failure" or values.get("error_str"):
        raise _failed(values.get("error_str"))
    response = values["response"]
    if not isinstance(response, dict):
        raise BadRow(f"bad trace: its response is {jsonl.kind_of(response)}, not an object with choices")
    settings = values.get("model_parameters")
    tools = settings.get("tools") if isinstance(settings, dict) else None
    time = values.get("startTime")
    model = clean(values.get("model"))
    about = {"trace": values.get("id"), "time": clean(time) or iso_time(time), "model": model}
    asked = _messages(values["messages"], "messages")
    return _row(asked, tools, _choice(response, "response"), None, about, model)


def _langfuse(values: dict[str, Any]) -> dict[str, Any]:
    if values.get("type") not in (None, "GENERATION"):
        raise BadRow(f"bad trace: it is no generation, but {str(values['type'])[:40]!r}")
    if values.get("level") == "ERROR":
        raise _failed(values.get("statusMessage"))
    asked, output = _unpacked(values["input"]), _unpacked(values["output"])
    tools = asked.get("tools") if isinstance(asked, dict) else None
    asked = asked.get("messages") if isinstance(asked, dict) and "messages" in asked else asked
    if isinstance(asked, str):
        asked = [{"role": "user", "content": asked}]
    if isinstance(output, list) and len(output) == 1:
        output = output[0]
    if isinstance(output, dict) and "choices" in output:
        answer = _choice(output, "output")
    else:
        _check_whole(values, output)
        answer = _answer({"content": output} if isinstance(output, str) else output, "output")
    model = clean(values.get("model")) or clean(values.get("providedModelName"))
    about = {"trace": values.get("id"), "time": clean(values.get("startTime")), "model": model}
    return _row(_messages(asked, "input"), tools, answer, None, about, model)


def _unpacked(value: Any) -> Any:
    """A value that was written as JSON text of messages; other texts stay."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[{", "{")):
        return value
    try:
        found = parse(value)
    except StrictJsonError:
        return value
    first = found[0] if isinstance(found, list) and found else found
    told = isinstance(first, dict) and {"role", "messages", "choices"} & first.keys()
    return found if told else value


def _failed(why: Any) -> BadRow:
    said = " ".join(str(why).split())[:200] if why else "it has no answer"
    return BadRow(f"failed: {said}")


def _messages(value: Any, where: str) -> list[dict[str, Any]]:
    """What was asked, as a chat row has it; what was answered before is context alone."""
    if not isinstance(value, list) or not value:
        raise BadRow(f"bad trace: {where} is {jsonl.kind_of(value)}, not a list of messages")
    found = []
    for at, message in enumerate(value):
        if not isinstance(message, dict):
            raise BadRow(f"bad trace: {where}[{at}] is {jsonl.kind_of(message)}, not a message")
        kept = _kept(message)
        if kept.get("role") == "assistant":
            kept["weight"] = 0
        elif kept.get("role") == "tool" and message.get("name") is not None:
            kept["name"] = message["name"]
        found.append(kept)
    return found


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what logs write beside it (refusal, annotations, …)."""
    if message.get("function_call"):
        raise BadRow("bad trace: it calls a function in the way before tools, which is not read")
    kept = {key: message[key] for key in _KEPT if message.get(key) not in (None, [])}
    answers = message.get("role") == "assistant"
    return kept | {key: each for key, each in message.items() if answers and key in THINKING_KEYS}


def _choice(response: dict[str, Any], where: str) -> dict[str, Any]:
    """The answer of a chat.completion object. Raises BadRow where there is not one whole answer."""
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices:
        raise BadRow(f"bad trace: {where} has no choices")
    if len(choices) > 1:
        raise BadRow(f"several answers: {where} has {len(choices)} choices, and nobody chose")
    choice = choices[0] if isinstance(choices[0], dict) else {}
    _check_finished(choice.get("finish_reason"))
    return _answer(choice.get("message"), f"{where}.choices[0].message")


def _check_finished(reason: Any) -> None:
    """Raises BadRow where an answer ended by anything but itself."""
    if (said := _plain(reason)) not in _FINISHED:
        shown = str(reason)[:40] if reason is not None else "nothing"
        raise BadRow(_CUT.get(said, f"cut off: the answer's finish_reason is {shown}"))


def _plain(reason: Any) -> str:
    """A reason as it is looked up: some write it in capitals, or with hyphens."""
    return str(reason)[:40].lower().replace("-", "_")


def _check_whole(values: dict[str, Any], output: Any) -> None:
    """Raises BadRow where one of Langfuse's observations tells that its answer was cut off.

    The reason stands in the message, in what LangChain puts beside it, or in the metadata: one that cuts, anywhere, decides.
    Where none does that is known (a program may write there what it likes), an answer of as many tokens as were allowed was
    cut.
    """
    message = output if isinstance(output, dict) else {}
    places = (message, message.get("response_metadata"), values.get("metadata"))
    dicts = (place for place in places if isinstance(place, dict))
    told = [_plain(place[key]) for place in dicts for key in _REASONS if place.get(key)]
    for said in told:
        if said in _CUT:
            raise BadRow(_CUT[said])
    if any(said in _FINISHED for said in told):
        return
    allowed = _counted(values.get("modelParameters"), _LIMITS)
    used = _counted(values.get("usageDetails"), ("output",)) or _counted(values.get("usage"), ("output",))
    if allowed and (used or _counted(values, ("completionTokens",))) >= allowed:
        raise BadRow(_CUT["length"])


def _counted(holder: Any, keys: tuple[str, ...]) -> int:
    """The first whole number under one of the keys, written as a text or not; 0 where there is none."""
    found = (str(holder[key]) for key in keys if key in holder) if isinstance(holder, dict) else ()
    return next((int(said) for said in found if said.isascii() and said.isdigit() and len(said) < 10), 0)


def _answer(message: Any, where: str) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise BadRow(f"bad trace: {where} is {jsonl.kind_of(message)}, not a message")
    kept = _kept({**message, "role": "assistant"})
    if not kept.get("content") and not kept.get("tool_calls"):
        why = "the model refused" if message.get("refusal") else "the answer is blank"
        raise BadRow(f"no answer: {why}")
    return kept


def _row(
    asked: list[dict[str, Any]],
    tools: Any,
    answer: dict[str, Any],
    feedback: Feedback | None,
    about: dict[str, Any],
    author: str | None,
) -> dict[str, Any]:
    """The chat row of a trace."""
    row: dict[str, Any] = {"messages": [*asked, answer], "tools": tools}
    author = author or _UNKNOWN  # no name is no person
    said, thumb = answer.get("content", ""), feedback.thumb if feedback else None
    better = feedback.correction if feedback and (feedback.correction or "").strip() else None
    if better is not None and (answer.get("tool_calls") or str(said).strip() != better.strip()):
        row["messages"] = [*asked, {"role": "assistant", "content": better}]
        author, thumb = None, None
        if not answer.get("tool_calls"):
            row["rejected"] = [answer]
    elif better is not None and thumb is None:
        thumb = 1  # the form that a thumb down opens may hold the answer, unchanged
    if thumb is not None:
        row["label"] = thumb == 1
    empty = dict.fromkeys(("trace", "time", "variant", "release", "model"))
    return {**row, **empty, **about, "comment": feedback.comment if feedback else None, "written_by": author}
