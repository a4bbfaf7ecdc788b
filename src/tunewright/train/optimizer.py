"""The optimizer's half of a step: learning-rate schedule, clipping by global norm, AdamW."""

import math
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from tunewright.core.errors import ModelError
from tunewright.train.spec import SettledSpec

_DECAY = 0.2
"""The share of the steps after the warm-up in which `wsd` goes down (arXiv:2404.06395 found a tenth to be enough)."""


def learning_rate(spec: SettledSpec, step: int, total: int) -> float:
    """The rate of step 0 ≤ step < total: a linear climb over the warm-up, then down towards zero by the schedule."""
    climb = math.ceil(spec.warmup * total)
    if step < climb:
        return spec.learning_rate * (step + 1) / climb
    done = (step - climb) / max(1, total - climb)
    match spec.schedule:
        case "cosine":
            share = 0.5 * (1 + math.cos(math.pi * done))
        case "linear":
            share = 1 - done
        case "constant":
            share = 1.0
        case "wsd":
            share = min(1.0, (1 - done) / _DECAY)
    return spec.learning_rate * share


class Optimizer:
    """AdamW (arXiv:1711.05101) over named parameters, whose state can be taken out and put back exactly.

    Raises ModelError where it is to keep its moments in eight bits, and bitsandbytes is not installed.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], spec: SettledSpec) -> None:
        self._parameters = dict(parameters)
        self._clip = spec.clip
        faster = spec.adapter.b_rate
        groups = [
            {"params": [value], "scale": faster if "lora_B" in name else 1.0}
            for name, value in self._parameters.items()
        ]
        self._short = spec.optimizer == "adamw8bit"
        make = _eight_bit() if self._short else partial(torch.optim.AdamW, fused=True)
        self._adam: Any = make(
            groups if faster != 1 else [{"params": list(self._parameters.values()), "scale": 1.0}],
            lr=spec.learning_rate,
            weight_decay=spec.weight_decay,
        )

    def norms(self) -> Tensor:
        """The norm of each parameter's gradient [P]."""
        return torch.stack(torch._foreach_norm([_grad(value) for value in self._parameters.values()]))

    def step(self, rate: float, norm: float) -> None:
        """Clip the gradients, whose norm is `norm`, update, and clear them."""
        scale = min(1.0, self._clip / (norm + 1e-6))
        torch._foreach_mul_([_grad(value) for value in self._parameters.values()], scale)
        for group in self._adam.param_groups:
            group["lr"] = rate * group["scale"]
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, list[Tensor]]:
        """Parameters and moments for a checkpoint, each name's one after another, as vectors are made of them."""
        states = [self._adam.state[parameter] for parameter in self._parameters.values()]
        parameters = _alike([*self._parameters.values()])
        if self._short:
            own = {
                f"{place}.{name}": [value]
                for place, state in enumerate(states)
                for name, value in state.items()
                if isinstance(value, Tensor)
            }
            return {"parameters": parameters, **own}
        return {
            "parameters": parameters,
            "first": _alike([state["exp_avg"] for state in states]),
            "second": _alike([state["exp_avg_sq"] for state in states]),
        }

    def restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        """Put parameters and moments back as they were after `steps` steps."""
        sizes = [parameter.numel() for parameter in self._parameters.values()]
        values = tensors["parameters"].flatten().split(sizes)
        for parameter, value in zip(self._parameters.values(), values, strict=True):
            with torch.no_grad():
                parameter.copy_(value.view_as(parameter))
        if self._short:
            for place, parameter in enumerate(self._parameters.values()):
                own = {
                    name.partition(".")[2]: value.to(parameter.device, copy=True)
                    for name, value in tensors.items()
                    if name.startswith(f"{place}.")
                }
                self._adam.state[parameter] = {"step": steps, **own}
            return
        moments = zip(*(tensors[name].flatten().split(sizes) for name in ("first", "second")), strict=True)
        for parameter, (first, second) in zip(self._parameters.values(), moments, strict=True):
            self._adam.state[parameter] = {
                "step": torch.tensor(float(steps), device=parameter.device),
                "exp_avg": first.view_as(parameter).to(parameter.device, copy=True),
                "exp_avg_sq": second.view_as(parameter).to(parameter.device, copy=True),
            }


def _eight_bit() -> Any:
    if find_spec("bitsandbytes") is None:
        raise ModelError(
            "adamw8bit needs bitsandbytes, which is not installed.",
            where="train.optimizer",
            fix="pip install 'tunewright[qlora]', or choose adamw.",
        )
    from bitsandbytes.optim import AdamW8bit

    return AdamW8bit


def _alike(tensors: list[Tensor]) -> list[Tensor]:
    """The tensors on the CPU, of one type; those on an accelerator are joined there and fetched at once."""
    if tensors[0].device.type == "cpu" and len({tensor.dtype for tensor in tensors}) == 1:
        return tensors
    return [torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()]


def _grad(parameter: nn.Parameter) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
