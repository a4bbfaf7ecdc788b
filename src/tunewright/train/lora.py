"""The adapter: PEFT's LoRA modules around the base's linear layers, with a faster path through them while training.

The update is y = W x + s B A x (arXiv:2106.09685, eq. 3), s = alpha / rank (rslora: / √rank). PEFT computes it in
five passes over y; `_Update` does it in two, keeps x once for all of them, and runs the products in the base weight's
type (bf16 where the machine multiplies bf16 in hardware) while A and B stay in fp32. Weights are written in PEFT's
format.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.tuners.lora.layer import Linear as LoraLinear
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.functional import linear

from tunewright.core.errors import ModelError, Problem
from tunewright.core.files import write_atomic, write_json
from tunewright.core.hashing import SHORT
from tunewright.models.adapter import attach
from tunewright.models.base import Base
from tunewright.train.spec import AdapterSpec, SettledAdapter

ADAPTER = "default"


def add_adapter(model: Any, spec: SettledAdapter, base: Base, seed: int) -> Any:
    """The model with a fresh adapter (B = 0), only the adapter trainable. Raises ModelError where no layer fits."""
    targets = spec.targets if isinstance(spec.targets, str) else list(spec.targets)
    head = model.get_output_embeddings()
    if any(module is head and name.split(".")[-1] in targets for name, module in model.named_modules()):
        fix = "Leave the output head out of train.adapter.targets: engines that serve adapters refuse one on it."
        raise ModelError("The adapter would sit on the output head.", fix=fix)
    config: Any = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha or (8 if spec.kind == "rslora" else 2 * spec.rank),  # type: ignore[arg-type]  # PEFT divides it
        use_rslora=spec.kind == "rslora",
        use_dora=spec.kind == "dora",
        lora_dropout=spec.dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    try:
        tuned = attach(model, config)
    except ValueError as error:
        fix = 'Set train.adapter.targets to "all-linear", or to names of the base\'s linear layers.'
        raise ModelError(f"The adapter finds no place in the base ({error}).", fix=fix) from error
    # equal bases give equal files, whatever they are called here; a release names its base in words
    tuned.peft_config[ADAPTER].base_model_name_or_path = base.hash[:SHORT]
    return tuned


def adapter_parameters(model: Any) -> dict[str, nn.Parameter]:
    """The trainable parameters by name, in a fixed order."""
    return {name: value for name, value in sorted(model.named_parameters()) if value.requires_grad}


def file_weights(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of the adapter's parameters on the CPU, named as PEFT's files name them."""
    return {
        _file_name(name): value.detach().to("cpu", copy=True).contiguous()
        for name, value in parameters.items()
    }


def _file_name(name: str) -> str:
    """PEFT leaves the adapter's name out, and the end of a magnitude's."""
    return name.replace(f".{ADAPTER}.", ".").replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def serving_warnings(spec: AdapterSpec) -> list[Problem]:
    """What the adapter cannot be served with as it is."""
    if spec.kind != "dora":
        return []
    fix = "Merge it into the base to serve it there, or choose lora or rslora."
    return [Problem("vLLM loads no DoRA adapters", where="train.adapter.kind", fix=fix)]


def save_adapter(model: Any, weights: dict[str, Tensor], folder: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors. Equal weights give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    config = model.peft_config[ADAPTER].to_dict() | {"inference_mode": True}
    plain = {
        name: sorted(value) if isinstance(value, set) else value for name, value in sorted(config.items())
    }
    write_json(folder / "adapter_config.json", plain)
    write_atomic(folder / "adapter_model.safetensors", save(weights, metadata={"format": "pt"}))


@contextmanager
def fast_layers(model: Any, dtype: torch.dtype) -> Iterator[None]:
    """While it lasts, PEFT's LoRA layers compute through `_Update`, with products in `dtype`."""
    layers = {name: layer for name, layer in model.named_modules() if _fits(layer)}
    for name, layer in layers.items():
        model.set_submodule(name, FastLora(layer, dtype))
    try:
        yield
    finally:
        for name, layer in layers.items():
            model.set_submodule(name, layer)


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


def _fits(layer: object) -> bool:
    """Whether a layer is plain LoRA on a plain linear layer."""
    return (
        isinstance(layer, LoraLinear)
        and type(layer.base_layer) is nn.Linear
        and not layer.lora_variant
        and layer.active_adapters == [ADAPTER]
        and layer.lora_A[ADAPTER].bias is None
        and layer.lora_B[ADAPTER].bias is None
    )


class FastLora(nn.Module):
    """A LoRA layer that computes x [..., in] → [..., out] by `_Update`."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._weight = layer.base_layer.weight.detach().to(dtype)
        self._bias = None if layer.base_layer.bias is None else layer.base_layer.bias.detach().to(dtype)
        self.lora_A = layer.lora_A[ADAPTER]
        self.lora_B = layer.lora_B[ADAPTER]
        self.dropout = layer.lora_dropout[ADAPTER]
        self.scale = layer.scaling[ADAPTER]
        self._on = True

    def enable_adapters(self, enabled: bool) -> None:
        """Whether the update counts; named as in PEFT."""
        self._on = enabled

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output [..., out] in x's type."""
        if not self._on:
            return linear(x.to(self._weight.dtype), self._weight, self._bias).to(x.dtype)
        dropped = None if isinstance(self.dropout, nn.Identity) else self.dropout(x)
        y = _Update.apply(
            x, dropped, self._weight, self._bias, self.lora_A.weight, self.lora_B.weight, self.scale
        )
        return y


class _Update(torch.autograd.Function):
    """y = x Wᵀ + b + s (x' Aᵀ) Bᵀ, where x' is x or x after dropout."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        dropped: Tensor | None,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scale: float,
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        into = flat if dropped is None else dropped.reshape(flat.shape).to(weight.dtype)
        a, b = a.to(weight.dtype), b.to(weight.dtype)
        low = into @ a.t()
        y = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
        y.addmm_(low, b.t(), alpha=scale)
        ctx.save_for_backward(into, low, weight, a, b)
        ctx.scale, ctx.shape, ctx.dtype, ctx.dropped = scale, x.shape, x.dtype, dropped is not None
        return y.view(*x.shape[:-1], -1).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        into, low, weight, a, b = ctx.saved_tensors
        slope = grads[0].reshape(-1, grads[0].shape[-1]).to(weight.dtype)
        inner = (slope @ b).mul_(ctx.scale)
        grad_a = (inner.t() @ into).float()
        grad_b = (slope.t() @ low).mul_(ctx.scale).float()
        grad_x = grad_dropped = None
        if ctx.needs_input_grad[0]:
            grad_x = slope @ weight
            if ctx.dropped:
                grad_dropped = (inner @ a).view(ctx.shape).to(ctx.dtype)
            else:
                grad_x.addmm_(inner, a)
            grad_x = grad_x.view(ctx.shape).to(ctx.dtype)
        return grad_x, grad_dropped, None, None, grad_a, grad_b, None
