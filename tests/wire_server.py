"""A real chat endpoint on this machine: it answers by a script, or with whatever generator it is given.

    with serving(ok("Red."), status(429, {"Retry-After": "0"}), ok("Blue.")) as server:
        RemoteGenerator(EndpointSpec(url=server.url, model="m"))

Each request takes the next part of the script; the last one is used for all that follow.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Lock, Thread
from typing import Any, NamedTuple

from tunewright.core.generation import Decoding, Generator
from tunewright.core.message import Message

Part = Callable[["Handler", dict[str, Any]], None]


class Seen(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    port: int
    """Of the client's connection: equal ports, one connection."""


class Server(ThreadingHTTPServer):
    """What was asked, and the script."""

    daemon_threads = True

    def __init__(self, parts: tuple[Part, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.parts, self.seen = parts, list[Seen]()
        self.lock = Lock()
        self.under_way = self.most_at_once = 0

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no error here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.seen.append(Seen(self.path, headers, body, self.client_address[1]))
            part = server.parts[min(len(server.seen), len(server.parts)) - 1]
            server.under_way += 1
            server.most_at_once = max(server.most_at_once, server.under_way)
        try:
            part(self, body)
        finally:
            with server.lock:
                server.under_way -= 1

    def say(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        """A whole response."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@contextmanager
def serving(*parts: Part) -> Iterator[Server]:
    """A server while the block runs."""
    server = Server(parts)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def completion(text: str | None, finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion, as servers answer with."""
    message = {"role": "assistant", "content": text, **more}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def ok(text: str | None, finish: str | None = "stop", **more: Any) -> Part:
    """An answer."""
    return whole(completion(text, finish, **more))


def whole(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Part:
    """A JSON value as the response."""
    return lambda handler, body: handler.say(status, json.dumps(value).encode(), headers)


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Part:
    """An error, as OpenAI's server says it."""
    return whole({"error": {"message": message, **more}}, status, headers)


def raw(data: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Part:
    """Any bytes as the response."""
    return lambda handler, body: handler.say(status, data, headers)


def drop(handler: Handler, body: dict[str, Any]) -> None:
    """The connection is lost before anything is said."""
    handler.close_connection = True
    handler.connection.close()


def slow(seconds: float) -> Part:
    """An answer that takes a while."""

    def part(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(seconds)
        ok("At last.")(handler, body)

    return part


def meeting(count: int) -> Part:
    """An echo that comes when so many requests wait for it."""
    barrier = Barrier(count)

    def part(handler: Handler, body: dict[str, Any]) -> None:
        barrier.wait(60)
        echo(handler, body)

    return part


def limited(at_once: int) -> Part:
    """An echo, or 429 where more than so many are under way."""

    def part(handler: Handler, body: dict[str, Any]) -> None:
        if handler.server.under_way > at_once:
            error(429, "too many at once")(handler, body)
        else:
            time.sleep(0.01)
            echo(handler, body)

    return part


def echo(handler: Handler, body: dict[str, Any]) -> None:
    """What was asked last, as the answer."""
    ok(body["messages"][-1]["content"])(handler, body)


def huge(handler: Handler, body: dict[str, Any]) -> None:
    """Bytes that do not end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        handler.wfile.write(piece)


def answering(generator: Generator, lock: Lock) -> Part:
    """What a generator answers, one request at a time."""

    def part(handler: Handler, body: dict[str, Any]) -> None:
        conversation = tuple(Message(role=m["role"], content=m["content"]) for m in body["messages"])
        decoding = Decoding(
            max_new_tokens=body["max_tokens"], temperature=body["temperature"], seed=body.get("seed", 0)
        )
        with lock:
            reply = generator.generate([conversation], decoding)[0]
        value = completion(reply.text, reply.finish)
        value["usage"] = {"prompt_tokens": reply.tokens_in, "completion_tokens": reply.tokens_out}
        whole(value)(handler, body)

    return part
