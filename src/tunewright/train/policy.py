"""Policy: the model as the losses see it, log-probabilities of a batch's trained tokens and of its rows.

Before the first step it proves itself on two rows against the model's own forward pass, one row at a time. A model
that cannot be packed (its layers take no segments) is run row by row. Logits that a model scales or caps, as its
configuration says, are scaled and capped here too, some at a time; one that makes more of them goes through its own head,
all logits of a batch's trained tokens at once.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, cast

import torch
from torch import Tensor, nn

from tunewright.core.errors import ModelError
from tunewright.models.load import first_line, is_shortage
from tunewright.models.text import text_part
from tunewright.train import attention
from tunewright.train.fast import without_adapter
from tunewright.train.logprobs import PLAIN, Shape, token_logprobs
from tunewright.train.pack import Batch, Row, Tree, pack, shared_prefix

_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
"""Mean difference in nats that the two ways may show: 0.012 was seen in bf16, where single unlikely tokens differ by 0.2."""
_PROBED = 32
"""Trained tokens of a row that the proof looks at."""
_ROUND = 64
"""Flat sequences are filled up to a multiple of this for bf16 on a CPU, which compiles a product anew for each shape: one
of 900 tokens took 2.8 ms when new and 0.2 ms when known."""


class Policy:
    """Log-probabilities by the fastest way that is right for the model. `model` is a PeftModel or a causal model."""

    def __init__(
        self,
        model: Any,
        trees: Sequence[Tree],
        dtype: torch.dtype | None = None,
        noise: float = 0.0,
        *,
        mixed: bool = False,
        proven: "Policy | None" = None,
    ) -> None:
        """Choose the way on two of `trees`; attention runs in `dtype`. Raises ModelError where no way is right.

        `proven` is the same model's policy in exact numbers, whose way is taken: rounding alone may look like another result
        where answers are unlikely.

        `mixed` runs every layer's products in it, for layers that do not do so themselves.

        `noise` is NEFTune's α: in training mode, uniform noise of at most α / √(L H) is added to a row's L embeddings of
        width H (arXiv:2310.05914, algorithm 1).
        """
        self.model = model
        self._dtype = dtype
        self._noise = noise
        self._mixed = mixed
        self._causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._body = text_part(self._causal).body
        self._stock = self._causal.config._attn_implementation
        taught = [tree for tree in trees if all(row.trained for row in tree.rows)][:2]
        probe = [tree._replace(rows=tuple(row.begun(_PROBED) for row in tree.rows)) for tree in taught]
        self.refused: str | None = None
        """What a way that was tried said, where it could not be gone: the first of those that pack, for a model that is run
        row by row. None where all that were tried gave results."""
        self.packed: bool
        self.shape: Shape | None
        """What is made of the head's products; none where the model's own head is asked."""
        if proven is not None:
            self.packed, self.shape, self.refused = proven.packed, proven.shape, proven.refused
            self._causal.set_attn_implementation(attention.NAME if self.packed else self._stock)
            return
        said = dict[bool, str | None]()
        ways = product((True, False), (*shapes(self._causal.config), None))
        for self.packed, self.shape in ways:
            self.refused = None
            if self._agrees(probe):
                self.refused = said.get(True) if not self.packed else None
                return
            said.setdefault(self.packed, self.refused)
        fix = "Choose another base; this one's forward pass is not that of a plain causal model."
        why = f" ({said[False]})" if said[False] else ""
        raise ModelError(f"The base gives other results in training than alone{why}.", fix=fix)

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        return cast("torch.device", next(self._causal.parameters()).device)

    @property
    def compiles_products(self) -> bool:
        """Whether each new shape of a product is compiled, and kept: bf16 on a CPU."""
        return self.packed and self._dtype == torch.bfloat16 and self.device.type == "cpu"

    def logprobs(self, batch: Batch) -> Tensor:
        """Log-probabilities [N] in fp32 of the batch's trained tokens, in the order of its labels."""
        if not self.packed and len(batch.rows) > 1:
            return torch.cat([self.logprobs(pack([Tree((row,))])) for row in batch.rows])
        if self.compiles_products:
            batch = batch.filled(_ROUND)
        batch = batch.to(self.device)
        if self.shape is None:
            logits: Tensor = self._forward(self._causal, batch, logits_to_keep=batch.places).logits[0]
            return _picked(logits, batch.labels)
        hidden = self._forward(self._body, batch).last_hidden_state[0]
        head = self._causal.get_output_embeddings()
        picked = hidden.index_select(0, batch.places)
        return token_logprobs(picked, head.weight, batch.labels, getattr(head, "bias", None), self.shape)

    def row_logprobs(self, batch: Batch) -> Tensor:
        """Summed log-probabilities [R] in fp32 of each row's trained tokens."""
        values = self.logprobs(batch)
        return values.new_zeros(len(batch.rows)).index_add(0, batch.owners.to(values.device), values)

    def reference_logprobs(self, batch: Batch) -> Tensor:
        """The same [R] under the base, without the adapter; no gradient."""
        with without_adapter(self.model):
            return self.still_logprobs(batch)

    def still_logprobs(self, batch: Batch) -> Tensor:
        """The same [R] with the weights as they stand, without dropout or noise; no gradient."""
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                return self.row_logprobs(batch)
        finally:
            self.model.train(training)

    def unlikeliest(self, batches: Sequence[Batch], count: int) -> list[str]:
        """The ids of the rows whose good answers are least likely, those without a likelihood at all first.

        Rejected and badly rated answers are to become unlikely, and do not count.
        """
        found: list[tuple[float, str]] = []
        self.model.eval()
        with torch.no_grad():
            for batch in batches:
                good = [
                    tree.desirable and not place for tree in batch.trees for place in range(len(tree.rows))
                ]
                values = self.row_logprobs(batch).tolist()
                for value, row, counts in zip(values, batch.rows, good, strict=True):
                    if counts or not math.isfinite(value):
                        found.append((value / row.trained if math.isfinite(value) else -math.inf, row.id))
        return list(dict.fromkeys(name for _, name in sorted(found)))[:count]

    def unsound(
        self,
        batches: Sequence[Batch],
        loss: Callable[[Batch], Tensor],
        parameters: Sequence[nn.Parameter],
        count: int,
    ) -> list[str]:
        """The ids of rows whose loss, each by itself, has a gradient that is no number; `count` of them at most.

        Where each row's is a number and their sum is not, none. A backward pass a row: for a run that ends here.
        """
        found: list[str] = []
        for tree in (tree for batch in batches for tree in batch.trees):
            slopes = torch.autograd.grad(loss(pack([tree])), parameters, allow_unused=True)
            if not all(bool(slope.isfinite().all()) for slope in slopes if slope is not None):
                found.append(tree.id)
            if len(found) == count:
                break
        return found

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While it lasts, the model computes as it would to answer: with its own attention, and no dropout."""
        training = self.model.training
        self.model.eval()
        self.restore()
        try:
            yield
        finally:
            self._causal.set_attn_implementation(attention.NAME if self.packed else self._stock)
            self.model.train(training)

    def restore(self) -> None:
        """Give the model its own attention back."""
        self._causal.set_attn_implementation(self._stock)

    def _forward(self, module: Any, batch: Batch, **more: Any) -> Any:
        cut = attention.Unread(batch.segments._replace(dtype=self._dtype))
        segments = {"segments": cut} if self.packed else {}
        with self._noisy(batch), torch.autocast(self.device.type, self._dtype, enabled=self._mixed):
            return module(
                input_ids=batch.ids,
                position_ids=batch.positions,
                use_cache=False,
                return_dict=True,
                **segments,
                **more,
            )

    @contextmanager
    def _noisy(self, batch: Batch) -> Iterator[None]:
        """While it lasts, the embeddings of the batch are noisy, in training mode."""
        if not (self._noise and self.model.training):
            yield
            return
        lengths = torch.tensor(batch.segments.lengths)
        rows = torch.tensor(batch.segments.row_lengths(), dtype=torch.float32)
        most = (self._noise * rows.rsqrt()).repeat_interleave(lengths)

        def add(_: Any, __: Any, embedded: Tensor) -> Tensor:
            size = (most / embedded.shape[-1] ** 0.5).to(embedded)[None, :, None]
            return embedded + size * torch.empty_like(embedded).uniform_(-1, 1)

        handle = self._causal.get_input_embeddings().register_forward_hook(add)
        try:
            yield
        finally:
            handle.remove()

    def _agrees(self, probe: list[Tree]) -> bool:
        """Whether this way and the model alone give the probe's rows the same log-probabilities."""
        self._causal.set_attn_implementation(attention.NAME if self.packed else self._stock)
        batch = pack(probe, shared_prefix(probe))
        training = self._causal.training
        self.model.eval()
        try:
            with torch.no_grad():
                found = self.logprobs(batch)
                self._causal.set_attn_implementation(self._stock)
                wanted = torch.cat([self._alone(row) for row in batch.rows])
        except (MemoryError, TypeError, ValueError, RuntimeError, LookupError, AttributeError) as error:
            # a layer that takes no segments, or shapes that do not meet: each architecture has its own way to say so
            if is_shortage(error):
                short = "There is not enough memory for two rows of training."
                fix = "Lower train.max_length, choose a smaller base, or free memory."
                raise ModelError(short, fix=fix) from error
            self.refused = first_line(error)
            return False
        finally:
            self._causal.set_attn_implementation(attention.NAME if self.packed else self._stock)
            self.model.train(training)
        return bool((found - wanted).abs().mean() <= _TOLERANCE.get(self._dtype or self._causal.dtype, 0.05))

    def _alone(self, row: Row) -> Tensor:
        """The row's log-probabilities as the model itself computes them."""
        batch = pack([Tree((row,))]).to(self.device)
        logits: Tensor = self._causal(input_ids=batch.ids, use_cache=False).logits[0, batch.places]
        return _picked(logits, batch.labels)


def shapes(config: Any) -> list[Shape]:
    """What a model may make of its head's products by its configuration, the likeliest first.

    Granite divides by `logits_scaling` and HyperCLOVA X multiplies by it; Cohere has `logit_scale`, Falcon-H1
    `lm_head_multiplier`; Gemma 2 and its kin cap.
    """
    text = config.get_text_config()
    cap = getattr(text, "final_logit_softcapping", None)
    divisor = getattr(text, "logits_scaling", None) or 1.0
    named = (getattr(text, name, None) or 1.0 for name in ("logit_scale", "lm_head_multiplier"))
    scales = [scale for scale in (1 / divisor, divisor, *named) if scale != 1.0]
    return list(dict.fromkeys([*(Shape(scale, cap) for scale in scales), Shape(1.0, cap), PLAIN]))


def _picked(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probabilities [N] of labels [N] under logits [N, V]."""
    return logits.float().log_softmax(-1).gather(-1, labels[:, None]).squeeze(-1)
