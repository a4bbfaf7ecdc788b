"""Verdict: what was found, in numbers and in words."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Fact):
    """A value with its confidence interval."""

    value: float
    low: float
    high: float


class Comparison(_Fact):
    """The fine-tune against one rival on the same examples: fine-tune minus rival."""

    rival: str
    grader: str
    examples: int
    difference: Interval
    """Mean paired difference with its bootstrap interval."""
    wins: int
    losses: int
    ties: int
    p_value: float
    """McNemar's mid-p on right/wrong (score ≥ 1 is right)."""
    detectable: float
    """The smallest difference this many examples would show with 80 % power."""


class SliceChange(_Fact):
    """One slice: the fine-tune against the best rival there."""

    field: str
    value: str
    examples: int
    difference: Interval


class GateResult(_Fact):
    """One gate: what was asked, what was seen."""

    name: str
    passed: bool
    asked: str
    seen: str


class VariantSummary(_Fact):
    """One variant on one suite, as tables show it."""

    variant: str
    suite: str
    scores: dict[str, Interval]
    """Grader → mean with its interval (Wilson for 0/1 scores, bootstrap else)."""
    tokens_in: float
    """Mean tokens in, an example."""
    tokens_out: float
    """Mean tokens out, an example."""
    cost_per_1000: float | None
    """Price of 1,000 such requests by token prices, or none where no price is set."""


class Verdict(_Fact):
    """The decision and all it rests on."""

    outcome: Literal["helps", "does not help", "cannot tell"]
    words: str
    """The verdict in one or two sentences."""
    headline: str
    """The grader the outcome is decided by."""
    candidate: str
    comparisons: tuple[Comparison, ...]
    variants: tuple[VariantSummary, ...]
    slices: tuple[SliceChange, ...]
    gates: tuple[GateResult, ...]
    examples_needed: int | None
    """With `cannot tell`: how many test examples would show the difference seen; none if no number would."""

    @property
    def releasable(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)
