"""Muon: momentum whose matrix is made orthogonal before it is applied (Jordan et al. 2024).

The step is scaled by 0.2·sqrt(max(rows, columns)), so that its size matches AdamW's and one rate serves both
(Liu et al. 2025, "Muon is scalable for LLM training", equation 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from tunewright.models.machine import has_fast_bf16

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalize(grads: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """The nearest semi-orthogonal matrices to `grads` (n, rows, columns), by Newton-Schulz in the fastest number type."""
    tall = grads.shape[1] > grads.shape[2]
    x = grads.to(torch.bfloat16 if has_fast_bf16() else torch.float32)
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return (x.mT if tall else x).to(grads.dtype)


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for the matrices of the body."""

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # no closure is taken
        """One step; matrices of one shape are made orthogonal together."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.nn.Parameter]] = {}
            for param in group["params"]:
                if param.grad is not None:
                    shapes.setdefault(param.shape, []).append(param)
            for shape, params in shapes.items():
                updates = orthogonalize(
                    torch.stack([self._momentum(param, group["momentum"]) for param in params])
                )
                scale = 0.2 * max(shape) ** 0.5
                for param, update in zip(params, updates, strict=True):
                    param.mul_(1 - group["lr"] * group["weight_decay"])
                    param.add_(update, alpha=-group["lr"] * scale)

    def _momentum(self, param: torch.nn.Parameter, momentum: float) -> torch.Tensor:
        state, grad = self.state[param], param.grad
        assert grad is not None
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(param)
        state["momentum"].lerp_(grad, 1 - momentum)
        return grad.lerp(state["momentum"], momentum)
