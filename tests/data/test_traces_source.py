"""Logs of served requests as rows: ours, and those of other tools."""

import json
from typing import Any

import pytest

from tunewright.core.trace import Feedback, Trace

ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "hi", "refusal": None, "annotations": []},
    {"role": "user", "content": "where is it?"},
]
TOOL = {"type": "function", "function": {"name": "find", "parameters": {}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"id": 1}'}}


def completion(content: Any = "there", finish: Any = "stop", **message: Any) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "finish_reason": finish,
    }
    return {
        "id": "cc1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m1",
        "choices": [choice],
    }


def trace(response: dict[str, Any] | None = None, **more: Any) -> bytes:
    """A line of our log, as the server writes it."""
    about = {"id": "t1", "time": "2026-01-02T03:04:05Z", "variant": "fine-tune", "release": "r@1"}
    response = response or completion()
    return Trace(
        **{**about, "request": {"model": "m", "messages": ASKED}, "response": response, **more}
    ).line()


def thumb(value: int, **more: Any) -> Feedback:
    return Feedback(thumb=value, **more)


FIELDS = {"trace": "t1", "time": "2026-01-02T03:04:05Z", "variant": "fine-tune", "release": "r@1", "model": "m1",
          "comment": None, "written_by": "fine-tune"}  # fmt: skip


def ingest(desk, *lines: bytes) -> Any:
    desk.write("log.jsonl", b"".join(lines))
    return desk.ingest("log.jsonl", format="traces")


def test_a_served_request_is_a_conversation(desk) -> None:
    (row,) = ingest(desk, trace()).examples
    assert [(turn.role, turn.content, turn.weight) for turn in row.messages] == [
        ("system", "Be brief.", None), ("user", "hello", None), ("assistant", "hi", 0),
        ("user", "where is it?", None), ("assistant", "there", None),
    ]  # fmt: skip
    assert (row.fields, row.rated, row.rejected, row.place) == (FIELDS, False, None, "log.jsonl:1")


def test_feedback_is_a_rating_or_a_better_answer(desk) -> None:
    rows = ingest(
        desk,
        trace(feedback=thumb(1, comment="good")),
        trace(feedback=thumb(-1)),
        trace(feedback=thumb(-1, correction="In the box.")),
        trace(feedback=Feedback(correction=" there ")),
        trace(feedback=Feedback(comment="hm")),
        trace(feedback=thumb(-1, correction="there")),
        trace(feedback=thumb(1, correction="there ")),
    ).examples
    assert [(row.expected, row.rejected, row.rated, row.desirable) for row in rows] == [
        ("there", None, True, True),
        ("there", None, True, False),
        ("In the box.", "there", False, True),
        ("there", None, True, True),
        ("there", None, False, True),
        ("there", None, True, False),  # what is sent unchanged corrects nothing, and the thumb stands
        ("there", None, True, True),
    ]
    assert [row.fields["written_by"] for row in rows][:5] == [
        "fine-tune",
        "fine-tune",
        None,
        "fine-tune",
        "fine-tune",
    ]
    assert [row.fields["comment"] for row in rows][:5] == ["good", None, None, None, "hm"]


def test_calls_and_their_tools(desk) -> None:
    request = {"messages": ASKED, "tools": [TOOL]}
    response = completion(None, "tool_calls", tool_calls=[CALL])
    called, corrected = ingest(
        desk,
        trace(response, request=request),
        trace(response, request=request, feedback=Feedback(correction="x")),
    ).examples
    assert (called.messages[-1].tool_calls[0].function.name, corrected.expected, corrected.rejected) == (
        "find", "x", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (trace(completion("the", "length")), "cut off: the answer reached its limit of tokens"),
        (trace(completion("the", "content_filter")), "cut off: a filter stopped the answer"),
        (trace(completion("the", None)), "cut off: the answer's finish_reason is nothing"),
        (trace(completion("the", [])), "cut off: the answer's finish_reason is []"),
        (trace(error="time out"), "failed: time out"),
        (trace(completion("")), "no answer: the answer is blank"),
        (trace(completion(None, refusal="I can't")), "no answer: the model refused"),
        (trace({"choices": []}), "bad trace: response has no choices"),
        (trace({"choices": [{}, {}]}), "several answers: response has 2 choices, and nobody chose"),
        (trace(request={}), "bad trace: request.messages is null, not a list of messages"),
        (trace(request={"messages": ["a"]}), "bad trace: request.messages[0] is a text, not a message"),
        (b'{"request": {}}\n', "bad trace: id: field required"),
        (b'{"a": 1}\n', "bad trace: it is of no shape that is known; it has a"),
        (b'{"id": "a"\n', "not JSON: Expecting ',' delimiter at the end"),
        (
            trace().replace(b"}\n", b', "feedback": {"thumb": 5}}\n'),
            "bad trace: feedback.thumb: input should be -1 or 1",
        ),
        (
            trace(
                request={"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}
            ),
            "bad messages: messages[0].content[0] is 'image_url'; of content in parts only texts are read",
        ),
    ],
)
def test_what_is_no_whole_answer_is_a_reject(desk, line: bytes, reason: str) -> None:
    got = ingest(desk, trace(), line)
    assert (len(got.examples), got.reasons) == (1, [(2, reason)])


LITELLM = {"id": "l1", "call_type": "acompletion", "status": "success", "startTime": 1_700_000_000.5, "model": "m1",
           "messages": ASKED, "response": completion(), "error_str": None,
           "model_parameters": {"temperature": 0, "tools": [TOOL]}}  # fmt: skip
LANGFUSE = {"id": "o1", "type": "GENERATION", "startTime": "2026-01-02T03:04:05.000Z", "model": "m1", "level": "DEFAULT",
            "input": ASKED, "output": {"role": "assistant", "content": "there"}}  # fmt: skip
STORED = {**completion(), "messages": ASKED, "tools": None}


@pytest.mark.parametrize(
    ("values", "about"),
    [
        (LITELLM, {"trace": "l1", "time": "2023-11-14T22:13:20+00:00"}),
        (LANGFUSE, {"trace": "o1", "time": "2026-01-02T03:04:05.000Z"}),
        (STORED, {"trace": "cc1", "time": "2023-11-14T22:13:20+00:00"}),
        ({**LANGFUSE, "input": json.dumps(ASKED), "output": json.dumps(LANGFUSE["output"])}, {}),
        ({**LANGFUSE, "input": {"messages": ASKED}, "output": "there"}, {}),
        ({**LANGFUSE, "output": completion()}, {}),
        ({**LANGFUSE, "output": [LANGFUSE["output"]]}, {}),
        (
            {
                **LANGFUSE,
                "metadata": {"finish_reason": "STOP"},
                "modelParameters": {"max_tokens": 1},
                "usage": {"output": 1},
            },
            {},
        ),
        (
            {
                **LANGFUSE,
                "metadata": "x",
                "modelParameters": {"max_tokens": "9"},
                "usageDetails": {"output": 8},
            },
            {},
        ),
        ({**LANGFUSE, "modelParameters": {"max_tokens": "inf"}, "completionTokens": 8}, {}),
        ({**LANGFUSE, "metadata": {"finishReason": "tool-calls"}}, {}),
        ({**LANGFUSE, "metadata": {"finish_reason": "done by our gateway"}}, {}),
    ],
)
def test_logs_of_other_tools(desk, values: dict[str, Any], about: dict[str, Any]) -> None:
    (row,) = ingest(desk, json.dumps(values).encode() + b"\n").examples
    assert [(turn.role, turn.content, turn.weight) for turn in row.messages][2:] == [
        ("assistant", "hi", 0), ("user", "where is it?", None), ("assistant", "there", None),
    ]  # fmt: skip
    assert row.fields | about == row.fields
    assert (row.fields["model"], row.fields["written_by"]) == ("m1", "m1")


@pytest.mark.parametrize("values", [{**LANGFUSE, "model": None}, {**STORED, "model": ""}])
def test_an_answer_without_a_models_name_is_no_persons(desk, values: dict[str, Any]) -> None:
    (row,) = ingest(desk, json.dumps(values).encode() + b"\n").examples
    assert (row.fields["model"], row.fields["written_by"]) == (None, "unknown")
    assert (row.origin.teacher, row.origin.depth) == ("unknown", 1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({**LITELLM, "status": "failure", "error_str": "quota"}, "failed: quota"),
        ({**LITELLM, "call_type": "aembedding"}, "bad trace: it is no chat, but 'aembedding'"),
        ({**LITELLM, "call_type": ["x"]}, "bad trace: it is no chat, but \"['x']\""),
        ({**LITELLM, "messages": "redacted"}, "bad trace: messages is a text, not a list of messages"),
        ({**LITELLM, "response": "there"}, "bad trace: its response is a text, not an object with choices"),
        ({**LANGFUSE, "type": "SPAN"}, "bad trace: it is no generation, but 'SPAN'"),
        ({**LANGFUSE, "level": "ERROR", "statusMessage": "quota"}, "failed: quota"),
        ({**LANGFUSE, "output": None}, "bad trace: output is null, not a message"),
        (
            {**LANGFUSE, "metadata": {"finish_reason": "length"}},
            "cut off: the answer reached its limit of tokens",
        ),
        (
            {
                **LANGFUSE,
                "output": {**LANGFUSE["output"], "response_metadata": {"stop_reason": "max_tokens"}},
            },
            "cut off: the answer reached its limit of tokens",
        ),
        (
            {**LANGFUSE, "output": {**LANGFUSE["output"], "finishReason": "content-filter"}},
            "cut off: a filter stopped the answer",
        ),
        *(
            (
                {
                    **LANGFUSE,
                    "output": {**LANGFUSE["output"], "finish_reason": first},
                    "metadata": {"finish_reason": "length"},
                },
                "cut off: the answer reached its limit of tokens",
            )
            for first in ("done by our gateway", "stop")
        ),
        (
            {**LANGFUSE, "metadata": {"finish_reason": "SAFETY"}},
            "cut off: a filter stopped the answer",
        ),
        (
            {
                **LANGFUSE,
                "metadata": {"finish_reason": "made up"},
                "modelParameters": {"max_tokens": 100},
                "usageDetails": {"output": 100},
            },
            "cut off: the answer reached its limit of tokens",
        ),
        (
            {**LANGFUSE, "modelParameters": {"max_tokens": "100"}, "usageDetails": {"output": 100}},
            "cut off: the answer reached its limit of tokens",
        ),
        (
            completion(),
            "bad trace: the completion is without what was asked; put the messages that are stored with it beside it",
        ),
    ],
)
def test_rejects_of_other_tools(desk, values: dict[str, Any], reason: str) -> None:
    got = ingest(desk, trace(), json.dumps(values).encode() + b"\n")
    assert got.reasons == [(2, reason)]


def test_a_text_that_looks_like_json_stays_one(desk) -> None:
    row = {**LANGFUSE, "input": "Give me JSON.", "output": '{"answer": 1}'}
    (got,) = ingest(desk, json.dumps(row).encode() + b"\n").examples
    assert (got.input_text, got.expected) == ("Give me JSON.", '{"answer": 1}')


def test_what_a_later_version_writes_beside_is_passed_over(desk) -> None:
    (row,) = ingest(desk, trace().replace(b"}\n", b', "later": 1}\n')).examples
    assert row.fields == FIELDS
