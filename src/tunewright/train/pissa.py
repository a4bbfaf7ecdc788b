"""PiSSA (arXiv:2404.02948): the adapter starts as the base weights' largest singular values and vectors, not as nothing.

With W = U S Vᵀ cut at rank r, A₀ = √S Vᵀ / √s and B₀ = U √S / √s (eq. 2 and 3, s the adapter's scale), the base keeps
the rest, W − s B₀ A₀ (eq. 4), which PEFT does when the adapter is put on. What is saved goes on the untouched base
instead: s (B A − B₀ A₀) is an update of rank 2r, with [A; A₀] and [B, −B₀].
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tunewright.train.lora import ADAPTER, file_name


def as_update(
    model: Any, start: Mapping[str, Tensor], end: Mapping[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The adapter from `start` to `end` as a plain LoRA of twice the rank: its configuration's changes, its weights."""
    config = model.peft_config[ADAPTER]
    # alpha grows with the doubled rank, so that the scale (alpha / r, or alpha / √r) stays
    grown = (math.sqrt(2) if config.use_rslora else 2) * config.lora_alpha
    changes = {"r": 2 * config.r, "lora_alpha": grown, "init_lora_weights": True}
    weights = {
        file_name(name): torch.cat([value, start[name]])
        if ".lora_A." in name
        else torch.cat([value, -start[name]], dim=1)
        for name, value in end.items()
    }
    return changes, {name: value.contiguous() for name, value in weights.items()}


def give_back(model: Any, start: Mapping[str, Tensor]) -> None:
    """Put what the adapter started as back into the base's weights."""
    for name, a in start.items():
        if ".lora_A." not in name:
            continue
        layer = model.get_submodule(name.split(".lora_A.")[0])
        b = start[name.replace(".lora_A.", ".lora_B.")]
        weight = layer.base_layer.weight
        weight.data += (layer.scaling[ADAPTER] * (b @ a)).to(weight)
