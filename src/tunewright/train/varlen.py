"""Attention of all segments in one kernel, by their lengths, on an accelerator in half precision.

torch's `varlen_attn` is flash attention (arXiv:2307.08691) over sequences laid one after another. Its causal mask ends
where both the queries and the keys of a sequence end, which is how a segment looks at its path: the keys of all segments
that it hangs under, and its own, are laid before it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from inspect import signature
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from tunewright.train.attention import Segments

_WIDEST = 256
"""Numbers of a head that flash attention takes at most, in steps of eight."""
_WIDE = 192
"""Beyond this its backward pass wants one of the large chips: the others have too little shared memory."""
_LARGE = ((8, 0), (9, 0), (10, 0))


@cache
def _kernel() -> tuple[Callable[..., Any], dict[str, bool]] | None:
    """torch's kernel, and what it wants said where key heads are few; none where torch has it not yet, or not whole."""
    if find_spec("torch.nn.attention.varlen") is None:
        return None
    from torch.nn.attention.varlen import varlen_attn

    known = signature(varlen_attn).parameters
    if "window_size" not in known or "scale" not in known:
        return None
    return varlen_attn, {"enable_gqa": True} if "enable_gqa" in known else {}


def takes(query: Tensor, dtype: torch.dtype) -> bool:
    """Whether the kernel takes queries [.., d] in `dtype`, where they lie."""
    return (
        query.device.type == "cuda"
        and dtype in (torch.bfloat16, torch.float16)
        and query.shape[-1] % 8 == 0
        and _width(query.device) >= query.shape[-1]
        and _kernel() is not None
    )


@cache
def _width(device: torch.device) -> int:
    """The widest heads that this accelerator takes; 0 for one that is older than flash attention, or not NVIDIA's."""
    chip = torch.cuda.get_device_capability(device)
    if torch.version.hip is not None or chip < (8, 0):
        return 0
    return _WIDEST if chip in _LARGE else _WIDE


class Paths(NamedTuple):
    """Where S segments' queries and keys lie, for K keys on all their paths together."""

    places: Tensor | None
    """The places of the keys [K] in the flat sequence; none where they are the sequence itself."""
    queries: Tensor
    """Where each segment's queries begin, and the end of the last [S + 1], int32."""
    keys: Tensor
    """Where each segment's keys begin, and the end of the last [S + 1], int32."""
    most_queries: int
    most_keys: int


@lru_cache(maxsize=8)
def paths(cut: Segments, device: torch.device) -> Paths:
    """The paths of a flat sequence's segments; the layers of a model ask for the same ones."""
    ways = [[*cut.above(number), number] for number in range(len(cut.lengths))]
    seen = [sum(cut.lengths[i] for i in way) for way in ways]
    spans = list(pairwise(accumulate(cut.lengths, initial=0)))
    places = None
    if max(cut.parents) >= 0:
        places = torch.cat([torch.arange(*spans[i]) for way in ways for i in way]).to(device)
    queries, keys = (
        torch.tensor([0, *accumulate(each)], dtype=torch.int32, device=device) for each in (cut.lengths, seen)
    )
    return Paths(places, queries, keys, max(cut.lengths), max(seen))


def forget() -> None:
    """Let go of the paths kept."""
    paths.cache_clear()


class _Gathered(torch.autograd.Function):
    """x [T, …] at places [K] → [K, …]; the gradients of a place are summed in fp32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.length = len(x)
        return x.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        total = torch.zeros(ctx.length, *grads[0].shape[1:], device=places.device)
        return total.index_add_(0, places, grads[0].float()).to(grads[0].dtype), None


def attend(
    query: Tensor, key: Tensor, value: Tensor, cut: Segments, scaling: float | None, window: int | None
) -> Tensor:
    """Attention of query [T, heads, d] over key and value [T, kv heads, d] → [T, heads, d]."""
    kernel = _kernel()
    assert kernel is not None
    attend_all, grouped = kernel
    found = paths(cut, query.device)
    if found.places is not None:
        key, value = (_Gathered.apply(part, found.places) for part in (key, value))
    out: Tensor = attend_all(
        query.contiguous(),
        key.contiguous(),
        value.contiguous(),
        found.queries,
        found.keys,
        found.most_queries,
        found.most_keys,
        scale=scaling,
        window_size=(-1 if window is None else window - 1, 0),
        **(grouped if query.shape[1] != key.shape[1] else {}),
    )
    return out
