"""The optimizer's half of a step: learning-rate schedule, clipping by global norm, AdamW."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tunewright.train.spec import TrainSpec


def learning_rate(spec: TrainSpec, step: int, total: int) -> float:
    """The rate of step 0 ≤ step < total: a linear climb over the warm-up, then half a cosine down towards zero."""
    climb = math.ceil(spec.warmup * total)
    if step < climb:
        return spec.learning_rate * (step + 1) / climb
    return spec.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, total - climb)))


class Optimizer:
    """AdamW (arXiv:1711.05101) over named parameters, whose state can be taken out and put back exactly."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], spec: TrainSpec) -> None:
        self._parameters = dict(parameters)
        self._clip = spec.clip
        self._adam = torch.optim.AdamW(
            self._parameters.values(), lr=spec.learning_rate, weight_decay=spec.weight_decay
        )

    def step(self, rate: float) -> tuple[float, list[float]]:
        """Clip, update and clear the gradients. Returns the gradient's norm before clipping, and each parameter's."""
        grads = [_grad(parameter) for parameter in self._parameters.values()]
        norms = torch.stack(torch._foreach_norm(grads))
        norm = torch.linalg.vector_norm(norms)
        scale = (self._clip / (norm + 1e-6)).clamp(max=1.0)
        torch._foreach_mul_(grads, scale)
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        return float(norm), norms.tolist()

    def tensors(self) -> dict[str, Tensor]:
        """Parameters and moments, for a checkpoint."""
        kept: dict[str, Tensor] = {}
        for name, parameter in self._parameters.items():
            state = self._adam.state[parameter]
            kept[f"parameter.{name}"] = parameter.detach()
            kept[f"first.{name}"] = state["exp_avg"]
            kept[f"second.{name}"] = state["exp_avg_sq"]
        return {name: tensor.cpu() for name, tensor in kept.items()}

    def restore(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        """Put parameters and moments back as they were after `steps` steps."""
        for name, parameter in self._parameters.items():
            with torch.no_grad():
                parameter.copy_(tensors[f"parameter.{name}"])
            self._adam.state[parameter] = {
                "step": torch.tensor(float(steps)),
                "exp_avg": tensors[f"first.{name}"].to(parameter.device),
                "exp_avg_sq": tensors[f"second.{name}"].to(parameter.device),
            }


def _grad(parameter: nn.Parameter) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
