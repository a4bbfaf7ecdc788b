"""Attention inside a forest of segments: rows lie in one flat sequence, and none sees another.

What rows begin with alike is a segment of its own, and those that go on from it hang under it: the system prompt of all
rows, the prompt of a chosen and a rejected answer. A segment attends to those it hangs under and to itself, causally.
There is no padding and no mask over the whole sequence: one fused attention call for each segment, with a mask of its
own tokens by those of its row up to it where it hangs under another or looks through a window. On 2,000 tokens in ten
rows, forward and backward on one core, this took 0.15 of the CPU time of one call with a block-diagonal mask.

On an accelerator in half precision one kernel takes all segments at once (train/varlen.py). No fused kernel caps its scores
(Gemma 2): there a segment's scores are computed by plain products, some queries at a time.

Models take it through transformers' attention registry, so it serves every architecture that uses that.
"""

import math
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint
from transformers import AttentionInterface

from tunewright.train import varlen

NAME = "tunewright_segments"


_PLAIN_BYTES = 1 << 22
"""Scores of a segment, in bytes, up to which two bf16 products beat the fused kernel on a CPU: 4 heads of 172 tokens took
1.1 ms there and back against 1.8 (fp32, fused) and 3.3 (bf16, fused)."""
_CAPPED_BYTES = 1 << 26
"""Capped scores of a layer, in bytes, up to which it keeps them for the backward pass, all segments' together (what it
keeps is two to three times as much); of more, so many at a time are computed again there."""
_ROUND = 32
"""The sides of plain products are filled up to a multiple of this: each new shape of a bf16 product costs the CPU 0.8 ms to
compile, and one of 100 tokens takes 0.04 ms."""
_KEPT_BYTES = 1 << 26
"""Bytes of masks that are kept for the next segments of their shape, and for the next layer."""
_OWN_BYTES = 1024
"""What a tensor takes besides its numbers, about."""


class Segments(NamedTuple):
    """How a flat sequence is cut: each segment's length, and the segment it hangs under, which stands before it."""

    lengths: tuple[int, ...]
    parents: tuple[int, ...]
    """Numbers of segments; -1 for one that hangs under none."""
    dtype: torch.dtype | None = None
    """The type to attend in, where it is not the layers' own."""

    def above(self, number: int) -> list[int]:
        """The segments that a segment hangs under, the first of the row first."""
        found: list[int] = []
        while (number := self.parents[number]) >= 0:
            found.insert(0, number)
        return found

    def scores(self) -> int:
        """Scores that a head computes: each segment's tokens by those of its row up to its end."""
        numbers = range(len(self.lengths))
        seen = (sum(self.lengths[i] for i in (*self.above(number), number)) for number in numbers)
        return sum(length * keys for length, keys in zip(self.lengths, seen, strict=True))

    def row_lengths(self) -> list[int]:
        """For each segment the tokens of the longest row that goes through it."""
        ends = list[int]()
        for length, parent in zip(self.lengths, self.parents, strict=True):
            ends.append(length + (ends[parent] if parent >= 0 else 0))
        for number in reversed(range(len(ends))):
            if (parent := self.parents[number]) >= 0:
                ends[parent] = max(ends[parent], ends[number])
        return ends


class Unread:
    """Segments on their way through a layer. A compiled one would be compiled anew for each tuple that it was handed."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments


class Kept:
    """The tensors last asked for, by what they are made from, up to `room` bytes in all."""

    def __init__(self, room: int) -> None:
        self.bytes = 0
        self._room = room
        self._tensors: dict[Hashable, Tensor] = {}

    def get(self, make: Callable[..., Tensor], *given: Hashable) -> Tensor:
        """What `make` makes of `given`; one that is larger than the room is made each time."""
        key = (make, *given)
        found = self._tensors.pop(key, None)
        if found is None:
            found = make(*given)
            if _size(found) > self._room:
                return found
            self.bytes += _size(found)
        self._tensors[key] = found
        while self.bytes > self._room:
            oldest = next(iter(self._tensors))
            self.bytes -= _size(self._tensors.pop(oldest))
        return found

    def clear(self) -> None:
        """Let go of all."""
        self._tensors.clear()
        self.bytes = 0


def _size(tensor: Tensor) -> int:
    return tensor.nbytes + _OWN_BYTES


_kept = Kept(_KEPT_BYTES)


def forget() -> None:
    """Let go of the masks and paths kept."""
    _kept.clear()
    varlen.forget()


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    segments: Unread | None = None,
    s_aux: Tensor | None = None,
    position_bias: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of query [1, heads, T, d] over key and value [1, kv heads, T, d] → [1, T, heads, d].

    Without `segments` the sequence is one row (B of them where the batch is B). `softcap` c makes a score s
    c tanh(s / c) before the mask (Gemma 2, arXiv:2408.00118, section 2). Raises NotImplementedError for sinks (GPT-OSS), and
    for scores with a bias of their own.
    """
    if s_aux is not None or position_bias is not None:
        raise NotImplementedError(
            f"packed rows have no {'attention sinks' if s_aux is not None else 'position bias'}"
        )
    cut = segments.segments if segments else Segments((query.shape[2],), (-1,))
    dtype = cut.dtype or query.dtype
    if softcap is None and dropout == 0.0 and len(query) == 1 and varlen.takes(query, dtype):
        q, k, v = (part[0].transpose(0, 1).to(dtype) for part in (query, key, value))
        return varlen.attend(q, k, v, cut, scaling, sliding_window)[None].to(query.dtype), None
    queries, keys, values = (
        torch.split(part.to(dtype), list(cut.lengths), dim=2) for part in (query, key, value)
    )
    one: Callable[..., Tensor] = _attend_segment
    if softcap is not None:
        kept = 4 * len(query) * query.shape[1] * cut.scores() <= _CAPPED_BYTES
        one = partial(_attend_capped, softcap, kept)
    outputs = []
    for number, own in enumerate(queries):
        path = [*cut.above(number), number]
        seen_keys = keys[number] if len(path) == 1 else torch.cat([keys[i] for i in path], dim=2)
        seen_values = values[number] if len(path) == 1 else torch.cat([values[i] for i in path], dim=2)
        outputs.append(one(own, seen_keys, seen_values, dropout, scaling, sliding_window))
    return torch.cat(outputs, dim=2).transpose(1, 2).to(query.dtype).contiguous(), None


def _attend_segment(
    query: Tensor, key: Tensor, value: Tensor, dropout: float, scaling: float | None, window: int | None
) -> Tensor:
    """One segment: the queries are the last of the keys' positions."""
    rows, columns = query.shape[2], key.shape[2]
    grouped = query.shape[1] != key.shape[1]
    window = window if window is not None and columns > window else None
    small = query.shape[1] * rows * columns * query.element_size() <= _PLAIN_BYTES
    if query.device.type == "cpu" and query.dtype == torch.bfloat16 and small:
        return _plain(query, key, value, window, dropout, scaling)
    whole = rows == columns and window is None
    mask = None if whole else _kept.get(_mask, rows, columns, window, query.device)
    return scaled_dot_product_attention(
        query, key, value, mask, dropout, is_causal=mask is None, scale=scaling, enable_gqa=grouped
    )


def _attend_capped(
    softcap: float,
    kept: bool,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout: float,
    scaling: float | None,
    window: int | None,
) -> Tensor:
    """One segment whose scores are capped, and `kept` for the backward pass or computed again there.

    Of a long one, some queries at a time, by the keys that they see.
    """
    rows, columns = query.shape[2], key.shape[2]
    step = max(_ROUND, _CAPPED_BYTES // (4 * len(query) * query.shape[1] * columns))
    outputs = []
    for begin in range(0, rows, step):
        own = query[:, :, begin : begin + step]
        end = columns - rows + begin + own.shape[2]
        first = 0 if window is None else max(0, end - own.shape[2] + 1 - window)
        given = (own, key[:, :, first:end], value[:, :, first:end], window, dropout, scaling, softcap)
        outputs.append(_plain(*given) if kept else checkpoint(_plain, *given, use_reentrant=False))
    return torch.cat(outputs, dim=2)


def _plain(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int | None,
    dropout: float,
    scaling: float | None,
    softcap: float | None = None,
) -> Tensor:
    """Attention by two products; sums run in fp32 inside them, and so does a cap."""
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    batch, heads, rows, _ = query.shape
    bias = _kept.get(_bias, rows, key.shape[2], window, query.dtype, query.device)
    query = _filled(query.flatten(0, 1), len(bias))
    key, value = (_filled(part.flatten(0, 1), bias.shape[1]) for part in (key, value))
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if softcap is None:
        scores = torch.baddbmm(bias.expand(len(query), -1, -1), query, key.transpose(1, 2), alpha=scale)
    else:
        scores = (query @ key.transpose(1, 2)).float() * (scale / softcap)
        scores = scores.tanh() * softcap + bias
    weights = torch.dropout(scores.softmax(-1).to(value.dtype), dropout, dropout > 0)
    return (weights @ value).unflatten(0, (batch, heads))[:, :, :rows]


def _filled(part: Tensor, length: int) -> Tensor:
    """`part` [heads, T, d] with zeros after it, up to `length` tokens."""
    return pad(part, (0, 0, 0, length - part.shape[1]))


def _bias(rows: int, columns: int, window: int | None, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The mask as 0 and −∞, for `rows` and `columns` filled up; those beyond see something and are not seen."""
    sides = (math.ceil(side / _ROUND) * _ROUND for side in (rows, columns))
    bias = torch.zeros(*sides, dtype=dtype, device=device)
    bias[:, columns:] = float("-inf")
    bias[:rows, :columns].masked_fill_(~_mask(rows, columns, window, device), float("-inf"))
    return bias


def _mask(rows: int, columns: int, window: int | None, device: torch.device) -> Tensor:
    """True where query i (at position columns − rows + i) may see key j."""
    here = torch.arange(columns - rows, columns, device=device)[:, None]
    there = torch.arange(columns, device=device)[None]
    seen = there <= here
    return seen if window is None else seen & (there > here - window)


# compiled layers leave it out: each batch is cut otherwise, and would be compiled anew
AttentionInterface.register(NAME, torch.compiler.disable(attend))
# No mask function is registered with it, and so models build no mask.
