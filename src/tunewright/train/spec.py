"""Settings of training."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tunewright.core.spec import Spec


class AdapterSpec(Spec):
    """The low-rank adapter (LoRA, arXiv:2106.09685) and its kin."""

    kind: Literal["lora", "rslora", "dora", "pissa", "qlora", "full"] = "lora"
    """`lora`; `rslora` scales by √rank, for high ranks (arXiv:2312.03732); `dora` also trains each row's size
    (arXiv:2402.09353): slower, and not loaded by vLLM; `pissa` starts from the base's largest singular values
    (arXiv:2404.02948); `qlora` trains over a base in four bits (arXiv:2305.14314) to save memory, with bitsandbytes;
    `full` is no adapter: all weights are trained and saved."""
    rslora: bool = False
    """Scale by √rank, as the kind `rslora` does, beside another kind (`dora`, `pissa`, `qlora`)."""
    dora: bool = False
    """Train each row's size too, as the kind `dora` does, beside another kind (`rslora`, `qlora`)."""

    rank: int | None = Field(None, ge=1, le=512)
    """Rank r of the update; more for new skills, less for a format. Left out, chosen from the data."""
    alpha: float | None = Field(None, gt=0)
    """Scale of the update is alpha / rank (rslora, also beside a kind: alpha / √rank); left out, 2 × rank (rslora: 8)."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on the adapter's input."""
    b_rate: float = Field(1.0, ge=1)
    """How many times faster B learns than A (LoRA+, arXiv:2402.12354, advises 16 with a lower learning rate)."""
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Module names to adapt; by default every linear layer but the head."""
    new_words: tuple[str, ...] = ()
    """Words that get a token of their own, whose embedding begins as the mean of its pieces' and is trained: names that are
    many tokens, in prompts and answers alike. The adapter brings its tokenizer along; vLLM does not load it."""

    @property
    def scaled_by_root(self) -> bool:
        """Whether the update is scaled by alpha / √rank and not by alpha / rank (arXiv:2312.03732)."""
        return self.rslora or self.kind == "rslora"

    @property
    def sized(self) -> bool:
        """Whether each row's size is trained too (arXiv:2402.09353)."""
        return self.dora or self.kind == "dora"

    @property
    def called(self) -> str:
        """The kind, and what is beside it: `qlora + dora`."""
        beside = [name for name in ("rslora", "dora") if getattr(self, name) and name != self.kind]
        return " + ".join([self.kind, *beside])

    def keeps_fp32(self, on_cpu: bool) -> bool:
        """Whether the base's weights are kept in fp32 beside products in bf16.

        They are on a CPU; anywhere where they are trained (full) or changed before training (pissa): bf16 would round them.
        """
        return on_cpu or self.kind in ("full", "pissa")

    @field_validator("new_words")
    @classmethod
    def _are_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            if not word or word != word.strip() or words.count(word) > 1:
                raise ValueError(
                    f"{word!r} is no word, or stands twice: give each once, without blanks around it"
                )
        return words


class DpoSpec(Spec):
    """Settings of the method `dpo`."""

    loss: Literal["sigmoid", "hinge", "ipo", "robust", "simpo"] = "sigmoid"
    """A pair's loss: `sigmoid` (DPO), `hinge` (SLiC), `ipo`, `robust` (against wrong labels), `simpo` (no reference)."""
    beta: float = Field(0.1, gt=0)
    """How strictly answers are held near the base; 2.0 is usual for simpo."""
    label_smoothing: float = Field(0.1, ge=0, lt=0.5)
    """For `robust`: the share of pairs that may be the wrong way round."""
    margin: float = Field(0.5, ge=0)
    """For `simpo`: how much better the chosen answer is to be (γ)."""
    nll: float = Field(0.0, ge=0)
    """Weight of the chosen answer's likelihood beside the preference; keeps it from becoming rarer."""


class OrpoSpec(Spec):
    """Settings of the method `orpo`."""

    weight: float = Field(0.1, ge=0)
    """Weight of the odds ratio beside the chosen answer's likelihood (λ)."""


class KtoSpec(Spec):
    """Settings of the method `kto`."""

    beta: float = Field(0.1, gt=0)
    """How strictly answers are held near the base."""
    desirable_weight: float = Field(1.0, ge=0)
    """Weight of the good answers; weight times rows should be about even between good and bad."""
    undesirable_weight: float = Field(1.0, ge=0)
    """Weight of the bad answers."""


LIKELIHOODS = ("sft", "cpt")
"""The methods whose loss is a likelihood, so that general rows are rows like all others."""


class TrainSpec(Spec):
    """How the model is trained."""

    method: str = "sft"
    """The method: `sft` (examples), `cpt` (documents), `dpo` or `orpo` (a rejected answer beside each example), `kto`
    (answers rated good or bad)."""
    dpo: DpoSpec = DpoSpec()
    """Settings of `dpo`."""
    orpo: OrpoSpec = OrpoSpec()
    """Settings of `orpo`."""
    kto: KtoSpec = KtoSpec()
    """Settings of `kto`."""
    adapter: AdapterSpec = AdapterSpec()
    """The adapter to train."""
    epochs: int | None = Field(None, ge=1)
    """Passes over the training rows, at most. Left out, chosen from the number of rows."""
    learning_rate: float | None = Field(None, gt=0)
    """Peak learning rate. Left out, chosen from the method and the base's width: 2e-4 for sft on most, more on small."""
    rehearsal: float = Field(0.0, ge=0, le=4)
    """General rows that are trained beside the task's, as a share of its rows, so that less is forgotten: prompts of the
    general suite's skills (none of its own), answered by the base itself. 0.25 adds one for every four rows. Beside
    dpo, orpo and kto their likelihood is added to the loss."""
    batch_tokens: int | None = Field(None, ge=16)
    """Tokens in one optimizer step, packed from whole rows. Left out, chosen from the rows' tokens."""
    max_length: int = Field(1024, ge=8)
    """The longest row, in tokens. A longer document is trained in pieces of that length."""
    over_long: Literal["fail", "drop", "cut"] = "fail"
    """What becomes of a longer conversation: `fail` stops at the gate, `drop` leaves it out, `cut` takes its oldest turns
    away. The gate counts and names what was dropped or cut."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate climbs to its peak."""
    schedule: Literal["cosine", "linear", "constant", "wsd"] = "cosine"
    """How it goes down after: half a cosine, a line, not at all, or (`wsd`) a line in the last fifth."""
    weight_decay: float = Field(0.0, ge=0)
    """AdamW's decoupled weight decay."""
    clip: float = Field(1.0, gt=0)
    """The gradient's largest norm."""
    dev_every: int | None = Field(None, ge=1)
    """Steps between dev losses; left out, four times an epoch."""
    dev_answers: int = Field(0, ge=0)
    """Dev rows that are answered at each look at dev, and graded by the target suite's first grader. Above 0 their mean
    score says which weights are kept and when training stops; the dev loss decides between equal scores alone."""
    patience: int = Field(3, ge=1)
    """Looks at dev without a better one before training stops."""
    keep: int = Field(1, ge=1)
    """Adapters to keep: 1 is the best alone; with more, those of so many last looks at dev lie beside it, in
    checkpoints/step-…, as trained and whatever `strength` says."""
    strength: Literal["auto"] | Annotated[float, Field(gt=0, le=1)] = 1.0
    """How far to go from the base to what was trained: 1 is all the way (WiSE-FT, arXiv:2109.01903). `auto` takes the
    least that dev cannot tell from the best, by one standard error: less of what the base knew is forgotten."""
    neftune: float = Field(0.0, ge=0)
    """Noise on the rows' embeddings in training, α / √(tokens × width) at most (NEFTune, arXiv:2310.05914, tries 5 to 15);
    against learning a small set by heart."""
    optimizer: Literal["adamw", "adamw8bit"] = "adamw"
    """`adamw`, or `adamw8bit` with its moments in eight bits (arXiv:2110.02861, by bitsandbytes): 6 bytes less a trained
    weight, worth it with `full`."""
    gradient_checkpointing: bool = False
    """Compute each layer again in the backward pass instead of keeping what it computed: less memory, a third slower."""
    compile: bool = False
    """Let torch compile the layers before the first step, once for all lengths: a minute or two, then a ninth less time each
    step on a CPU. For long runs; it needs a C compiler, and a run that was cut off need not end in the same bytes."""
    activation_offload: bool = False
    """Keep what the backward pass needs in the host's memory: less of an accelerator's, slower. Nothing on a CPU."""
    sinks: tuple[Literal["tensorboard", "wandb", "mlflow", "trackio"], ...] = ()
    """Trackers that show the curves besides the event log: `tensorboard`, `wandb`, `mlflow`, `trackio`, where installed."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number type of the matrix products. `auto` takes bf16 where the machine multiplies it in hardware; sums, norms,
    the loss and the adapter's weights stay in fp32 on a CPU."""
    seed: int = 0
    """Seeds adapter initialisation, dropout and row order."""

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        kind = self.adapter.kind
        if self.method == "cpt" and self.dev_answers:
            raise ValueError(
                "dev rows are documents with cpt, and cannot be asked: set train.dev_answers to 0"
            )
        if self.method == "kto" and kind in ("pissa", "full"):
            raise ValueError(
                f"kto asks the base at each step, and {kind} changes it: choose another train.adapter.kind"
            )
        if kind == "full" and (idle := self._of_an_adapter()):
            raise ValueError(
                f"full trains all weights, and {idle} is an adapter's: leave train.adapter.{idle} out"
            )
        if kind == "pissa" and self.adapter.dora:
            raise ValueError(
                "pissa saves a plain update, which dora's sizes are not: leave train.adapter.dora out"
            )
        if self.adapter.new_words and (kind == "pissa" or self.method == "kto"):
            other = (
                "pissa saves another adapter than it trains"
                if kind == "pissa"
                else "kto asks the base at each step"
            )
            raise ValueError(f"{other}, and new words are in neither: leave train.adapter.new_words out")
        if kind == "pissa" and self.strength != 1:
            raise ValueError("strength scales an update, and pissa's begins as none: set train.strength to 1")
        return self

    def _of_an_adapter(self) -> str | None:
        """A setting that was given and would do nothing, or something else, without an adapter; or none."""
        plain = AdapterSpec()
        names = ("dropout", "b_rate", "targets", "rslora", "dora")
        return next((name for name in names if getattr(self.adapter, name) != getattr(plain, name)), None)

    def products(self, fast_bf16: bool) -> Literal["fp32", "bf16"]:
        """The number type of the matrix products, on a machine that multiplies bf16 in hardware or does not."""
        if self.precision == "auto":
            return "bf16" if fast_bf16 else "fp32"
        return self.precision

    @property
    def deciding(self) -> Self:
        """What decides the result: all but the sinks."""
        return self.model_copy(update={"sinks": ()})


class SettledAdapter(AdapterSpec):
    """An adapter with nothing left out."""

    rank: int
    """Rank r of the update; 0 where there is none, and all weights are trained."""


class SettledSpec(TrainSpec):
    """Settings with nothing left out (`train/defaults.py` fills them in)."""

    adapter: SettledAdapter
    epochs: int
    learning_rate: float
    batch_tokens: int
