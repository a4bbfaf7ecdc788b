"""The model's layers under torch.compile, which makes few kernels of a layer's many.

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
from tunewright.models.load import first_line, is_shortage

if TYPE_CHECKING:
    from tunewright.train.pack import Batch
    from tunewright.train.policy import Policy

_FIX = "Set train.compile to false."
_NEAR = 0.05
"""Mean difference in nats that the compiled layers may show: they round otherwise in bf16."""


@contextmanager
def compiled_layers(model: Any, wanted: bool) -> Iterator[None]:
    """While it lasts, and where it is wanted, the layers are compiled at their first call with gradients.

    Raises ModelError where the model does not say which its layers are.
    """
    layers = alike(model) if wanted else []
    if wanted and not layers:
        raise ModelError("The base does not say which layers it stacks.", where="train.compile", fix=_FIX)
    for layer in layers:
        layer.compile(dynamic=True)
        layer._compiled_call_impl = _with_gradients(layer, layer._compiled_call_impl)
    try:
        yield
    finally:
        for layer in layers:
            layer._compiled_call_impl = None


def prove(policy: Policy, batch: Batch, exact: bool) -> None:
    """Compile on one batch, forward and backward, as in training.

    Raises ModelError where that cannot be done, or gives other results where nothing random is in them.
    """
    training = policy.model.training
    policy.model.train()
    try:
        found = policy.logprobs(batch)
        found.mean().backward()
        with torch.no_grad():
            wanted = policy.logprobs(batch)
    except Exception as error:
        # compilers fail in as many ways as there are machines: no C compiler (InductorError), a header that is missing
        # (CppCompileError), code that cannot be traced (of dynamo's own or the layer's), a full disk
        if is_shortage(error):
            short = "There is not enough memory to compile two rows of training."
            raise ModelError(short, where="train.compile", fix=f"Lower train.max_length. {_FIX}") from error
        message = f"The base's layers cannot be compiled here ({first_line(error)})."
        raise ModelError(message, where="train.compile", fix=_FIX) from error
    finally:
        policy.model.zero_grad(set_to_none=True)
        policy.model.train(training)
    if exact and not bool((found.detach() - wanted).abs().mean() <= _NEAR):
        raise ModelError("The base's compiled layers give other results.", where="train.compile", fix=_FIX)


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
