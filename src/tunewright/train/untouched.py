"""Untouched: experts that an adapter leaves as they are, for their weights are stacked in a tensor, in no linear layer."""

from typing import Any, NamedTuple

import torch

from tunewright.core.errors import Problem
from tunewright.models.base import Base
from tunewright.models.load import empty_model
from tunewright.train.lora import ADAPTER, add_adapter
from tunewright.train.spec import SettledAdapter

_LEAST = 0.1
"""The share of the base's weights from which it is told."""


class Experts(NamedTuple):
    """A base's stacked experts, as an adapter goes on them."""

    times: int
    """How often the adapter's rank goes into the highest one on them (2 of two projections in a tensor); 0: none is."""
    share: float
    """The share of the base's weights that are experts without an adapter."""
    first: str
    """The name of the first of these weights; empty without one."""


def stacked_experts(spec: SettledAdapter, base: Base) -> Experts | None:
    """How the adapter goes on the base's stacked experts; None of a base without them. No weights are loaded.

    Raises ModelError where the base's configuration cannot be read, or the adapter finds no place.
    """
    if spec.kind == "full":
        return None
    model = empty_model(base)
    stacked = {name: value for name, value in model.named_parameters() if _is_stacked(name, value)}
    if not stacked:
        return None
    whole = sum(value.numel() for value in model.parameters())
    with torch.random.fork_rng(devices=[]):
        # every kind goes where the plain one goes, and that needs no weights to begin from
        plain = SettledAdapter(rank=spec.rank, targets=spec.targets)
        tuned = add_adapter(model, plain, base, seed=0)
    layers = [layer for layer in tuned.modules() if hasattr(layer, "parameter_name")]
    adapted = {id(layer.get_param()) for layer in layers}
    left = {name: value for name, value in stacked.items() if id(value) not in adapted}
    return Experts(
        times=max((layer.r[ADAPTER] // spec.rank for layer in layers), default=0),
        share=sum(value.numel() for value in left.values()) / whole,
        first=next(iter(left), ""),
    )


def untouched_experts(spec: SettledAdapter, experts: Experts | None) -> list[Problem]:
    """The problem of a base most of whose weights get no adapter by default.

    Where targets are named by hand, nothing is said.
    """
    if experts is None or spec.targets != "all-linear" or experts.share < _LEAST:
        return []
    message = (
        f"{experts.share:.0%} of the base's weights get no adapter: those of its experts,"
        f" which are stacked ({experts.first})"
    )
    fix = "The other layers learn, which may be enough; else choose a base whose layers are linear, or the kind full."
    return [Problem(message, where="train.adapter.targets", fix=fix)]


def _is_stacked(name: str, value: Any) -> bool:
    return ".experts." in name and value.dim() > 2
