"""TrainSummary: what a training run did and found. Equal runs give equal summaries: no wall times here."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

StopReason = Literal["epochs done", "dev loss got no better", "dev score got no better", "diverged"]


class LearntCheck(BaseModel):
    """One proof that the adapter learnt, with what was seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    passed: bool
    seen: str


class TrainSummary(BaseModel):
    """A finished training run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    rank: int
    """The adapter's rank; 0 where all weights are trained."""
    learning_rate: float
    """The peak."""
    batch_tokens: int
    """Tokens of an optimizer step, at most."""
    chosen: tuple[str, ...] = ()
    """What the project file left out and the data decided, with the reasons."""
    steps: int
    """Optimizer steps done."""
    steps_planned: int
    """Steps that all epochs would have had."""
    epochs: float
    """Passes over the training rows done."""
    stop_reason: StopReason
    warnings: tuple[str, ...] = ()
    """What the method says of its rows and an engine of the adapter, loss spikes and what came of them, a sentence each."""
    best_step: int
    """The step after which the kept weights were taken."""
    best_dev_loss: float | None
    """The method's loss on dev (sft: nats a trained token) after that step; none without dev rows."""
    best_dev_score: float | None = None
    """The mean score of the dev answers after that step, where some were asked for."""
    strength: float = 1.0
    """How far the kept weights go from the base to what was trained."""
    strengths: tuple[tuple[float, float, float], ...] = ()
    """The strengths tried, each with its dev loss over parts of dev, and the standard error of how far that is from the
    best one's."""
    first_dev_loss: float | None
    """The same before the first step: the base's."""
    tokens: int
    """Tokens of all rows of all steps."""
    trained_tokens: int
    """Tokens that had a loss."""
    rows: int
    """Rows trained on, those of the rehearsal included."""
    rehearsal_rows: int = 0
    cut_rows: int = 0
    """Examples of train and dev that were too long and lost their oldest turns."""
    dropped_rows: int = 0
    """Examples of train, dev and the rehearsal that were too long and were left out, and general rows that the base's
    template refuses."""
    dev_rows: int
    """Dev examples the dev loss is taken on."""
    parameters: int
    """The base's parameters."""
    trained_parameters: int
    """Those that were trained: the adapter's, or all."""
    precision: Literal["fp32", "bf16"]
    packed: bool
    """Whether rows shared sequences, or the base's layers forbade it."""
    padded: bool = False
    """Whether rows that shared none were filled up to one length and computed side by side; where not, one by one."""
    shared_prefix: int
    """Tokens that the task's rows begin with, computed once for each sequence."""
    threads: int
    checks: tuple[LearntCheck, ...]
