"""Scorecard: one variant on one suite, example by example."""

from pydantic import BaseModel, ConfigDict

from tunewright.core.grading import Score


class ScoredReply(BaseModel):
    """One example answered and scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    example: str
    """The example's id."""
    text: str
    finish: str
    error: str | None
    tokens_in: int
    tokens_out: int
    scores: dict[str, Score]
    """Grader name → score. The suite's headline grader comes first."""
    slices: dict[str, str]
    """Field → value, for the suite's slices."""


class Scorecard(BaseModel):
    """A variant's replies and scores on a suite. Equal inputs give an equal scorecard: measured times lie elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: str
    suite: str
    graders: tuple[str, ...]
    """Names, the headline one first."""
    replies: tuple[ScoredReply, ...]

    def values(self, grader: str | None = None) -> list[float]:
        """The scores of one grader (by default the headline one), in example order."""
        name = grader or self.graders[0]
        return [reply.scores[name].value for reply in self.replies]

    def mean(self, grader: str | None = None) -> float:
        """The mean score of one grader; 0 for an empty suite."""
        values = self.values(grader)
        return sum(values) / len(values) if values else 0.0
