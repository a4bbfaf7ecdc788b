"""What a server may say: read whatever it is, or told to be no answer."""

import json
from contextlib import suppress
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.core.generation import Decoding
from tunewright.core.message import Message
from tunewright.generate._wire import (
    Answer,
    Dialect,
    Malformed,
    ServerSaid,
    _is_strict,
    read_answer,
    read_error,
    wait_asked,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "tool_calls", "function", "usage", "error", "type"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=400) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_an_answer_or_none(data: bytes):
    assert isinstance(read_error(data), ServerSaid)
    with suppress(Malformed):
        assert isinstance(read_answer(data, 4), Answer)


@given(VALUES)
def test_an_answer_of_odd_parts_is_an_answer_or_none(part: Any):
    for message in (part, {"content": part}, {"content": "x", "tool_calls": part}, {"content": [part]}):
        value = {"choices": [{"message": message, "finish_reason": part}], "usage": part}
        try:
            found = read_answer(json.dumps(value).encode(), 4)
        except Malformed:
            continue
        assert (type(found.text), type(found.tokens_in), type(found.tokens_out)) == (str, int, int)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"error": {"message": "a\\n b", "code": 7, "param": "seed"}}', ServerSaid("a b", "7", "seed")),
        (b'{"error": "plain"}', ServerSaid("plain")),
        (b'{"detail": [{"msg": "odd"}]}', ServerSaid('[{"msg": "odd"}]')),
        (b"<html><h1>502</h1> Bad Gateway</html>", ServerSaid("502 Bad Gateway")),
        (b"", ServerSaid("")),
        (b"[1]", ServerSaid("[1]")),
        (b"x" * 900, ServerSaid("x" * 199 + "…")),
    ],
)
def test_the_words_of_an_error_are_found(data: bytes, said: ServerSaid):
    assert read_error(data) == said


def test_the_wait_is_a_number_or_a_date():
    assert wait_asked({"retry-after": "7"}) == 7
    assert wait_asked({"retry-after": "-3"}) == 0
    for odd in ("", "soon", "nan", "inf", "Wed, 99 Foo 2026"):
        assert wait_asked({"retry-after": odd}) is None
    in_a_minute = wait_asked({"retry-after": formatdate(time() + 60, usegmt=True)})
    assert in_a_minute is not None
    assert 0 < in_a_minute <= 60
    assert wait_asked({"retry-after": formatdate(0, usegmt=True)}) == 0


def test_a_parameter_is_taken_for_refused_only_where_the_server_says_so():
    decoding = Decoding(temperature=1, json_schema={})
    body = Dialect().body("m", (Message(role="user", content="x"),), decoding)
    form = json.dumps(body["response_format"])
    for text, name in {
        "temperature 1 is not supported": "temperature",
        "Unrecognized request argument supplied: seed": "seed",
        "unknown field response_format": form,
        "JSON schema conversion failed: Unrecognized schema": form,
        "top_p is not supported": None,  # it was not sent
        "the temperature in your text is too high": None,
        "the prompt is too long": None,
        "max_tokens must be at most 100": None,
    }.items():
        assert Dialect().refused(body, ServerSaid(text)) == name, text
    assert Dialect().refused(body, ServerSaid("no", param="messages.0.content")) is None
    assert Dialect().refused(body, ServerSaid("no", param="response_format.json_schema")) == form
    assert Dialect().refused(body, ServerSaid("no", "unsupported_value", "temperature")) == "temperature"
    assert Dialect().refused(body, ServerSaid("no", "invalid_value", "temperature")) is None
    both = Dialect().without("max_tokens").body("m", (Message(role="user", content="x"),), decoding)
    assert Dialect().refused(both, ServerSaid("max_completion_tokens is not supported")) is None


def test_a_schema_is_strict_where_every_object_is_closed_and_whole():
    closed = {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}
    assert _is_strict(closed)
    assert _is_strict({**closed, "properties": {"a": closed}})
    assert not _is_strict({**closed, "required": []})
    assert not _is_strict({**closed, "additionalProperties": True})
    assert not _is_strict({**closed, "properties": {"a": {"type": "object"}}})
    assert not _is_strict({"anyOf": [closed, {"properties": {"b": {}}}]})
