"""Padded: rows that share no sequence, each filled up after its end to the length of the longest.

For a model whose layers take no segments. What fills a row up comes after it and is masked, and no causal layer looks ahead.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor

from tunewright.train.pack import Row, whole_numbers

_ALIKE = 0.75
"""The part of the longest row's length that a row has to have to be computed beside it."""
_FILLER = 0
"""The token that fills rows up: every vocabulary has it, and nothing reads what becomes of it."""


class Padded(NamedTuple):
    """B rows of at most T tokens, with N trained ones."""

    ids: Tensor
    """Token ids [B, T]."""
    lengths: Tensor
    """Tokens of each row [B]."""
    places: Tensor
    """Where among the B T tokens the hidden state stands that predicts each trained token [N]."""
    labels: Tensor
    """The trained tokens [N], row by row."""

    @property
    def mask(self) -> Tensor | None:
        """1 on the rows' own tokens [B, T]; none where no row is filled up."""
        longest = self.ids.shape[1]
        if bool((self.lengths == longest).all()):
            return None
        return (torch.arange(longest) < self.lengths[:, None]).long().to(self.ids.device)

    def row_lengths(self) -> Tensor:
        """For each token the length of its row [B, T]."""
        return self.lengths[:, None].expand(self.ids.shape)

    def to(self, device: torch.device) -> "Padded":
        """The rows on a device; their lengths stay."""
        return self._replace(
            ids=self.ids.to(device), places=self.places.to(device), labels=self.labels.to(device)
        )


def pad(rows: Sequence[Row], more: int = 0) -> Padded:
    """Rows side by side, all filled up to the longest, and by so many tokens more."""
    longest = max(len(row.ids) for row in rows) + more
    trained = [row.trained_places() for row in rows]
    filled = chain.from_iterable((*row.ids, *[_FILLER] * (longest - len(row.ids))) for row in rows)
    return Padded(
        ids=whole_numbers([*filled]).view(len(rows), longest),
        lengths=torch.tensor([len(row.ids) for row in rows]),
        places=whole_numbers([number * longest + i - 1 for number, own in enumerate(trained) for i in own]),
        labels=whole_numbers([row.ids[i] for row, own in zip(rows, trained, strict=True) for i in own]),
    )


def alike(lengths: Sequence[int], limit: int) -> list[list[int]]:
    """Rows of these lengths, by number, in groups of about one length, the longest first, so that little is filled up.

    A group has at most `limit` tokens with what fills it up, save for a longer row by itself.
    """
    groups: list[list[int]] = []
    longest = 0
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        length = lengths[number]
        if not groups or length < _ALIKE * longest or (len(groups[-1]) + 1) * longest > limit:
            groups.append([])
            longest = length
        groups[-1].append(number)
    return groups
