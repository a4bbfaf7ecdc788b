"""Settings of training."""

from typing import Literal

from pydantic import Field

from tunewright.core.spec import Spec


class AdapterSpec(Spec):
    """The low-rank adapter (LoRA, arXiv:2106.09685)."""

    rank: int = Field(16, ge=1, le=512)
    """Rank r of the update; more for new skills, less for a format."""
    alpha: float | None = Field(None, gt=0)
    """Scale of the update is alpha / rank; left out, 2 × rank."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on the adapter's input."""
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Module names to adapt; by default every linear layer but the head."""


class TrainSpec(Spec):
    """How the model is trained."""

    method: str = "sft"
    """The method: a file of train/methods/."""
    adapter: AdapterSpec = AdapterSpec()
    """The adapter to train."""
    epochs: int = Field(3, ge=1)
    """Passes over the training rows, at most."""
    learning_rate: float = Field(1e-3, gt=0)
    """Peak learning rate. The small embedded base wants 1e-3 to 5e-3; real bases 1e-4 to 2e-4."""
    rehearsal: float = Field(0.0, ge=0, le=4)
    """General rows that are trained beside the task's, as a share of its rows, so that less is forgotten: prompts of the
    general suite's skills (none of its own), answered by the base itself. 0.25 adds one for every four rows."""
    batch_tokens: int = Field(2048, ge=16)
    """Tokens in one optimizer step, packed from whole rows."""
    max_length: int = Field(1024, ge=8)
    """The longest row, in tokens; a longer one fails the gate."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate climbs to its peak; a cosine brings it down to zero after."""
    weight_decay: float = Field(0.0, ge=0)
    """AdamW's decoupled weight decay."""
    clip: float = Field(1.0, gt=0)
    """The gradient's largest norm."""
    dev_every: int | None = Field(None, ge=1)
    """Steps between dev losses; left out, four times an epoch."""
    patience: int = Field(3, ge=1)
    """Dev losses without a better one before training stops."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number type of the matrix products. `auto` takes bf16 where the machine multiplies it in hardware; sums, norms,
    the loss and the adapter's weights stay in fp32 on a CPU."""
    seed: int = 0
    """Seeds adapter initialisation, dropout and row order."""
