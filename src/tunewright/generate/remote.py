"""RemoteGenerator: any OpenAI-compatible chat endpoint, asked many requests at once.

    generator = RemoteGenerator(EndpointSpec(url="http://localhost:8000/v1", model="qwen3"))
    generator.generate(conversations, Decoding(max_new_tokens=64))

What passes (too many requests, a fault of the server, a lost connection) is tried again, after the wait that the server
asks for or one that doubles, with chance in it. Where it is too much for the server, fewer are under way at once, and being
told so does not count as a try while that helps. What does not pass for any request (a wrong key, no such
model) raises ModelError; a request that fails alone is a reply with an error. The key is in no message. Redirects are not
followed, and of a response 8 MB are read at most. Proxies and certificates are taken from the environment as the client
(httpx2) does, but this machine's own addresses are asked directly.
"""

import asyncio
import random
import re
import ssl
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tunewright.core.errors import ModelError
from tunewright.core.generation import Decoding, OnReply, Reply
from tunewright.core.message import Conversation
from tunewright.generate._loop import each, finish
from tunewright.generate._pace import Pace
from tunewright.generate._wire import Dialect, Malformed, clip, read_answer, read_error, told, wait_asked
from tunewright.generate.teacher import EndpointSpec, key_in

if TYPE_CHECKING:
    from httpx2 import AsyncClient

LARGEST = 8_000_000
"""Bytes of a response that are read."""
LONGEST_WAIT_S = 120
"""The longest wait that a server may ask for."""
_ANY = ("all://", "http://", "https://")
"""Addresses, as the client tells which proxy they go through."""
_FIRST_WAIT_S, _LONGEST_PAUSE_S = 0.5, 30.0
_TOO_MUCH = (429, 503, 529)
"""What a server answers with where it is asked too much."""
_SURELY_SECRET, _PERHAPS_SECRET = 16, 4
"""Characters of a key that no answer holds by chance, and of one that is taken out of a server's words of what is wrong;
a shorter one (`EMPTY`, `none`) is said to servers that want none, and is a word like others."""
_KEPT = "What was answered is kept: run again then."
Say = Callable[[str], None]


class _Response(NamedTuple):
    status: int
    headers: dict[str, str]
    data: bytes


class _Again(Exception):
    """The request failed for a while: why, the seconds that the server asks to wait, whether it was too much for it."""

    def __init__(
        self, why: str, wait: float | None = None, *, busy: bool = False, late: bool = False
    ) -> None:
        super().__init__(why)
        self.why, self.wait, self.busy, self.late = why, wait, busy, late


class _Refused(Exception):
    """This request fails, however often it is sent."""


class _Line:
    """The way to a server while it is asked: connections, pace, and the key, which is seen nowhere else."""

    def __init__(self, client: "AsyncClient", pace: Pace, key: str) -> None:
        self.client, self.pace, self._length = client, pace, len(key)
        # each sign as it is, or escaped as JSON may be, or as JSON within JSON within JSON: "/" as "\/" or "\u002f"
        signs = (rf"(?:\\{{0,7}}{re.escape(sign)}|(?i:\\{{1,7}}u{ord(sign):04x}))" for sign in key)
        self._key = re.compile("".join(signs).encode())

    def hidden(self, data: bytes, least: int) -> bytes:
        """What a server said, without the key, should it repeat one of so many characters."""
        return self._key.sub(b"[key]", data) if self._length >= least else data


class RemoteGenerator:
    """Answers through an endpoint. `say` is told, once, what the server does not take of what it is sent."""

    def __init__(self, spec: EndpointSpec, *, where: str | None = None, say: Say | None = None) -> None:
        """`where` is the place of the settings, for errors."""
        self._spec, self._where, self._say = spec, where, say or (lambda words: None)
        self._dialect = Dialect()
        self._answered = self._guessed = False
        self._pace: Pace | None = None
        self._trusted: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"RemoteGenerator({self._spec.model} at {self._spec.address})"

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order; `on_reply` is told of them as they come.

        Raises ModelError where no request can succeed: no key or a wrong one, no such model, nobody there.
        """
        key = self._key()
        replies: dict[int, Reply] = {}

        async def ask_all() -> None:
            self._pace = Pace(self._spec.concurrency, after=self._pace)
            async with self._client(key) as client:
                line = _Line(client, self._pace, key)

                async def ask(index: int) -> None:
                    reply = await self._reply(line, conversations[index], decoding)
                    replies[index] = reply
                    if on_reply:
                        on_reply(index, reply)

                await each(len(conversations), self._spec.concurrency, ask)

        if conversations:
            finish(ask_all)
        return [replies[index] for index in range(len(conversations))]

    def _key(self) -> str:
        try:
            return key_in(self._spec.key_env) if self._spec.key_env else ""
        except ValueError as error:
            fix = f"Set it before you run: export {self._spec.key_env}=…"
            raise ModelError(f"{error}.", where=self._place("key_env"), fix=fix) from None

    def _client(self, key: str) -> "AsyncClient":
        from httpx2 import AsyncClient, Limits, create_ssl_context

        headers = {"Accept-Encoding": "identity", "User-Agent": "tunewright"}
        if key:
            bearer = self._spec.key_header.lower() == "authorization"
            headers[self._spec.key_header] = f"Bearer {key}" if bearer else key
        many = self._spec.concurrency
        self._trusted = self._trusted or create_ssl_context()  # it takes longer than many an answer
        return AsyncClient(
            headers=headers,
            verify=self._trusted,
            timeout=None,  # each request has its own limit, for the whole of it
            limits=Limits(max_connections=many, max_keepalive_connections=many),
            follow_redirects=False,
            mounts=dict.fromkeys(_ANY) if self._spec.is_loopback else None,
        )

    async def _reply(self, line: _Line, conversation: Conversation, decoding: Decoding) -> Reply:
        """The reply to one conversation, after as many tries as it takes or is given."""
        tries = waits = 0
        while True:
            answers = line.pace.answers
            try:
                async with line.pace as begun:
                    return await self._asked(line, conversation, decoding)
            except _Refused as error:
                return _failure(str(error))
            except _Again as error:
                again = error
            self._stop_if_long(again)
            if again.busy or again.late:
                line.pace.slower(begun, again.wait)
            # one that waits its turn has not failed, as long as the server answers others or is asked less and less
            waits_its_turn = again.busy and (line.pace.answers > answers or line.pace.allowed > 1)
            tries += not (waits_its_turn and self._spec.retries)
            if tries > self._spec.retries:
                break
            if not (again.busy and again.wait):  # that wait is every request's
                longest = min(_LONGEST_PAUSE_S, _FIRST_WAIT_S * 2 ** min(waits, 9))
                await asyncio.sleep(max(again.wait or 0, random.uniform(longest / 2, longest)))
            waits += 1
        return self._given_up(again, tries)

    def _stop_if_long(self, again: _Again) -> None:
        if (again.wait or 0) > LONGEST_WAIT_S:
            message = f"{self._name} asks to wait {again.wait:,.0f} seconds: {again.why}"
            raise ModelError(message, where=self._where, fix=_KEPT)

    def _given_up(self, again: _Again, tries: int) -> Reply:
        """The reply where no try was answered. Raises ModelError where nobody is there."""
        from httpx2 import ConnectError

        if isinstance(again.__cause__, ConnectError) and not self._answered:
            message = f"{self._name} cannot be reached: {again.why}"
            fix = "See that it is running and that the url is right."
            raise ModelError(message, where=self._place("url"), fix=fix)
        return _failure(
            f"no answer from {self._name} in {tries} {'try' if tries == 1 else 'tries'}: {again.why}"
        )

    async def _asked(self, line: _Line, conversation: Conversation, decoding: Decoding) -> Reply:
        """One try; a parameter that the server does not take costs none. Raises _Again, _Refused, ModelError."""
        while True:
            dialect = self._dialect
            body = dialect.body(self._spec.model, conversation, decoding)
            begun = time.monotonic()
            response = await self._post(line, body)
            if response.status == 200:
                return self._read(line, response, conversation, time.monotonic() - begun)
            said = read_error(line.hidden(response.data, _PERHAPS_SECRET))
            spared = dialect.refused(body, said) if response.status in (400, 422) else None
            if spared is None:
                raise self._fault(response, said.text, said.code)
            if spared not in self._dialect.left_out:  # another request may have learnt it meanwhile
                self._dialect = self._dialect.without(spared)
                self._say(told(spared, self._spec.model, said.text))

    async def _post(self, line: _Line, body: object) -> _Response:
        """The response, whatever it says. Raises _Again, ModelError."""
        from httpx2 import HTTPError, InvalidURL

        limit = self._spec.timeout_s
        try:
            async with (
                asyncio.timeout(limit),
                line.client.stream("POST", self._spec.chat_url, json=body) as response,
            ):
                data = bytearray()
                async for piece in response.aiter_raw():
                    data += piece
                    if len(data) > LARGEST:
                        raise _Again(f"it answered with more than {LARGEST:,} bytes")
                headers = {name.lower(): value for name, value in response.headers.items()}
                return _Response(response.status_code, headers, bytes(data))
        except TimeoutError:
            raise _Again(f"no whole answer came within {limit:g} seconds (timeout_s)", late=True) from None
        except InvalidURL:
            raise ModelError("the url cannot be read", where=self._place("url")) from None
        except HTTPError as error:
            if "CERTIFICATE" in str(error):
                message = f"{self._name} is not who it says it is ({clip(str(error))})"
                raise ModelError(message, where=self._place("url")) from None
            raise _Again(clip(str(error)) or "the connection was lost") from error

    def _read(self, line: _Line, response: _Response, conversation: Conversation, seconds: float) -> Reply:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _Again("it packed its answer, though it was asked not to")
        try:
            asked = sum(message.chars for message in conversation)
            found = read_answer(line.hidden(response.data, _SURELY_SECRET), asked)
        except Malformed as error:
            raise _Again(line.hidden(str(error).encode(), _PERHAPS_SECRET).decode()) from None
        self._answered = True
        line.pace.answered()
        if not found.counted and not self._guessed:
            self._guessed = True
            self._say(f"{self._spec.model} does not count tokens here: four characters are taken for one")
        return Reply(found.text, found.tokens_in, found.tokens_out, seconds, found.finish, found.error)

    def _fault(self, response: _Response, said: str, code: str) -> Exception:
        """What a response that is no answer means."""
        status, words = response.status, f" ({said})" if said else ""
        if (
            status in (401, 402, 404)
            or code == "insufficient_quota"
            or (status == 403 and not self._answered)
        ):
            return self._hopeless(402 if code == "insufficient_quota" else status, words)
        if 300 <= status < 400:
            message = f"{self._name} sends requests elsewhere ({status}), and they do not follow: a key could go astray"
            fix = "Write the address that is meant."
            return ModelError(message, where=self._place("url"), fix=fix)
        if status in (408, 409, 425, 429) or status >= 500:
            wait = wait_asked(response.headers)
            return _Again(f"it answered {status}{words}", wait, busy=status in _TOO_MUCH)
        return _Refused(f"{self._name} refuses the request: {status}{words}")

    def _hopeless(self, status: int, words: str) -> ModelError:
        """What no request would get past."""
        env, model = self._spec.key_env, self._spec.model
        if status == 401 and not env:
            message, fix = "asks for a key", "Put it into an environment variable and name that in key_env."
        elif status == 401:
            message, fix = f"does not take the key in {env}", f"Set {env} to a key that is valid there."
        elif status == 402:
            message, fix = f"says that the account's credit is used up{words}", _KEPT
        elif status == 403:
            message, fix = f"does not let us ask {model}{words}", "Ask for access, or name another model."
        else:
            message = f"has no model {model}, or is no chat endpoint{words}"
            fix = "The url is what stands before /chat/completions; `URL/models` lists the models there are."
        field = {401: "key_env", 402: "url", 403: "model"}.get(status, "url")
        return ModelError(f"{self._name} {message}", where=self._place(field), fix=fix)

    @property
    def _name(self) -> str:
        return self._spec.address

    def _place(self, field: str) -> str | None:
        return f"{self._where}.{field}" if self._where else None


def _failure(message: str) -> Reply:
    return Reply("", 0, 0, 0.0, "error", message)
