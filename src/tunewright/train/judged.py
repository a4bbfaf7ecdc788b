"""Judged: dev rows answered by the weights as they stand, and scored."""

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.message import Conversation
from tunewright.train.pack import Row, Tree
from tunewright.train.policy import Policy

Judge = Callable[[Generator], float]
"""Asks a generator, and gives the mean score of its answers."""


class Judged:
    """A judge of one policy."""

    def __init__(self, judge: Judge, generator: Generator, policy: Policy, dev: Iterable[Tree]) -> None:
        """`generator` answers with the policy's own model; `dev` are the rows it is asked, or rows like them."""
        self._judge = judge
        self._generator = generator
        self._policy = policy
        self._dev = dev

    def score(self) -> float:
        """What the judge says of the weights as they stand."""
        with self._policy.answering():
            return self._judge(self._generator)

    def trial(self) -> None:
        """Have it answer for once, each answer as long as dev's own are: an untrained base may not know where to stop."""
        lengths = [_last_answer(tree.rows[0]) for tree in self._dev]
        with self._policy.answering():
            self._judge(_Brief(self._generator, max(1, round(sum(lengths) / max(1, len(lengths))))))


class _Brief:
    """A generator whose answers have so many tokens at the most."""

    def __init__(self, generator: Generator, most: int) -> None:
        self._generator, self._most = generator, most

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        most = min(decoding.max_new_tokens, self._most)
        return self._generator.generate(
            conversations, decoding.model_copy(update={"max_new_tokens": most}), on_reply
        )


def _last_answer(row: Row) -> int:
    """Tokens of the last stretch of a row that is trained."""
    back = reversed(row.mask)
    return 1 + sum(takewhile(bool, back)) if any(back) else 0
