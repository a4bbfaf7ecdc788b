"""Prompted: a generator with a system prompt and worked examples put before every question."""

from collections.abc import Sequence

from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.message import Conversation, Message


class Prompted:
    """Puts the system prompt first, then the worked examples as turns, then the conversation.

    A conversation that brings its own system (or developer) message keeps that one.
    """

    def __init__(self, generator: Generator, system: str = "", shots: Sequence[Conversation] = ()) -> None:
        self._generator = generator
        self._system = (Message(role="system", content=system),) if system else ()
        self._shots = tuple(turn for shot in shots for turn in shot if not _instructs(turn))

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order."""
        return self._generator.generate([self.prompt(c) for c in conversations], decoding, on_reply)

    def prompt(self, conversation: Conversation) -> Conversation:
        """The messages that the model is given for a conversation."""
        own = 0
        while own < len(conversation) and _instructs(conversation[own]):
            own += 1
        return (*(conversation[:own] or self._system), *self._shots, *conversation[own:])


def _instructs(message: Message) -> bool:
    return message.role in ("system", "developer")
