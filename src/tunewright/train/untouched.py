"""Untouched: experts that an adapter leaves as they are, for their weights are stacked in a tensor, in no linear layer."""

from typing import Any

import torch

from tunewright.core.errors import Problem
from tunewright.models.base import Base
from tunewright.models.load import empty_model
from tunewright.train.lora import add_adapter
from tunewright.train.spec import SettledAdapter

_LEAST = 0.1
"""The share of the base's weights from which it is told."""


def untouched_experts(spec: SettledAdapter, base: Base) -> list[Problem]:
    """The problem of a base most of whose weights get no adapter by default. No weights are loaded.

    Where targets are named by hand, nothing is said. Raises ModelError where the base's configuration cannot be read.
    """
    if spec.kind == "full" or spec.targets != "all-linear":
        return []
    model = empty_model(base)
    stacked = {name: value for name, value in model.named_parameters() if _is_stacked(name, value)}
    if not stacked:
        return []
    whole = sum(value.numel() for value in model.parameters())
    with torch.random.fork_rng(devices=[]):
        # every kind goes where the plain one goes, and that needs no weights to begin from
        tuned = add_adapter(model, SettledAdapter(rank=spec.rank), base, seed=0)
    adapted = {id(layer.get_param()) for layer in tuned.modules() if hasattr(layer, "parameter_name")}
    left = {name: value for name, value in stacked.items() if id(value) not in adapted}
    share = sum(value.numel() for value in left.values()) / whole
    if share < _LEAST:
        return []
    first = next(iter(left))
    message = (
        f"{share:.0%} of the base's weights get no adapter: those of its experts, which are stacked ({first})"
    )
    fix = "The other layers learn, which may be enough; else choose a base whose layers are linear, or the kind full."
    return [Problem(message, where="train.adapter.targets", fix=fix)]


def _is_stacked(name: str, value: Any) -> bool:
    return ".experts." in name and value.dim() > 2
