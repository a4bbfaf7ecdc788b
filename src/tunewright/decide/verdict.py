"""Verdict: what was found, in numbers and in words."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["helps", "does not help", "cannot tell"]


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
    """Examples where the fine-tune scores higher."""
    losses: int
    """Examples where the rival scores higher."""
    ties: int
    p_value: float
    """McNemar's mid-p on right/wrong (score ≥ 1 is right); with clusters, Student's t on the cluster-robust error."""
    detectable: float
    """The smallest difference this many examples would show with 80 % power."""
    candidate_mean: float = 0.0
    """The fine-tune's mean score."""
    rival_mean: float = 0.0
    """The rival's mean score."""


class SliceChange(_Fact):
    """One slice of a suite: the fine-tune minus one rival there."""

    field: str
    value: str
    examples: int
    difference: Interval
    rival: str = ""
    """The variant compared with: the best baseline over the whole suite; on the general suite, the base."""
    before: float = 0.0
    """The rival's mean score."""
    after: float = 0.0
    """The fine-tune's mean score."""
    p_value: float | None = None
    """Holm-adjusted over the suite's slices; none for a slice with too few examples to be judged."""


class GateResult(_Fact):
    """One gate: what was asked, what was seen."""

    name: str
    passed: bool
    asked: str
    seen: str
    clause: str = ""
    """What a failure means, as a clause of the verdict's words; empty when it passed or the outcome says it already."""


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
    examples: int = 0
    """How many examples were answered."""
    errors: int = 0
    """Requests that failed."""
    cut: int = 0
    """Replies that ran into the token limit."""


class Verdict(_Fact):
    """The decision and all it rests on."""

    outcome: Outcome
    words: str
    """The verdict in one or two sentences."""
    headline: str
    """The grader the outcome is decided by."""
    candidate: str
    comparisons: tuple[Comparison, ...]
    """Against each rival, the best one first."""
    variants: tuple[VariantSummary, ...]
    """On the target suite, on the project's further suites, on the general suite."""
    slices: tuple[SliceChange, ...]
    gates: tuple[GateResult, ...]
    examples_needed: int | None
    """With `cannot tell`: about how many test examples would settle it; none if no number would."""
    suite: str = ""
    """The target suite's name."""
    confidence: float = 0.95
    """The confidence of every interval."""
    general: Comparison | None = None
    """The fine-tune against the base on the general suite."""
    skills: tuple[SliceChange, ...] = ()
    """The slices of the general suite."""

    @property
    def releasable(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)
