"""Four bits: linear layers whose weights bitsandbytes has packed (NF4), unpacked on a CPU by one way of our own.

    unpack_here(model)          its layers compute so from now on
    unpacked(layer)             a layer's weights as numbers

With AVX-512, bitsandbytes 0.50 takes a wrong block's scale from the second row on where rows are no whole blocks (64
weights), and says nothing. As one long row the weights come out right.
"""

from copy import copy
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

_NAME = "Linear4bit"


def four_bit(layer: Any) -> bool:
    """Whether a layer is one of bitsandbytes' with weights of four bits."""
    return any(
        kind.__name__ == _NAME and kind.__module__.startswith("bitsandbytes") for kind in type(layer).__mro__
    )


def unpacked(layer: Any) -> Tensor:
    """The weights [out, in] of a layer of four bits, in the type that they were packed from."""
    from bitsandbytes.functional import dequantize_4bit

    flat = copy(layer.weight.quant_state)
    shape, flat.shape = flat.shape, torch.Size([flat.shape.numel()])
    found: Tensor = dequantize_4bit(layer.weight.data, flat).view(shape)
    return found


def unpack_here(model: Any) -> None:
    """Let a model's layers of four bits compute with their weights unpacked as they are here."""
    for name, layer in [*model.named_modules()]:
        if four_bit(layer):
            model.set_submodule(name, _kind()(layer))


class _Product(torch.autograd.Function):
    """y = x Wᵀ; W is unpacked there and back, and not kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Any) -> Tensor:
        ctx.layer = layer
        return linear(x, unpacked(layer).to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0] @ unpacked(ctx.layer).to(grads[0].dtype), None


@cache
def _kind() -> Any:
    """The class of such layers; bitsandbytes is loaded where there is one."""
    from bitsandbytes.nn import Linear4bit

    class Unpacked(Linear4bit):
        """A layer of four bits with another one's weights."""

        def __init__(self, layer: Any) -> None:
            super().__init__(layer.in_features, layer.out_features, bias=False, device="meta")
            self.weight, self.bias, self.compute_dtype = layer.weight, layer.bias, layer.compute_dtype

        def forward(self, x: Tensor) -> Tensor:
            """The output [..., out] for x [..., in], in x's type."""
            inner = x if self.compute_dtype is None else x.to(self.compute_dtype)
            y: Tensor = _Product.apply(inner, self)
            return (y if self.bias is None else y + self.bias.to(y.dtype)).to(x.dtype)

        @property
        def W_q(self) -> Tensor:
            """The packed weights. PEFT's word: layers that have it are asked for `dequantize`, here by dora."""
            return self.weight

        def dequantize(self) -> Tensor:
            """The weights [out, in]."""
            return unpacked(self)

    return Unpacked
