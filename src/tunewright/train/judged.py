"""Judged: dev rows answered by the weights as they stand, and scored."""

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice, takewhile
from time import perf_counter

from tunewright.core.errors import GateError, Problem
from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.message import Conversation
from tunewright.generate.torch import TorchGenerator
from tunewright.models.load import is_shortage
from tunewright.train.pack import Row, Tree
from tunewright.train.policy import Policy

Judge = Callable[[Generator], float]
"""Asks a generator, and gives the mean score of its answers."""
_LOOKED_AT = 256
"""Dev rows whose answers say how long answers are."""


class Judged:
    """A judge of one policy."""

    def __init__(self, judge: Judge, generator: TorchGenerator, policy: Policy, dev: Iterable[Tree]) -> None:
        """`generator` answers with the policy's own model; `dev` are the rows it is asked, or rows like them."""
        self._judge = judge
        self._generator = generator
        self._policy = policy
        self._dev = dev

    def score(self) -> float:
        """What the judge says of the weights as they stand. Raises GateError where memory runs out."""
        return self._said(self._generator)

    def trial(self) -> float:
        """The seconds that a score takes of a model that has learnt to stop: the answers are no longer than dev's own.

        What the first answer alone brings (a schema's grammar, libraries) is not counted. Raises GateError as `score`.
        """
        good = (tree.rows[0] for tree in self._dev if tree.desirable)  # others are not asked
        lengths = [_last_answer(row) for row in islice(good, _LOOKED_AT)]
        brief = _Brief(self._generator, list(filter(None, lengths)))
        begin = perf_counter()
        self._said(brief)
        return perf_counter() - begin - brief.warming

    def _said(self, generator: Generator) -> float:
        try:
            with self._policy.answering():
                return self._judge(generator)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            fix = "Lower train.dev_answers; 0 leaves answering out."
            raise GateError([Problem("There is not enough memory to answer dev rows.", fix=fix)]) from error


class _Brief:
    """A generator whose answers are no longer than these, in turn, tokens each; ready before it is timed."""

    def __init__(self, generator: TorchGenerator, lengths: Sequence[int]) -> None:
        self._generator = generator
        self._most = cycle(lengths)
        self._some = bool(lengths)
        self.warming = 0.0
        """Seconds of the first answers' first tokens."""

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        begin = perf_counter()
        self._generator.generate(conversations[:1], decoding, most=[1])
        self.warming += perf_counter() - begin
        most = list(islice(self._most, len(conversations))) if self._some else None
        return self._generator.generate(conversations, decoding, on_reply, most=most)


def _last_answer(row: Row) -> int:
    """Tokens of the last stretch of a row that is trained; 0 where none is."""
    back = reversed(row.mask)
    return 1 + sum(takewhile(bool, back)) if any(back) else 0
