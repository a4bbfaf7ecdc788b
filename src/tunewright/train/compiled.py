"""The model's layers under torch.compile: on an accelerator a layer's many short kernels become few.

Layers that are alike share one compilation, and so do batches of all lengths. What is computed without gradients (dev
losses, answers) runs as it is: it would be compiled again, for little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tunewright.core.errors import ModelError

if TYPE_CHECKING:
    from tunewright.train.pack import Batch
    from tunewright.train.policy import Policy

_NEAR = 0.05
"""Mean difference in nats that the compiled layers may show: they round otherwise in bf16."""


@contextmanager
def compiled_layers(model: Any, wanted: bool) -> Iterator[None]:
    """While it lasts, and where it is wanted, the layers are compiled at their first call with gradients."""
    layers = alike(model) if wanted else []
    for layer in layers:
        layer.compile(dynamic=True)
        layer._compiled_call_impl = _with_gradients(layer, layer._compiled_call_impl)
    try:
        yield
    finally:
        for layer in layers:
            layer._compiled_call_impl = None


def prove(policy: Policy, batch: Batch) -> None:
    """Compile on one batch, forward and backward. Raises ModelError where that cannot be done, or gives other results."""
    fix = "Set train.compile to false."
    try:
        found = policy.logprobs(batch)
        found.mean().backward()
    except Exception as error:  # compilers fail in as many ways as there are machines
        first = str(error).strip().split("\n")[0][:200]
        message = f"The base's layers cannot be compiled here ({type(error).__name__}: {first})."
        raise ModelError(message, where="train.compile", fix=fix) from error
    finally:
        policy.model.zero_grad(set_to_none=True)
    with torch.no_grad():
        wanted = policy.logprobs(batch)
    if not bool((found.detach() - wanted).abs().mean() <= _NEAR):
        raise ModelError("The base's compiled layers give other results.", where="train.compile", fix=fix)


def alike(model: Any) -> list[Any]:
    """The layers that a causal model stacks, by what its class says must not be split; none where it says nothing."""
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    names = set(getattr(plain, "_no_split_modules", None) or ())
    return [module for module in plain.modules() if type(module).__name__ in names]


def _with_gradients(layer: nn.Module, compiled: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        run = compiled if torch.is_grad_enabled() else layer._call_impl
        return run(*arguments, **named)

    return call
