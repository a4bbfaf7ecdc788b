"""Faster ways through the model's own layers while it trains. They compute what the layers compute, in fewer passes.

Small models on a CPU spend as much time on passes over their activations as on products. LoRA's update
y = W x + s B A x (arXiv:2106.09685, eq. 3; s = alpha / rank, rslora: / √rank) takes PEFT five passes over y; `_Update`
takes two, keeps x once, and runs the products in the base weight's type (bf16 where the machine multiplies it in
hardware) while A and B stay in fp32. `_Norm` is RMS norm (arXiv:1910.07467, eq. 4) with its gradient in three passes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from tunewright.models.four_bit import four_bit, unpacked
from tunewright.models.peft import BaseTunerLayer, LoraLayer, LoraLinear
from tunewright.train.lora import ADAPTER


@contextmanager
def fast_layers(model: Any, dtype: torch.dtype) -> Iterator[None]:
    """While it lasts, PEFT's LoRA layers and the frozen RMS norms compute faster, the products in `dtype`."""
    updates = {name: layer for name, layer in model.named_modules() if _fits(layer)}
    norms = {name: layer for name, layer in model.named_modules() if _is_norm(layer)}
    faster = {name: FastLora(layer, dtype) for name, layer in updates.items()}
    for name, layer in (faster | {name: FastNorm(layer) for name, layer in norms.items()}).items():
        model.set_submodule(name, layer)
    try:
        yield
    finally:
        for name, layer in (updates | norms).items():
            model.set_submodule(name, layer)


def dense(layer: Any, dtype: torch.dtype) -> Callable[[], Tensor]:
    """What gives a frozen linear layer's weights [out, in] in `dtype`; four bits are unpacked at each call."""
    if four_bit(layer):
        return lambda: unpacked(layer).to(dtype)
    weight = layer.weight.detach().to(dtype)
    return lambda: weight


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """While it lasts, the model computes as its base: PEFT's layers and the fast ones alike."""
    layers = [layer for layer in model.modules() if isinstance(layer, FastLora | BaseTunerLayer)]
    try:
        for layer in layers:
            layer.enable_adapters(False)
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


def adapted_layers(model: Any) -> set[str]:
    """The last part of the names of the linear layers that an adapter is on."""
    return {
        name.split(".")[-1]
        for name, layer in model.named_modules()
        if isinstance(layer, FastLora | LoraLayer) and not hasattr(layer, "parameter_name")
    }


def failing_layer(model: Any, error: BaseException) -> str | None:
    """The name of the adapter's layer that an error comes from; none where it comes from the base itself."""
    names = {id(module): name for name, module in model.named_modules()}
    layers = [
        frame.f_locals.get("self")
        for frame, _ in walk_tb(error.__traceback__)
        if isinstance(frame.f_locals.get("self"), FastLora | BaseTunerLayer)
    ]
    return next((names[id(layer)] for layer in reversed(layers) if id(layer) in names), None)


def _fits(layer: Any) -> bool:
    """Whether a layer is plain LoRA on a plain linear layer, or on one whose weights have four bits."""
    plain = isinstance(layer, LoraLinear) and type(layer.base_layer) is nn.Linear
    return (
        (plain or (isinstance(layer, LoraLayer) and four_bit(layer.base_layer)))
        and not layer.lora_variant
        and layer.active_adapters == [ADAPTER]
        and layer.lora_A[ADAPTER].bias is None
        and layer.lora_B[ADAPTER].bias is None
    )


def _is_norm(layer: nn.Module) -> bool:
    """Whether a layer is an RMS norm in fp32 on the CPU that is not trained and computes what `_Norm` computes."""
    weight, eps = getattr(layer, "weight", None), _epsilon(layer)
    if not type(layer).__name__.endswith("RMSNorm") or eps is None or not isinstance(weight, Tensor):
        return False
    if weight.requires_grad or weight.dtype != torch.float32 or weight.device.type != "cpu":
        return False
    probe = torch.linspace(-2.0, 3.0, 2 * len(weight)).view(1, 2, -1)
    with torch.no_grad():
        same = torch.allclose(layer(probe), _Norm.apply(probe, weight, eps), rtol=1e-5, atol=1e-6)
    return same and not _takes_any_width(layer, len(weight))


def _takes_any_width(layer: nn.Module, width: int) -> bool:
    """Whether a norm passes its weight by, and so may be given other widths (Falcon Mamba's)."""
    try:
        with torch.no_grad():
            layer(torch.ones(1, 1, width + 1))
    except RuntimeError:
        return False
    return True


def _epsilon(layer: nn.Module) -> float | None:
    found = getattr(layer, "variance_epsilon", getattr(layer, "eps", None))
    return found if isinstance(found, float) else None


class FastNorm(nn.Module):
    """An RMS norm of x [..., H]."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.weight = layer.weight
        self._eps = _epsilon(layer)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output [..., H]."""
        return _Norm.apply(x, self.weight, self._eps)


class _Norm(torch.autograd.Function):
    """y = w x / rms(x), in fp32 whatever x is. With n = 1 / rms(x): dx = n w g − x n³ mean(w g x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        ctx.dtype, x = x.dtype, x.to(weight.dtype)
        square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
        inverse = square.div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, inverse, weight)
        return (x * inverse).mul_(weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, None]:
        x, inverse, weight = ctx.saved_tensors
        slope = grads[0] * weight
        share = torch.linalg.vecdot(slope, x).unsqueeze(-1).mul_(inverse**3).div_(x.shape[-1])
        return slope.mul_(inverse).addcmul_(x, share, value=-1.0).to(ctx.dtype), None, None


class FastLora(nn.Module):
    """A LoRA layer that computes x [..., in] → [..., out] by `_Update`.

    A base layer's weights of four bits are made numbers of `dtype` again at each use, there and back, and kept as neither.
    """

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype
        self._frozen = dense(layer.base_layer, dtype)
        self._bias = None if layer.base_layer.bias is None else layer.base_layer.bias.detach().to(dtype)
        self.lora_A = layer.lora_A[ADAPTER]
        self.lora_B = layer.lora_B[ADAPTER]
        self.dropout = layer.lora_dropout[ADAPTER]
        self.scale = layer.scaling[ADAPTER]
        self._on = True

    @property
    def weight(self) -> Tensor:
        """The base's weights [out, in], for models that read them past the layer (RWKV asks their type)."""
        return self._frozen()

    @property
    def bias(self) -> Tensor | None:
        """The base's bias [out]."""
        return self._bias

    def enable_adapters(self, enabled: bool) -> None:
        """Whether the update counts; named as in PEFT."""
        self._on = enabled

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output [..., out] in x's type."""
        if not self._on:
            return linear(x.to(self._dtype), self._frozen(), self._bias).to(x.dtype)
        dropped = None if isinstance(self.dropout, nn.Identity) else self.dropout(x)
        y = _Update.apply(
            x, dropped, self._frozen, self._bias, self.lora_A.weight, self.lora_B.weight, self.scale
        )
        return y


class _Update(torch.autograd.Function):
    """y = x Wᵀ + b + s (x' Aᵀ) Bᵀ, where x' is x or x after dropout."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        dropped: Tensor | None,
        frozen: Callable[[], Tensor],
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scale: float,
    ) -> Tensor:
        weight = frozen()
        flat = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        into = flat if dropped is None else dropped.reshape(flat.shape).to(weight.dtype)
        a, b = a.to(weight.dtype), b.to(weight.dtype)
        low = into @ a.t()
        y = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
        y.addmm_(low, b.t(), alpha=scale)
        ctx.save_for_backward(into, low, a, b)
        ctx.frozen, ctx.dropped = frozen, dropped is not None
        ctx.scale, ctx.shape, ctx.dtype = scale, x.shape, x.dtype
        # no view: a layer that adds to its output in place (Llama 4) may not do so to a function's view
        return torch.ops.aten._unsafe_view(y, [*x.shape[:-1], y.shape[-1]]).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        into, low, a, b = ctx.saved_tensors
        slope = grads[0].reshape(-1, grads[0].shape[-1]).to(into.dtype)
        inner = (slope @ b).mul_(ctx.scale)
        grad_a = (inner.t() @ into).float()
        grad_b = (slope.t() @ low).mul_(ctx.scale).float()
        grad_x = grad_dropped = None
        if ctx.needs_input_grad[0]:
            grad_x = slope @ ctx.frozen()
            if ctx.dropped:
                grad_dropped = (inner @ a).view(ctx.shape).to(ctx.dtype)
            else:
                grad_x.addmm_(inner, a)
            grad_x = grad_x.view(ctx.shape).to(ctx.dtype)
        return grad_x, grad_dropped, None, None, grad_a, grad_b, None
