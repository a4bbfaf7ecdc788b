"""RemoteGenerator against a real server that answers, waits, fails and misbehaves."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from asyncio import sleep
from pathlib import Path

import pytest
from asking import prompts, settled

from ends import ends
from tunewright.core.errors import ModelError, UserError
from tunewright.core.generation import Decoding, Reply
from tunewright.core.message import Message
from tunewright.generate.remote import RemoteGenerator
from tunewright.generate.teacher import EndpointSpec
from wire_server import Part, drop, echo, error, huge, limited, meeting, ok, raw, serving, slow, whole

KEY = "sk-very-secret-0123456789"
SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["a", "b"]}},
    "required": ["kind"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    monkeypatch.setattr("tunewright.generate.remote._FIRST_WAIT_S", 0.001)


def ask(*parts: Part, count: int = 1, decoding: Decoding | None = None, **settings: object):
    """The replies of a server with this script, what it saw, and what was said."""
    said: list[str] = []
    with ends(), serving(*parts) as server:
        spec = EndpointSpec.model_validate({"url": server.url, "model": "m", "timeout_s": 10, **settings})
        replies = RemoteGenerator(spec, where="teachers.big", say=said.append).generate(
            prompts(count), decoding or Decoding()
        )
        return replies, server, said


def refused(*parts: Part, **settings: object) -> str:
    """What is raised, with the server's address left out."""
    with ends(), serving(*parts) as server:
        spec = EndpointSpec.model_validate({"url": server.url, "model": "m", "retries": 1, **settings})
        with pytest.raises(ModelError) as caught:
            RemoteGenerator(spec, where="teachers.big").generate(prompts(3), Decoding())
        return str(caught.value).replace(server.url, "URL")


def test_a_request_is_what_the_wire_asks_for():
    decoding = Decoding(max_new_tokens=9, temperature=0.5, top_p=0.9, seed=4)
    replies, server, said = ask(ok("Red."), decoding=decoding, key_env="TEACHER_KEY")
    (seen,) = server.seen
    assert (seen.path, seen.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert seen.body == {
        "model": "m",
        "messages": [{"role": "user", "content": prompts(1)[0][0].content}],
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 4,
    }
    assert settled(replies) == [Reply("Red.", 7, 3, 0.0, "stop")]
    assert replies[0].latency_s > 0
    assert said == []


def test_the_key_goes_where_it_is_wanted():
    _, server, _ = ask(ok("x"), key_env="TEACHER_KEY", key_header="api-key")
    assert server.seen[0].headers["api-key"] == KEY
    assert "authorization" not in server.seen[0].headers
    _, server, _ = ask(ok("x"))
    assert "authorization" not in server.seen[0].headers


def test_many_are_asked_at_once_over_connections_that_stay():
    found: list[tuple[int, str]] = []
    together = meeting(3)
    with ends(), serving(together, together, together, echo) as server:
        spec = EndpointSpec(url=server.url, model="m", concurrency=3)
        replies = RemoteGenerator(spec).generate(
            prompts(30), Decoding(), lambda index, reply: found.append((index, reply.text))
        )
        assert server.most_at_once == 3
        assert len({seen.port for seen in server.seen}) == 3
    texts = [prompt[-1].content for prompt in prompts(30)]
    assert [reply.text for reply in replies[3:]] == texts[3:]
    assert sorted(found) == list(enumerate(reply.text for reply in replies))


@pytest.mark.parametrize(
    "fault",
    [
        error(500, "broken"),
        error(429, "slow down", {"Retry-After": "0"}),
        error(503, "loading"),
        error(408, "late"),
        drop,
        raw(b"<html>busy</html>"),
        raw(b'{"choices": []}'),
        raw(b'{"choices": [{"message": 5}]}'),
        whole({"error": {"message": "upstream is away"}}),
        raw(b"[" * 100_000),
        raw(b"\xff\xfe"),
        raw(b"{}", headers={"Content-Encoding": "gzip"}),
        ok("Re", "error"),
        ok("Re", "abort"),
    ],
)
def test_what_passes_is_tried_again(fault: Part):
    replies, server, _ = ask(fault, fault, ok("Red."))
    assert settled(replies) == [Reply("Red.", 7, 3, 0.0, "stop")]
    assert len(server.seen) == 3


def test_the_wait_that_a_server_asks_for_holds_for_every_request():
    with serving(error(429, "slow down", {"Retry-After": "0.3"}), echo) as server:
        spec = EndpointSpec(url=server.url, model="m", concurrency=1)
        waits: list[float] = []
        generator = RemoteGenerator(spec)

        async def wait(seconds: float) -> None:
            waits.append(seconds)
            await sleep(seconds)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tunewright.generate.remote.asyncio.sleep", wait)
            generator.generate(prompts(2), Decoding())
    assert len(waits) == 1
    assert 0 < waits[0] < 0.61


def test_a_server_that_is_asked_too_much_is_asked_less_and_answers_all():
    replies, *_ = ask(limited(2), count=60, concurrency=16)
    assert [reply.text for reply in replies] == [prompt[-1].content for prompt in prompts(60)]


def test_a_server_that_only_says_that_it_is_too_much_is_given_up():
    replies, server, _ = ask(error(429, "slow down", {"Retry-After": "0"}), count=3, retries=2, concurrency=1)
    assert {reply.error for reply in replies} == {
        f"no answer from {server.url} in 3 tries: it answered 429 (slow down)"
    }
    assert len(server.seen) == 9


def test_what_does_not_pass_is_a_reply_with_an_error():
    replies, server, _ = ask(error(500, "broken"), count=2, retries=1)
    assert len(server.seen) == 4
    assert {reply.error for reply in replies} == {
        f"no answer from {server.url} in 2 tries: it answered 500 (broken)"
    }
    replies, server, _ = ask(error(400, "the prompt is too long"), ok("x"), concurrency=1, count=2)
    assert [reply.error for reply in replies] == [
        f"{server.url} refuses the request: 400 (the prompt is too long)",
        None,
    ]
    replies, server, _ = ask(slow(5), retries=0, timeout_s=0.1)
    assert (
        replies[0].error
        == f"no answer from {server.url} in 1 try: no whole answer came within 0.1 seconds (timeout_s)"
    )
    replies, server, _ = ask(huge, retries=0)
    assert replies[0].error == (
        f"no answer from {server.url} in 1 try: it answered with more than 8,000,000 bytes"
    )


def test_what_no_request_would_get_past_ends_it_at_once():
    key = {"key_env": "TEACHER_KEY"}
    assert refused(error(401, f"Incorrect key {KEY}"), **key) == (
        "teachers.big.key_env: URL does not take the key in TEACHER_KEY. Set TEACHER_KEY to a key that is valid there."
    )
    assert refused(error(401, "no key")) == (
        "teachers.big.key_env: URL asks for a key. Put it into an environment variable and name that in key_env."
    )
    assert refused(error(403, "not for you"), **key) == (
        "teachers.big.model: URL does not let us ask m (not for you). Ask for access, or name another model."
    )
    assert refused(error(404, "no such model")) == (
        "teachers.big.url: URL has no model m, or is no chat endpoint (no such model)."
        " The url is what stands before /chat/completions; `URL/models` lists the models there are."
    )
    assert refused(error(429, "You exceeded your quota", code="insufficient_quota")) == (
        "teachers.big.url: URL says that the account's credit is used up (You exceeded your quota)."
        " What was answered is kept: run again then."
    )
    assert refused(raw(b"", 307, {"Location": "https://elsewhere.example/v1"})) == (
        "teachers.big.url: URL sends requests elsewhere (307), and they do not follow: a key could go astray."
        " Write the address that is meant."
    )
    assert refused(error(429, "tomorrow", {"Retry-After": "86400"})) == (
        "teachers.big: URL asks to wait 86,400 seconds: it answered 429 (tomorrow)."
        " What was answered is kept: run again then."
    )


def test_nobody_there_is_told_at_once():
    with serving(ok("x")) as server:
        url = server.url
    with pytest.raises(ModelError, match=r"cannot be reached: .*See that it is running"):
        RemoteGenerator(EndpointSpec(url=url, model="m", retries=1)).generate(prompts(50), Decoding())


def test_the_key_is_in_nothing_that_is_said(monkeypatch: pytest.MonkeyPatch):
    long = "x" * 190 + KEY  # cut where the words are cut
    for fault in (error(400, KEY), error(500, long), whole({"error": {"message": KEY}}), ok(KEY)):
        replies, _, _ = ask(fault, retries=0, key_env="TEACHER_KEY")
        assert KEY[:9] not in repr(replies)
    spec = EndpointSpec(url="https://host.example/v1", model="m", key_env="TEACHER_KEY")
    assert repr(RemoteGenerator(spec)) == "RemoteGenerator(m at https://host.example/v1)"
    monkeypatch.setenv("TEACHER_KEY", f"{KEY}\nX-Other: 1")
    with pytest.raises(UserError, match="signs that no header takes") as caught:
        RemoteGenerator(spec).generate(prompts(1), Decoding())
    assert KEY not in str(caught.value)
    monkeypatch.delenv("TEACHER_KEY")
    with pytest.raises(UserError, match="variable TEACHER_KEY is not set"):
        RemoteGenerator(spec).generate(prompts(1), Decoding())


def test_a_key_that_a_server_escapes_is_hidden_too(monkeypatch: pytest.MonkeyPatch):
    key = "sk-4f/9a+c0ffee/1234=="
    monkeypatch.setenv("TEACHER_KEY", key)
    within = json.dumps({"said": key}).replace("/", r"\/")
    for said in (
        key.replace("/", r"\/"),
        key.replace("+", r"\u002B").replace("s", r"\u0073"),
        json.dumps(within)[1:-1],
    ):
        data = f'{{"choices": [{{"message": {{"content": "It is {said}."}}, "finish_reason": "stop"}}]}}'
        replies, _, _ = ask(raw(data.encode()), retries=0, key_env="TEACHER_KEY")
        assert "[key]" in replies[0].text
        assert "c0ffee" not in replies[0].text


def test_a_server_that_says_nothing_but_backslashes_keeps_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEACHER_KEY", "sk-4f9ac0ffee1234==")
    data = '{"choices": [{"message": {"content": "%s"}, "finish_reason": "stop"}]}' % ("\\" * 2_000_000)
    replies, _, _ = ask(raw(data.encode()), retries=0, key_env="TEACHER_KEY")
    assert "[key]" not in replies[0].text


def test_a_placeholder_for_a_key_is_a_word_like_others(monkeypatch: pytest.MonkeyPatch):
    for word in ("EMPTY", "x"):
        monkeypatch.setenv("TEACHER_KEY", word)
        replies, _, _ = ask(ok(f"{word}: an index"), key_env="TEACHER_KEY")
        assert replies[0].text == f"{word}: an index"


def test_a_schema_is_sent_and_in_words_where_it_is_not_taken():
    held = Decoding(json_schema=SCHEMA)
    _, server, said = ask(ok('{"kind": "a"}'), decoding=held)
    assert server.seen[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }
    assert said == []
    refusal = error(400, "'response_format' of type 'json_schema' is not supported with this model")
    replies, server, said = ask(refusal, ok('{"kind": "a"}'), decoding=held, count=3, concurrency=1)
    assert [reply.error for reply in replies] == [None] * 3
    assert len(server.seen) == 4
    first, *_ = server.seen[-1].body["messages"]
    assert first["role"] == "system"
    assert json.dumps(SCHEMA) in first["content"]
    assert said == [
        "m does not take a JSON Schema here ('response_format' of type 'json_schema' is not supported with this model):"
        " it is asked in words to keep to it, and may not"
    ]


def test_where_one_schema_is_not_taken_another_may_be():
    odd, said = {"type": "object", "patternProperties": {"x": {}}}, list[str]()
    refusal = error(400, "Invalid schema for response_format 'answer'", param="response_format")
    with serving(refusal, ok("{}")) as server:
        generator = RemoteGenerator(EndpointSpec(url=server.url, model="m"), say=said.append)
        for schema in (odd, SCHEMA, odd):
            generator.generate(prompts(1), Decoding(json_schema=schema))
        assert ["response_format" in seen.body for seen in server.seen] == [True, False, True, False]
    assert len(said) == 1


def test_a_value_out_of_its_range_is_an_error_and_not_left_out():
    large = error(
        400, "max_tokens is too large: 9. This model supports at most 5 tokens.", param="max_tokens"
    )
    hot = error(400, "Invalid 'temperature': expected a value <= 2, but got 3.", param="temperature")
    for fault in (large, hot):
        (reply,), server, said = ask(fault, ok("x"), decoding=Decoding(temperature=3), retries=0)
        assert "refuses the request: 400" in str(reply.error)
        assert (len(server.seen), said) == (1, [])


def test_a_schema_with_room_for_more_is_not_called_strict():
    loose = {"type": "object", "properties": {"kind": {"type": "string"}}}
    _, server, _ = ask(ok("{}"), decoding=Decoding(json_schema=loose))
    assert "strict" not in server.seen[0].body["response_format"]["json_schema"]


def test_parameters_that_a_model_does_not_take_are_left_out_and_told():
    warm = Decoding(temperature=0.5)
    tokens = error(400, "Use 'max_completion_tokens' instead.", param="max_tokens")
    draws = error(400, "Unsupported value: 'temperature' does not support 0.5 with this model.")
    extra = whole({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, 422)
    _, server, said = ask(tokens, draws, extra, ok("x"), decoding=warm, retries=0)
    assert set(server.seen[-1].body) == {"model", "messages", "max_completion_tokens"}
    assert said == [
        "m takes max_completion_tokens here: what it thinks to itself counts as part of an answer",
        "m takes no temperature here: it is left out, and the server's own holds",
        "m takes no seed here: it is left out, and the server's own holds",
    ]


@pytest.mark.parametrize(
    ("part", "reply"),
    [
        (ok("Red", "length"), Reply("Red", 7, 3, 0.0, "length")),
        (ok(None, "length"), Reply("", 7, 3, 0.0, "length")),
        (ok("Red", "model_length"), Reply("Red", 7, 3, 0.0, "length")),
        (ok("Red", None), Reply("Red", 7, 3, 0.0, "stop")),
        (
            ok("Re", "content_filter"),
            Reply("", 7, 3, 0.0, "error", "the server's content filter stopped the answer"),
        ),
        (
            ok(None, refusal="I cannot."),
            Reply("", 7, 3, 0.0, "error", "the model refused to answer: I cannot."),
        ),
        (
            ok([{"type": "text", "text": "R"}, {"type": "text", "text": "ed"}]),  # type: ignore[arg-type]
            Reply("Red", 7, 3, 0.0, "stop"),
        ),
        (
            ok(None, "tool_calls", tool_calls=[{"id": "1", "function": {"name": "f", "arguments": "{}"}}]),
            Reply('{"name": "f", "arguments": {}}', 7, 3, 0.0, "stop"),
        ),
    ],
)
def test_every_way_to_end_is_told(part: Part, reply: Reply):
    assert settled(ask(part)[0]) == [reply]


def test_tokens_that_are_not_counted_are_guessed_and_that_is_told():
    value = {"choices": [{"message": {"content": "Red is it."}, "finish_reason": "stop"}]}
    replies, _, said = ask(whole(value), count=2)
    lengths = [len(prompt[0].content) for prompt in prompts(2)]
    assert [(reply.tokens_in, reply.tokens_out) for reply in replies] == [(-(-n // 4), 3) for n in lengths]
    assert said == ["m does not count tokens here: four characters are taken for one"]
    usage = {"prompt_tokens": 10**400, "completion_tokens": 10**400}
    replies, _, _ = ask(whole({**value, "usage": usage}), count=1)
    assert replies[0].tokens_out == 3


def test_tools_are_offered():
    tools = '[{"type": "function", "function": {"name": "f"}}]'
    with serving(ok("x")) as server:
        spec = EndpointSpec(url=server.url, model="m")
        RemoteGenerator(spec).generate([(Message(role="user", content="x", tools=tools),)], Decoding())
        assert server.seen[0].body["tools"] == json.loads(tools)


def test_what_hears_of_replies_may_end_it():
    def enough(index: int, reply: Reply) -> None:
        raise OSError("the disk is full")

    with ends(), serving(echo, slow(30)) as server:
        spec = EndpointSpec(url=server.url, model="m", concurrency=4)
        with pytest.raises(OSError, match="the disk is full"):
            RemoteGenerator(spec).generate(prompts(40), Decoding(), enough)


def test_it_works_where_an_event_loop_runs_already():
    import asyncio

    async def cell() -> list[Reply]:
        with serving(echo) as server:
            return RemoteGenerator(EndpointSpec(url=server.url, model="m")).generate(prompts(3), Decoding())

    texts = [prompt[-1].content for prompt in prompts(3)]
    assert [reply.text for reply in asyncio.run(cell())] == texts


@pytest.mark.parametrize("notebook", [False, True])
def test_an_interrupt_leaves_nothing_running(notebook: bool, tmp_path: Path):
    script = tmp_path / "ask.py"
    script.write_text(
        textwrap.dedent("""
        import asyncio, sys, threading
        from tunewright.core.generation import Decoding
        from tunewright.core.message import Message
        from tunewright.generate.remote import RemoteGenerator
        from tunewright.generate.teacher import EndpointSpec

        def ask():
            spec = EndpointSpec(url=sys.argv[1], model="m", timeout_s=600)
            asked = [(Message(role="user", content="?"),)] * 9
            try:
                RemoteGenerator(spec).generate(asked, Decoding())
            except KeyboardInterrupt:
                print("interrupted", threading.active_count())
                raise SystemExit(3)

        async def cell():
            ask()

        asyncio.new_event_loop().run_until_complete(cell()) if sys.argv[2] == "True" else ask()
        """)
    )
    with serving(slow(600)) as server:
        command = [sys.executable, str(script), server.url, str(notebook)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        try:
            while len(server.seen) < 8:
                assert child.poll() is None
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            out, _ = child.communicate(timeout=300)
        finally:
            child.kill()
        assert (child.returncode, out) == (3, "interrupted 1\n")


def test_a_proxy_is_never_asked_for_an_address_of_this_machine(monkeypatch: pytest.MonkeyPatch):
    with serving(error(502, "the proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        replies, _, _ = ask(ok("Red."), retries=0)
        assert replies[0].text == "Red."
        assert proxy.seen == []
        far = EndpointSpec(url="http://far.example/v1", model="m", retries=0)
        (reply,) = RemoteGenerator(far).generate(prompts(1), Decoding())
        assert reply.error == "no answer from http://far.example/v1 in 1 try: it answered 502 (the proxy)"
        assert proxy.seen[0].path == "http://far.example/v1/chat/completions"
