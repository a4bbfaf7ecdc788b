"""Cutting prompts into batches: rows of like length together, within a budget of memory, those that begin alike together.

The cut hangs on the prompts, the decoding and the model alone, never on the machine: the same call makes the same
batches, and a batch of the same rows gives the same bits.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

MAX_ROWS = 64
"""Rows in a batch, at most."""
MIN_SHARED = 16
"""A beginning that all prompts of a batch share is computed once when it has this many tokens."""
PAYS = 8192
"""Prompts that begin alike get batches of their own where that spares the model so many tokens: a batch more is as many
steps more as its longest answer has tokens."""
MIN_CACHE_BYTES = 128 << 20
"""A batch's key-value cache may have this many bytes, or as many as the model's weights where those are more. Twice as many
took 120 to 200 MB more, and were no faster on short prompts and a tenth faster on long ones."""


def cut_batches(
    prompts: Sequence[Sequence[int]], max_new_tokens: int, cache_tokens: int, *, once: bool = False
) -> list[list[int]]:
    """Indices in batches, the shortest prompts of a group first; `once` where a shared beginning is kept once a batch.

    A batch's rows, padded and answered, hold `cache_tokens` at most, or it is a single row. What they share counts once,
    and leaves them at least a quarter of that.
    """
    groups = _alike(prompts) if once else [list(range(len(prompts)))]
    batches: list[list[int]] = []
    for group in groups:
        shared = shared_beginning([prompts[index] for index in group]) if once else 0
        lengths = {index: len(prompts[index]) - shared for index in group}
        room = max(cache_tokens - shared, cache_tokens // 4)
        batch: list[int] = []
        for index in sorted(group, key=lambda i: (lengths[i], i)):
            width = lengths[index] + max_new_tokens
            full = len(batch) == MAX_ROWS or (len(batch) + 1) * width > room
            if full or not batch:
                batch = []
                batches.append(batch)
            batch.append(index)
    return batches


def shared_beginning(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with, leaving each at least one of its own; 0 where it is not worth it."""
    if len(prompts) < 2:
        return 0
    ordered = sorted(map(list, prompts))
    first, last = ordered[0], ordered[-1]
    longest = min(map(len, prompts)) - 1
    shared = next((i for i in range(longest) if first[i] != last[i]), longest)
    return shared if shared >= MIN_SHARED else 0


def _alike(prompts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Indices in groups: each group of prompts that begin alike, where that pays, and all others."""
    found: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, prompt in enumerate(prompts):
        found[tuple(prompt[:MIN_SHARED])].append(index)
    spared = {
        key: (len(group) - 1) * shared_beginning([prompts[i] for i in group]) for key, group in found.items()
    }
    groups = [group for key, group in found.items() if spared[key] >= PAYS]
    others = [index for key, group in found.items() if spared[key] < PAYS for index in group]
    return [*groups, others] if others else groups


def cache_tokens(model: Any) -> int:
    """How many tokens of one row a batch's cache may hold in all."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    size = next(model.parameters()).element_size()
    weights = sum(weight.numel() for weight in model.parameters()) * size
    token = 2 * config.num_hidden_layers * heads * dim * size
    return int(max(MIN_CACHE_BYTES, weights) // token)
