"""Policy: the model as the losses see it, log-probabilities of a batch's trained tokens and of its rows.

Before the first step it proves itself on two rows against the model's own forward pass, one row at a time. The rows of a
model that cannot be packed (its layers take no segments) are filled up to one length; where that gives other results, too,
or other gradients (train/proof.py), they are run one at a time. Logits that a model scales or caps, as its configuration
says, are scaled and capped here too, some at a time; one that makes more of them goes through its own head, all logits of a
batch's trained tokens at once.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tunewright.core.errors import ModelError
from tunewright.models.load import first_line, is_shortage
from tunewright.models.text import text_part
from tunewright.train import attention
from tunewright.train.fast import adapted_layers, failing_layer, without_adapter
from tunewright.train.layout import Laying, Layout, laid
from tunewright.train.logprobs import PLAIN, Shape, token_logprobs
from tunewright.train.pack import Batch, Row, Tree, pack, shared_prefix
from tunewright.train.padded import Padded, pad
from tunewright.train.proof import long_rows, proven, reworded

_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
"""Mean difference in nats that the two ways may show: 0.012 was seen in bf16, where single unlikely tokens differ by 0.2."""
_SLOPES = {torch.float32: 1e-3, torch.bfloat16: 0.1}
"""The share of a gradient's size that it may differ by where rows are filled up."""
_LEAK = 1e-3
"""Mean difference in nats that other words in the row before may make: none where none is seen, 0.002 in RecurrentGemma."""
_PROBED = 32
"""Trained tokens of a row that the proof looks at."""
_MORE = 8
"""Tokens that each row is filled up by, at least, for the proof that it may be."""
_CAPS = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")
"""The names that a configuration may have for a cap of logits."""
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
        probe = [_forked(tree) for tree in taught]
        self.refused: str | None = None
        """What the quicker layouts said where they could not be gone; none where rows are packed."""
        self.layout: Layout
        self.shape: Shape | None
        """What is made of the head's products; none where the model's own head is asked."""
        if proven is not None:
            self.layout, self.shape, self.refused = proven.layout, proven.shape, proven.refused
            self._causal.set_attn_implementation(self._attention)
            return
        said = dict[Layout, str | None]()
        self._failed: str | None = None
        for layout, shape in _ways(self._causal.config):
            self.layout, self.shape, self.refused = layout, shape, None
            if self._agrees(probe):
                quicker = [why or "other results" for other, why in said.items() if other != self.layout]
                self.refused = "; filled up: ".join(quicker) or None
                return
            said.setdefault(self.layout, self.refused)
        raise self._no_way(said["alone"])

    def _no_way(self, said: str | None) -> ModelError:
        """The error where rows cannot even be read one by one: of the adapter's own layer where it comes from one."""
        why = f" ({said})" if said else ""
        if said is None or self._failed is None:
            fix = "Choose another base; this one's forward pass is not that of a plain causal model."
            return ModelError(f"The base gives other results in training than alone{why}.", fix=fix)
        leaf = self._failed.split(".")[-1]
        others = sorted(adapted_layers(self.model) - {leaf})
        fix = (
            f"Leave it out: train.adapter.targets: [{', '.join(others)}]."
            if others
            else "Choose another base."
        )
        return ModelError(
            f"The base uses its layer {leaf} in a way that no adapter on it can compute{why}.",
            where="train.adapter.targets",
            fix=fix,
        )

    @property
    def packed(self) -> bool:
        """Whether a batch's rows lie in one flat sequence."""
        return self.layout == "packed"

    @property
    def padded(self) -> bool:
        """Whether a batch's rows of about one length are filled up to it and lie side by side."""
        return self.layout == "padded"

    @property
    def laying(self) -> Laying:
        """The layout on the model's device."""
        return laid(self.layout, self.device.type)

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
        if not self.packed:
            return self._apart(batch.rows)
        if self.compiles_products:
            batch = batch.filled(_ROUND)
        cut = attention.Unread(batch.segments._replace(dtype=self._dtype))
        batch = batch.to(self.device)
        return self._read(batch, position_ids=batch.positions, segments=cut)

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
            self._causal.set_attn_implementation(self._attention)
            self.model.train(training)

    def restore(self) -> None:
        """Give the model its own attention back."""
        self._causal.set_attn_implementation(self._stock)

    @property
    def _attention(self) -> str:
        """The attention that the layout wants."""
        return attention.NAME if self.packed else cast("str", self._stock)

    def _apart(self, rows: Sequence[Row]) -> Tensor:
        """Log-probabilities [N] of the rows' trained tokens, row by row; rows of about one length are read together.

        Where the rows are too many to be kept for one backward pass, each group is a pass of its own, computed again there.
        """
        lengths = [len(row.ids) for row in rows]
        cost = self.laying.row_cost(lengths)
        again = cost.held < cost.tokens and torch.is_grad_enabled()
        found = dict[int, Tensor]()
        for group in self.laying.groups(lengths):
            batch = pad([rows[number] for number in group]).to(
                self.device
            )  # whose random state is kept for it
            values = (
                checkpoint(self._read_padded, batch, use_reentrant=False)
                if again
                else self._read_padded(batch)
            )
            found |= zip(group, values.split([rows[number].trained for number in group]), strict=True)
        return torch.cat([found[number] for number in range(len(rows))])

    def _read_padded(self, batch: Padded) -> Tensor:
        batch = batch.to(self.device)
        mask = batch.mask
        return self._read(batch, **({} if mask is None else {"attention_mask": mask}))

    def _read(self, batch: Batch | Padded, **given: Any) -> Tensor:
        """Log-probabilities [N] of a batch's labels; the model is given its ids [B, T] and what else is `given`."""
        if self.shape is None:  # one sequence: no way fills rows up and asks the model's own head
            found = self._forward(self._causal, batch, logits_to_keep=batch.places, **given)
            return _picked(found.logits[0], batch.labels)
        hidden: Tensor = self._forward(self._body, batch, **given).last_hidden_state
        head = self._causal.get_output_embeddings()
        picked = hidden.flatten(0, 1).index_select(0, batch.places)
        return token_logprobs(picked, head.weight, batch.labels, getattr(head, "bias", None), self.shape)

    def _forward(self, module: Any, batch: Batch | Padded, **given: Any) -> Any:
        with self._noisy(batch), torch.autocast(self.device.type, self._dtype, enabled=self._mixed):
            return module(input_ids=batch.ids, use_cache=False, return_dict=True, **given)

    @contextmanager
    def _noisy(self, batch: Batch | Padded) -> Iterator[None]:
        """While it lasts, the embeddings of the batch are noisy, in training mode."""
        if not (self._noise and self.model.training):
            yield
            return
        most = self._noise * batch.row_lengths().float().rsqrt()

        def add(_: Any, __: Any, embedded: Tensor) -> Tensor:
            size = (most / embedded.shape[-1] ** 0.5).to(embedded)[..., None]
            return embedded + size * torch.empty_like(embedded).uniform_(-1, 1)

        handle = self._causal.get_input_embeddings().register_forward_hook(add)
        try:
            yield
        finally:
            handle.remove()

    def _agrees(self, probe: list[Tree]) -> bool:
        """Whether this way and the model alone give the probe's rows the same log-probabilities."""
        rows = [row for tree in probe for row in tree.rows]
        dtype = self._dtype or self._causal.dtype
        self._causal.set_attn_implementation(self._attention)
        training = self._causal.training
        self.model.eval()
        try:
            with torch.no_grad():
                if self.padded:
                    found = self._read_padded(pad(rows, self._more(rows)))
                else:
                    found = self.logprobs(pack(probe, shared_prefix(probe)))
                self._causal.set_attn_implementation(self._stock)
                wanted = torch.cat([self._alone(row) for row in rows])
            if not bool((found - wanted).abs().mean() <= _TOLERANCE.get(dtype, 0.05)):
                return False
            if self.padded:
                return self._agrees_in_training(rows, dtype)
            return dtype == torch.float32 or not self.packed or self._keeps_apart(probe)
        except (MemoryError, TypeError, ValueError, RuntimeError, LookupError, AttributeError) as error:
            # a layer that takes no segments, or shapes that do not meet: each architecture has its own way to say so
            if is_shortage(error):
                short = "There is not enough memory for two rows of training."
                fix = "Lower train.max_length, choose a smaller base, or free memory."
                raise ModelError(short, fix=fix) from error
            self.refused, self._failed = first_line(error), failing_layer(self.model, error)
            return False
        finally:
            self._causal.set_attn_implementation(self._attention)
            self.model.train(training)

    def _keeps_apart(self, probe: list[Tree]) -> bool:
        """Whether a packed row stays what it is when the one before it says something else: rounding hides small leaks."""
        self._causal.set_attn_implementation(self._attention)
        first, *others = probe
        own = sum(row.trained for row in first.rows)
        with torch.no_grad():
            before, after = (self.logprobs(pack([tree, *others]))[own:] for tree in (first, reworded(first)))
        return not others or bool((before - after).abs().mean() <= _LEAK)

    def _agrees_in_training(self, rows: Sequence[Row], dtype: torch.dtype) -> bool:
        """Whether filled-up rows of some hundred tokens have the values and gradients that they have one by one."""
        noise, self._noise = self._noise, 0.0
        try:
            return proven(
                self.model,
                long_rows(rows, (self._positions or math.inf) - _MORE),
                lambda several: self._read_padded(pad(several, _MORE)),
                lambda single: self._read_padded(pad(single)),
                _TOLERANCE.get(dtype, 0.05),
                _SLOPES.get(dtype, 0.1),
            )
        finally:
            self._noise = noise

    @property
    def _positions(self) -> int | None:
        """The longest row that the base takes; none where it does not say so (-1 is one way not to)."""
        said = getattr(self._causal.config.get_text_config(), "max_position_embeddings", None)
        return said if said and said > 2 * _MORE else None

    def _more(self, rows: Sequence[Row]) -> int:
        """How many tokens rows are filled up by for the proof that they may be, no more than the base takes."""
        longest = max(len(row.ids) for row in rows)
        return _MORE if self._positions is None else max(0, min(_MORE, self._positions - longest))

    def _alone(self, row: Row) -> Tensor:
        """The row's log-probabilities as the model itself computes them."""
        batch = pad([row]).to(self.device)
        logits: Tensor = self._causal(input_ids=batch.ids, use_cache=False).logits[0, batch.places]
        return _picked(logits, batch.labels)


def _forked(tree: Tree) -> Tree:
    """What the proof looks at of a tree: its rows' first trained tokens, and a single row twice.

    Some models part rows whose positions begin anew, and would seem to take segments where none hangs under another.
    """
    rows = tuple(row.begun(_PROBED) for row in tree.rows)
    return tree._replace(rows=rows if len(rows) > 1 else rows * 2)


def _ways(config: Any) -> list[tuple[Layout, Shape | None]]:
    """Layouts and what is made of the head's products, none where the model's own head is asked, the quickest first."""
    known = shapes(config)
    return [
        *(("packed", shape) for shape in (*known, None)),
        *(("padded", shape) for shape in known),
        *(("alone", shape) for shape in (*known, None)),
    ]


def shapes(config: Any) -> list[Shape]:
    """What a model may make of its head's products by its configuration, the likeliest first.

    Granite divides by `logits_scaling` and HyperCLOVA X multiplies by it; Cohere has `logit_scale`, Falcon-H1
    `lm_head_multiplier`; Gemma 2 and its kin, RecurrentGemma and xLSTM cap, each by another name.
    """
    text = config.get_text_config()
    caps = (getattr(text, name, None) for name in _CAPS)
    cap = next((value for value in caps if value), None)
    divisor = getattr(text, "logits_scaling", None) or 1.0
    named = (getattr(text, name, None) or 1.0 for name in ("logit_scale", "lm_head_multiplier"))
    scales = [scale for scale in (1 / divisor, divisor, *named) if scale != 1.0]
    return list(dict.fromkeys([*(Shape(scale, cap) for scale in scales), Shape(1.0, cap), PLAIN]))


def _picked(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probabilities [N] of labels [N] under logits [N, V]."""
    return logits.float().log_softmax(-1).gather(-1, labels[:, None]).squeeze(-1)
