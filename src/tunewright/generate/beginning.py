"""Attention to a beginning that every row of a batch shares: its keys and values are kept once, not once a row.

Worked examples stand before every question. Kept once a row, they are most of what each new token has to read, and most of
the memory. Here a step's queries meet the beginning in one product over all rows, and each row's own tokens in another
(as Hydragen does, arXiv:2402.05099); one softmax goes over both.

Models take it through transformers' attention registry, where they use torch's fused attention otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, DynamicCache

NAME = "tunewright_beginning"
_STOCK = "sdpa"
_READ_BYTES = {"cpu": 1 << 24, "cuda": 1 << 28}
"""Rows' prompts are read so many at once that their keys, the beginning's with them, take about this many bytes."""
_Kept = tuple[Tensor, Tensor]
"""Keys and values."""
_OTHER = ("softcap", "s_aux", "sinks", "position_bias", "indices", "block_indices", "sliding_window")
"""What layers may ask of attention that this knows nothing of."""


class Beginning:
    """The keys and values [1, kv heads, S, d] of each layer, and which of the rows' own places hold tokens."""

    def __init__(self, cache: DynamicCache) -> None:
        layers: Any = cache.layers
        self._keys = [layer.keys for layer in layers]
        self._values = [layer.values for layer in layers]
        self.seen: Tensor | None = None
        """True where a row's own place holds a token [rows, T]; none where all do."""

    def layer(self, number: int) -> _Kept:
        """What one layer keeps."""
        return self._keys[number], self._values[number]


def takes_beginning(model: Any) -> bool:
    """Whether the model's attention may be one that this can stand for; what it cannot, it says once it is asked."""
    return bool(_causal(model).config._attn_implementation == _STOCK)


@contextmanager
def attending(model: Any) -> Iterator[None]:
    """While it lasts, the model attends to the `beginning` that its forward pass is given, and to its cache.

    No other thread may use the model meanwhile. Raises RuntimeError for a model that keeps its own attention.
    """
    causal = _causal(model)
    causal.set_attn_implementation(NAME)
    try:
        if causal.config._attn_implementation != NAME:
            raise RuntimeError("the model keeps its own attention")
        yield
    finally:
        causal.set_attn_implementation(_STOCK)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    beginning: Beginning | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Attention of query [rows, heads, W, d] over the beginning, then key and value [rows, kv heads, T, d].

    Either W = T, a prompt that is read, or W = 1, the newest token. Gives [rows, W, heads, d of the values]. As in models'
    own eager attention, scores have the layers' type and the softmax is in fp32.

    Raises ValueError without a beginning, and where the layer asks for anything else (a mask of its own, a window, a cap).
    """
    if beginning is None:
        raise ValueError("there is no beginning to attend to")
    if attention_mask is not None or (asked := [name for name in _OTHER if more.get(name) is not None]):
        raise ValueError(f"the layer asks for {'a mask' if attention_mask is not None else asked[0]} as well")
    shared = beginning.layer(module.layer_idx)
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    way = _step if query.shape[2] == 1 else _read
    return way(query, (key, value), shared, beginning.seen, scale).transpose(1, 2).contiguous(), None


def _step(query: Tensor, own: _Kept, shared: _Kept, seen: Tensor | None, scale: float) -> Tensor:
    """One new token in each row."""
    rows, heads, _, dim = query.shape
    kv, length = shared[0].shape[1:3]
    group = heads // kv
    asked = query.reshape(rows, kv, group, dim) * scale
    flat = asked.transpose(0, 1).reshape(kv, rows * group, dim)
    to_shared = (flat @ shared[0][0].transpose(1, 2)).view(kv, rows, group, length).transpose(0, 1)
    to_own = asked @ own[0].transpose(2, 3)
    if seen is not None:
        to_own = to_own.masked_fill(~seen[:, None, None], float("-inf"))
    weights = torch.cat([to_shared, to_own], -1).softmax(-1, dtype=torch.float32).to(query.dtype)
    of_shared = weights[..., :length].transpose(0, 1).reshape(kv, rows * group, length)
    found = (of_shared @ shared[1][0]).view(kv, rows, group, -1).transpose(0, 1)
    return (found + weights[..., length:] @ own[1]).reshape(rows, heads, 1, -1)


def _read(query: Tensor, own: _Kept, shared: _Kept, seen: Tensor | None, scale: float) -> Tensor:
    """The rows' prompts, a few rows at once."""
    rows, heads, width, _ = query.shape
    length = shared[0].shape[2]
    causal = torch.ones(width, width, dtype=torch.bool, device=query.device).tril()
    before = torch.ones(width, length, dtype=torch.bool, device=query.device)
    mask = torch.cat([before, causal], 1)[None, None]
    row_bytes = own[0][0].nbytes + shared[0].nbytes
    room = _READ_BYTES.get(query.device.type, _READ_BYTES["cpu"])
    outputs = []
    for few in torch.arange(rows, device=query.device).split(max(1, room // row_bytes)):
        keys, values = (
            torch.cat([all_rows.expand(len(few), -1, -1, -1), part[few]], 2)
            for all_rows, part in zip(shared, own, strict=True)
        )
        held = mask
        if seen is not None:
            held = mask.repeat(len(few), 1, 1, 1)
            held[..., length:] &= seen[few][:, None, None]
        # grouped heads and a mask together have no fused kernel on CUDA
        if (group := heads // keys.shape[1]) > 1:
            keys, values = keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1)
        outputs.append(scaled_dot_product_attention(query[few], keys, values, held, scale=scale))
    return torch.cat(outputs)


def _causal(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


AttentionInterface.register(NAME, attend)
# No mask function is registered with it, and so models build no mask.
