"""Prompted: a generator with a system prompt and worked examples put before every question."""

from collections.abc import Sequence
from itertools import takewhile

from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.message import Conversation, with_system, with_tools


class Prompted:
    """Puts the system prompt first, then the worked examples as turns, then the conversation.

    A conversation that brings its own system (or developer) message keeps that one, and its own tools.
    """

    def __init__(self, generator: Generator, system: str = "", shots: Sequence[Conversation] = ()) -> None:
        self._generator = generator
        self._system = system
        turns = (turn for shot in shots for turn in with_tools(shot, None))
        self._shots = tuple(turn for turn in turns if not turn.instructs)

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order."""
        return self._generator.generate([self.prompt(c) for c in conversations], decoding, on_reply)

    def prompt(self, conversation: Conversation) -> Conversation:
        """The messages that the model is given for a conversation."""
        whole = with_system(conversation, self._system)
        head = tuple(takewhile(lambda message: message.instructs, whole))
        return (*head, *self._shots, *whole[len(head) :])
