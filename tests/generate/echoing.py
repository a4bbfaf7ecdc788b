"""A teacher of rules: it says back what it is asked, fails where it is told to, and counts what it was asked."""

from collections.abc import Callable, Sequence

from tunewright.core.generation import Decoding, OnReply, Reply
from tunewright.core.message import Conversation


class Echo:
    """Answers with the question, its own count and the seed; `fails` says of the nth question why it gets no answer."""

    def __init__(self, fails: Callable[[int], str | None] = lambda nth: None) -> None:
        self.asked: list[str] = []
        self._fails = fails

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each, the last one told first."""
        replies = [self._reply(conversation, decoding) for conversation in conversations]
        for index in reversed(range(len(replies))):
            if on_reply:
                on_reply(index, replies[index])
        return replies

    def _reply(self, conversation: Conversation, decoding: Decoding) -> Reply:
        self.asked.append(conversation[-1].content)
        nth = len(self.asked)
        if error := self._fails(nth):
            return Reply("", 0, 0, 0.0, "error", error)
        return Reply(f"{conversation[-1].content} #{nth} seed {decoding.seed}", 10, 20, 0.5, "stop")
