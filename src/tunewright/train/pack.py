"""Packing: rows end to end in flat sequences of at most so many tokens, in an order seeded for each epoch.

What all rows begin with (the system prompt, mostly) stands once at the head of a sequence and is computed once.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tunewright.core.hashing import hash_value
from tunewright.train.attention import Segments


class Row(NamedTuple):
    """A rendered row: its id, token ids [L], and mask [L] with 1 on trained tokens."""

    id: str
    ids: list[int]
    mask: list[int]

    @property
    def trained(self) -> int:
        """Trained tokens; the first token of a row has no context and never counts."""
        return sum(self.mask[1:])


class Batch(NamedTuple):
    """Rows in one flat sequence of T tokens, N of them trained."""

    ids: Tensor
    """Token ids [1, T]."""
    positions: Tensor
    """Position ids [1, T]: they start anew with each row."""
    segments: Segments
    places: Tensor
    """Where in the sequence the hidden state stands that predicts each trained token [N]."""
    labels: Tensor
    """The trained tokens [N]."""
    rows: tuple[str, ...]
    """The rows' ids."""
    tokens: int
    """Tokens of the rows, the shared prefix counted for each."""

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        moved = {name: getattr(self, name).to(device) for name in ("ids", "positions", "places", "labels")}
        return self._replace(**moved)


def shared_prefix(rows: Sequence[Row]) -> int:
    """How many tokens all rows have in common at their beginning, before the last token ahead of any trained one."""
    if len(rows) < 2:
        return 0
    low, high = min(row.ids for row in rows), max(row.ids for row in rows)
    common = next(
        (i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high))
    )
    answers = min((row.mask.index(1) if 1 in row.mask else len(row.ids)) for row in rows)
    return max(0, min(common, answers - 1, min(len(row.ids) for row in rows) - 1))


def epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    """A permutation of range(count), the same for the same seed and epoch."""
    generator = torch.Generator().manual_seed(int(hash_value([seed, epoch])[:15], 16))
    return torch.randperm(count, generator=generator).tolist()


def fill(lengths: Sequence[int], order: Sequence[int], limit: int) -> list[list[int]]:
    """Rows by index, taken in order into groups of at most `limit` tokens; a longer row is a group of its own."""
    groups: list[list[int]] = []
    room = 0
    for index in order:
        if not groups or lengths[index] > room:
            groups.append([])
            room = limit
        groups[-1].append(index)
        room -= lengths[index]
    return groups


def by_beginning(rows: Sequence[Row], group: Sequence[int], prefix: int) -> list[tuple[int, list[int]]]:
    """The group's rows that share their first `prefix` tokens with most of it, and the others: (shared tokens, rows).

    A row that trains a token as early as that, or the one after, is among the others.
    """
    heads = {i: tuple(rows[i].ids[:prefix]) for i in group if prefix and 1 not in rows[i].mask[: prefix + 1]}
    usual = Counter(heads.values()).most_common(1)[0][0] if heads else None
    alike = [index for index in group if usual is not None and heads.get(index) == usual]
    others = [index for index in group if usual is None or heads.get(index) != usual]
    return [(shared, indices) for shared, indices in ((prefix, alike), (0, others)) if indices]


def pack(rows: Sequence[Row], prefix: int = 0) -> Batch:
    """One flat sequence of the rows, whose first `prefix` tokens are the same and stand once."""
    ids, positions = list(rows[0].ids[:prefix]), list(range(prefix))
    places: list[int] = []
    labels: list[int] = []
    for row in rows:
        offset = len(ids) - prefix
        trained = [i for i in range(max(prefix + 1, 1), len(row.ids)) if row.mask[i]]
        places += [offset + i - 1 for i in trained]
        labels += [row.ids[i] for i in trained]
        ids += row.ids[prefix:]
        positions += range(prefix, len(row.ids))
    return Batch(
        ids=torch.tensor([ids]),
        positions=torch.tensor([positions]),
        segments=Segments(prefix, tuple(len(row.ids) - prefix for row in rows)),
        places=torch.tensor(places, dtype=torch.long),
        labels=torch.tensor(labels, dtype=torch.long),
        rows=tuple(row.id for row in rows),
        tokens=sum(len(row.ids) for row in rows),
    )
