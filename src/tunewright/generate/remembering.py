"""Remembering: a generator that never asks for the same answer twice, whatever cuts it off.

    teacher = Remembering(generator, folder / "big.jsonl", identity)

Answers are appended to a journal as they come, one line of JSON each; failed ones are not, and are asked for again. An
answer is known by who gives it, the conversation, how it is drawn, and how often that was asked before: of two samples of
one prompt, each has its own. A line that was cut off, or is no answer, counts for nothing; several may append at once.
"""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, tools_of

_HEX = 32
_HEAD = b'{"key": "'
_KEPT = ("text", "tokens_in", "tokens_out", "latency_s", "finish")
_LONGEST = 64_000_000
"""Bytes of a line, at most: an answer is shorter, whatever it holds."""


_MOST_TOKENS = 10**9
_FINISHES = ("stop", "length")


class Recalled(NamedTuple):
    """What did not have to be asked for."""

    answers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def plus(self, reply: Reply) -> "Recalled":
        """With one more."""
        return Recalled(
            self.answers + 1, self.tokens_in + reply.tokens_in, self.tokens_out + reply.tokens_out
        )


class Remembering:
    """A generator with a journal of its answers."""

    def __init__(self, generator: Generator, journal: Path, identity: str) -> None:
        """`identity` says who answers: its address and model, or its weights."""
        self._generator, self._identity = generator, identity
        self._journal = _Journal(journal)
        self._asked = Counter[bytes]()
        self.recalled = Recalled()
        """What was remembered so far, instead of asked for."""

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order; the remembered ones are told first. Raises what the generator does."""
        keys = [self._key(conversation, decoding) for conversation in conversations]
        replies: dict[int, Reply] = {}

        def settle(index: int, reply: Reply) -> None:
            replies[index] = reply
            if on_reply:
                on_reply(index, reply)

        for index, key in enumerate(keys):
            if (known := self._journal.get(key)) is not None:
                self.recalled = self.recalled.plus(known)
                settle(index, known)
        new = [index for index in range(len(keys)) if index not in replies]

        def keep(place: int, reply: Reply) -> None:
            if reply.error is None:
                self._journal.put(keys[new[place]], reply)
            settle(new[place], reply)

        if new:
            self._generator.generate([conversations[index] for index in new], decoding, keep)
        return [replies[index] for index in range(len(keys))]

    def _key(self, conversation: Conversation, decoding: Decoding) -> bytes:
        said: list[Any] = [[message.wire() for message in conversation], tools_of(conversation)]
        schema = json.dumps(decoding.json_schema)  # a hash would not see the order of the properties
        prompt = hash_value([self._identity, *said, decoding.model_dump(exclude={"json_schema"}), schema])
        name = bytes.fromhex(prompt[:_HEX])
        self._asked[name] += 1
        nth = self._asked[name]
        return name if nth == 1 else bytes.fromhex(hash_value([prompt, nth])[:_HEX])


class _Journal:
    """Replies in a file, found by their keys; only the keys are held in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[bytes, int] = {}
        self._whole = True
        if path.is_file():
            self._scan()

    def _scan(self) -> None:
        place = 0
        with self._path.open("rb") as stream:
            while line := stream.readline(_LONGEST):
                if line.startswith(_HEAD) and line.endswith(b"}\n"):
                    with suppress(ValueError):  # of what is no line of ours
                        self._places[bytes.fromhex(line[len(_HEAD) : len(_HEAD) + _HEX].decode())] = place
                place += len(line)
                self._whole = line.endswith(b"\n")

    def get(self, key: bytes) -> Reply | None:
        """The reply of that key, where there is one."""
        if key not in self._places:
            return None
        with self._path.open("rb") as stream:
            stream.seek(self._places[key])
            try:
                row = json.loads(stream.readline(_LONGEST))
                return _reply(row) if row["key"] == key.hex() else None
            except (ValueError, LookupError, TypeError, RecursionError):
                return None

    def put(self, key: bytes, reply: Reply) -> None:
        """Append a reply. Raises OSError."""
        row = {"key": key.hex(), **{name: getattr(reply, name) for name in _KEPT}}
        line = (json.dumps(row) + "\n").encode()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        data = line if self._whole else b"\n" + line
        self._whole = False
        with self._path.open("ab", buffering=0) as stream:
            while data:  # one write, but on a full disk: two that append do not tear each other's lines
                data = data[stream.write(data) or 0 :]
            self._places[key] = stream.tell() - len(line)
        self._whole = True


def _reply(row: dict[str, Any]) -> Reply | None:
    """The reply of a line; None where it is none of ours."""
    text, tokens_in, tokens_out, seconds, finish = (row[name] for name in _KEPT)
    counts = all(type(count) is int and 0 <= count <= _MOST_TOKENS for count in (tokens_in, tokens_out))
    sound = isinstance(text, str) and counts and isinstance(seconds, (int, float))
    return Reply(text, tokens_in, tokens_out, seconds, finish) if sound and finish in _FINISHES else None
