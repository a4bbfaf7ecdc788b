"""Grader: scores one reply against one example. The same piece filters data, scores evals and rewards RL."""

from typing import NamedTuple, Protocol

from tunewright.core.example import Example


class Score(NamedTuple):
    """What a grader says of one reply: 0 ≤ value ≤ 1."""

    value: float
    detail: str | None = None
    """Why it is not 1, in a few words."""
    parts: dict[str, float] | None = None
    """Scores of the parts, where the grader has parts (field by field)."""


class Grader(Protocol):
    """Scores one reply. A grader never raises on a reply, however odd: it scores it 0 and says why."""

    @property
    def name(self) -> str:
        """The grader's name, as score tables show it."""
        ...

    def grade(self, example: Example, reply: str) -> Score:
        """The score of `reply` as the answer to `example`. The gold answer scores 1."""
        ...
