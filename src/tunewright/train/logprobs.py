"""Token log-probabilities: hidden states, head and labels in, one log-probability a row out.

The one primitive every loss stands on. Rows that are not trained are dropped by the caller before the head, and the
vocabulary never stands whole in memory: the head is applied to chunks of rows, and where the head is frozen the
gradient with respect to the hidden states is taken in the same pass, so that the backward pass only scales it.

With logits z = W h, p = softmax(z) and label y: d log p_y / d h = Wᵀ (onehot(y) − p), one row at a time, independent of the
others. Where a model scales or caps its logits, z = f(W h) one by one, and the bracket is multiplied by f'.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

_CHUNK_FLOATS = 1 << 23
"""Logits held at once: 8 M floats (32 MB in fp32); 64 rows at least."""


class Shape(NamedTuple):
    """What a model makes of its head's products x: `scale` x, and of that cap tanh(scale x / cap) where there is a `cap`."""

    scale: float = 1.0
    cap: float | None = None

    def logits(self, products: Tensor) -> Tensor:
        """The logits of products in fp32."""
        scaled = products if self.scale == 1.0 else products * self.scale
        return scaled if self.cap is None else (scaled / self.cap).tanh() * self.cap

    def slope(self, logits: Tensor) -> Tensor | float:
        """How much a logit grows with its product."""
        return self.scale if self.cap is None else (1 - (logits / self.cap).square()) * self.scale


PLAIN = Shape()
"""Logits that are the head's products themselves."""


def token_logprobs(
    hidden: Tensor, head: Tensor, labels: Tensor, bias: Tensor | None = None, shape: Shape = PLAIN
) -> Tensor:
    """Log-probabilities [N] in fp32 of labels [N] under softmax(shape(hidden [N, H] headᵀ [V, H] + bias [V])).

    Gradients reach `hidden`, and the head and its bias where the head is trained.
    """
    if head.requires_grad:
        return _checkpointed(hidden, head, labels, bias, shape)
    return _FrozenHead.apply(hidden, head, labels, bias, shape)


def _chunk_rows(vocabulary: int) -> int:
    return max(64, _CHUNK_FLOATS // vocabulary)


def _logits(hidden: Tensor, head: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
    """Logits [N, V] in fp32."""
    products = (hidden.to(head.dtype) @ head.t()).float()
    return shape.logits(products if bias is None else products + bias.float())


class _FrozenHead(torch.autograd.Function):
    """Log-probabilities, with the gradient of each taken in the forward pass."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, labels: Tensor, bias: Tensor | None, shape: Shape
    ) -> Tensor:
        step = _chunk_rows(len(head))
        values = torch.empty(len(labels), dtype=torch.float32, device=hidden.device)
        wanted = ctx.needs_input_grad[0]
        slopes = torch.empty_like(hidden) if wanted else None
        for begin in range(0, len(labels), step):
            rows = slice(begin, begin + step)
            logits = _logits(hidden[rows], head, bias, shape)
            picked = labels[rows, None]
            total = logits.logsumexp(-1, keepdim=True)
            values[rows] = (logits.gather(-1, picked) - total).squeeze(-1)
            if slopes is not None:
                steep = shape.slope(logits)
                slope = logits.sub_(total).exp_().neg_()
                slope.scatter_add_(-1, picked, torch.ones_like(total))
                if shape != PLAIN:
                    slope.mul_(steep)
                slopes[rows] = (slope.to(head.dtype) @ head).to(hidden.dtype)
        if slopes is not None:
            ctx.save_for_backward(slopes)
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return slopes * grads[0][:, None].to(slopes.dtype), None, None, None, None


def _checkpointed(hidden: Tensor, head: Tensor, labels: Tensor, bias: Tensor | None, shape: Shape) -> Tensor:
    """The same for a head that is trained: chunks are computed again in the backward pass."""

    def chunk(rows: Tensor, picked: Tensor) -> Tensor:
        logits = _logits(rows, head, bias, shape)
        return logits.log_softmax(-1).gather(-1, picked[:, None]).squeeze(-1)

    step = _chunk_rows(len(head))
    parts = [
        checkpoint(chunk, hidden[begin : begin + step], labels[begin : begin + step], use_reentrant=False)
        for begin in range(0, len(labels), step)
    ]
    return torch.cat(parts) if parts else hidden.new_zeros(0, dtype=torch.float32)
