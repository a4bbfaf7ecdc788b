"""Budgeted: a generator that asks no more than it may, and stops where most answers fail.

    teacher = Budgeted(RemoteGenerator(spec), Budget(max_calls=1000, max_cost=20, price_in=2.5, price_out=10))

A budget counts every answer, those that were remembered too: a run that was cut off and goes on ends with the same rows.
So many are asked at once as cannot cost more than is left, were each as long as it may be: money ends where it would if they
were asked one after the other.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunewright.core.errors import ModelError
from tunewright.core.generation import BUDGET, Decoding, Generator, OnReply, Reply
from tunewright.core.message import Conversation

FIRST, WINDOW = 20, 50
"""Where more than half of the first answers fail, or of any so many in a row, asking stops."""
LEAST = 3
"""Where all fail, it takes so many to say that none will be answered."""
_PER_MILLION = 1e-6
_FRAME = 16
"""Tokens around a message, at most."""


class Budget(NamedTuple):
    """How much may be asked for: answers, and money at these prices of a million tokens."""

    max_calls: int | None = None
    max_cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return _PER_MILLION * (tokens_in * self.price_in + tokens_out * self.price_out)

    def most(self, conversation: Conversation, decoding: Decoding) -> float:
        """What an answer may cost: no tokenizer makes more tokens of a text than it has bytes."""
        asked = sum(len(message.model_dump_json().encode()) + _FRAME for message in conversation)
        schema = len(json.dumps(decoding.json_schema).encode()) if decoding.json_schema is not None else 0
        return self.cost(asked + schema, decoding.max_new_tokens)


class Spent(NamedTuple):
    """What was asked for so far."""

    calls: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    refused: int = 0
    """Conversations that were not asked, since the budget was used up."""


class Budgeted:
    """A generator within a budget. `told` hears what was spent, reply by reply."""

    def __init__(
        self,
        generator: Generator,
        budget: Budget,
        *,
        where: str | None = None,
        told: Callable[[Spent], None] | None = None,
    ) -> None:
        """`where` is the place of the settings, for errors."""
        self._generator, self._budget, self._where = generator, budget, where
        self._told = told or (lambda spent: None)
        self.spent = Spent()
        """What was asked for so far."""
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self._reasons = Counter[str]()

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order; past the budget they have the error BUDGET.

        Raises ModelError where most answers fail, with what most of them say; and what the generator raises.
        """
        replies: dict[int, Reply] = {}

        def settle(index: int, reply: Reply) -> None:
            replies[index] = reply
            self._count(reply)
            if on_reply:
                on_reply(index, reply)

        begin = 0
        while begin < len(conversations) and (room := self._room(conversations[begin:], decoding)):
            some = conversations[begin : begin + room]
            self._generator.generate(some, decoding, _from(begin, settle))
            begin += len(some)
        for index in range(begin, len(conversations)):
            settle(index, Reply("", 0, 0, 0.0, "error", BUDGET))
        self._stop_if_all_failed()
        return [replies[index] for index in range(len(conversations))]

    def _room(self, waiting: Sequence[Conversation], decoding: Decoding) -> int:
        """How many of those that wait may be asked before the next look at what was spent."""
        budget, spent = self._budget, self.spent
        room = len(waiting)
        if budget.max_calls is not None:
            room = min(room, budget.max_calls - spent.calls)
        if budget.max_cost is None:
            return max(0, room)
        left = budget.max_cost - spent.cost
        if left <= 0:
            return 0
        for place, conversation in enumerate(waiting[:room]):
            left -= budget.most(conversation, decoding)
            if left < 0:
                return max(1, place)
        return max(0, room)

    def _count(self, reply: Reply) -> None:
        spent = self.spent
        if reply.error == BUDGET:
            self.spent = spent._replace(refused=spent.refused + 1)
            return
        self.spent = Spent(
            spent.calls + 1,
            spent.failed + int(reply.error is not None),
            spent.tokens_in + reply.tokens_in,
            spent.tokens_out + reply.tokens_out,
            spent.cost + self._budget.cost(reply.tokens_in, reply.tokens_out),
            spent.refused,
        )
        self._told(self.spent)
        self._last.append(reply.error is not None)
        if reply.error is not None:
            self._reasons[reply.error] += 1
        self._stop_if_most_fail()

    def _stop_if_most_fail(self) -> None:
        calls, failed = len(self._last), sum(self._last)
        if (self.spent.calls == FIRST or calls == WINDOW) and 2 * failed > calls:
            raise self._failing(f"{failed} of {calls} answers failed")

    def _stop_if_all_failed(self) -> None:
        if LEAST <= self.spent.failed == self.spent.calls:
            raise self._failing(f"none of {self.spent.calls:,} questions was answered")

    def _failing(self, what: str) -> ModelError:
        (reason, _), *_ = self._reasons.most_common(1)
        fix = "What was answered is kept: run again when that is mended."
        return ModelError(f"{what}, mostly since {reason}", where=self._where, fix=fix)


def _from(begin: int, settle: OnReply) -> OnReply:
    """The same, told of places that count from `begin` on."""
    return lambda index, reply: settle(begin + index, reply)
