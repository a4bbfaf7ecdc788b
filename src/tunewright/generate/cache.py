"""A key-value cache that grows in place. transformers' own copies all of itself for each new token."""

from inspect import signature
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_SLACK = 64
"""Tokens of room that a layer takes beyond what it needs now."""


class GrowingLayer(DynamicLayer):
    """Keys and values of one layer [rows, heads, tokens, dim], as views into buffers with room for more tokens."""

    keys: torch.Tensor
    values: torch.Tensor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append new tokens' keys and values; returns all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._key_room = key_states.new_empty(0)
            self._value_room = value_states.new_empty(0)
        used = self.get_seq_length()
        self._key_room = _append(self._key_room, key_states, used)
        self._value_room = _append(self._value_room, value_states, used)
        end = used + key_states.shape[-2]
        self.keys, self.values = self._key_room[:, :, :end], self._value_room[:, :, :end]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only these rows."""
        self._replace(self.keys[indices], self.values[indices])

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every row."""
        self._replace(self.keys.repeat_interleave(repeats, 0), self.values.repeat_interleave(repeats, 0))

    def _replace(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        self.keys = self._key_room = keys
        self.values = self._value_room = values


def new_cache(config: Any) -> DynamicCache:
    """An empty cache for a model of this configuration; layers that attend to everything grow in place."""
    cache = DynamicCache(config=config)
    cache.layers = [_growing(layer) for layer in cache.layers]
    return cache


def attends_to_all(cache: DynamicCache) -> bool:
    """Whether every layer keeps every token: no sliding window, no running state."""
    return bool(cache.layers) and all(type(layer) is GrowingLayer for layer in cache.layers)


def _growing(layer: Any) -> Any:
    make: Any = GrowingLayer
    return make() if type(layer) is DynamicLayer else layer


def _append(room: torch.Tensor, states: torch.Tensor, used: int) -> torch.Tensor:
    """The buffer with `states` after its first `used` tokens; a larger one where they do not fit."""
    end = used + states.shape[-2]
    if not used or room.shape[-2] < end:
        rows, heads, _, dim = states.shape
        larger = states.new_empty(rows, heads, end + max(_SLACK, end // 4), dim)
        if used:
            larger[:, :, :used] = room[:, :, :used]
        room = larger
    room[:, :, used:end] = states
    return room


def cache_word(model: Any) -> str:
    """What the model's forward pass calls its cache: `cache` since transformers 5.24, `past_key_values` before."""
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in signature(plain.forward).parameters else "past_key_values"
