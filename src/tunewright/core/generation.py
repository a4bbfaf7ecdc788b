"""Generator: anything that answers. Decoding says how, Reply is what came back."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field

from tunewright.core.message import Conversation
from tunewright.core.spec import Spec


class _Drawing(Spec):
    """How tokens are drawn."""

    max_new_tokens: int = Field(256, ge=1)
    """The most tokens an answer may have."""
    temperature: float = Field(0.0, ge=0, allow_inf_nan=False)
    """0 takes the likeliest token each time; above 0 samples."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Sample from the smallest set of tokens with this much probability."""
    seed: int = 0
    """Seeds the sampling."""


class Decoding(_Drawing):
    """How an answer is drawn."""

    json_schema: dict[str, Any] | None = None
    """Each token is one that leads to JSON of this schema; none: any text."""


class DecodingSpec(_Drawing):
    """How answers to the task are drawn."""

    constrained: bool = False
    """Hold answers to the task's JSON Schema while they are written, those of the baselines too."""


class Reply(NamedTuple):
    """One answer. A failed request is a reply with an error, not an exception."""

    text: str
    tokens_in: int
    tokens_out: int
    latency_s: float
    """Wall seconds this answer took, its share of a batch."""
    finish: Literal["stop", "length", "error"]
    error: str | None = None


BUDGET = "the budget is used up"
"""The error of a reply that was not asked for, since a teacher's budget of calls or money is used up."""

OnReply = Callable[[int, Reply], None]
"""Told of each reply as it comes: (index of the conversation, reply)."""


class Generator(Protocol):
    """Anything that answers conversations: a model, a prompted model, a remote API."""

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        """One reply for each conversation, in order."""
        ...
