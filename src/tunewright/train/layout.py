"""Layout: how the rows of a batch go through the model, and what that costs. The one place that says so.

    laying = laid("padded", "cpu")
    laying.cut(sizes, order, 2048)      trees as batches of at most so many tokens
    laying.cost([size, …])              what one batch costs

Trees are packed in one flat sequence, or their rows stand side by side, each filled up to the longest beside it, or one row
is read after the other.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Literal, NamedTuple

from tunewright.train.pack import Batch, Size, Tree, fill, pack
from tunewright.train.padded import alike

FORWARD = 1 / 2
"""What a forward pass alone takes of a step where none was timed: an adapter's backward pass costs another."""
_TOGETHER = {"cpu": 4096, "cuda": 16384}
"""Tokens of rows that are not packed and kept at once for one backward pass, at most, by device."""
Layout = Literal["packed", "padded", "alone"]
"""How a batch's rows go through the model: in one flat sequence, side by side and filled up, or one after the other."""


class Cost(NamedTuple):
    """What a batch costs, in tokens."""

    tokens: int
    """What goes through the model, with what fills rows up."""
    held: int
    """What of it is kept at once for the backward pass."""

    @property
    def work(self) -> float:
        """What a step of it takes of time: where not all is kept, all goes through the model a second time."""
        return self.tokens if self.held == self.tokens else self.tokens * (1 + FORWARD)


class Laying(NamedTuple):
    """A layout on one kind of device."""

    layout: Layout
    together: int
    """Tokens of rows that are not packed and kept at once for one backward pass, at most."""

    def cut(
        self, sizes: Mapping[int, Size] | Sequence[Size], order: Sequence[int], limit: int
    ) -> list[list[int]]:
        """Trees by index, in batches of at most `limit` tokens, save for a larger tree by itself.

        Those that rehearse are in batches of their own. Where rows are filled up, trees of about one length go together, the
        shortest first; else they stay in order.
        """
        kinds = ([index for index in order if sizes[index].rehearses == kind] for kind in (False, True))
        return [*chain.from_iterable(self._cut(sizes, kind, limit) for kind in kinds)]

    def _cut(
        self, sizes: Mapping[int, Size] | Sequence[Size], order: Sequence[int], limit: int
    ) -> list[list[int]]:
        if self.layout == "padded":
            return _filled_up(sizes, order, limit)
        whole = self.layout == "packed"
        lengths = {index: sizes[index].tokens if whole else sum(sizes[index].rows) for index in order}
        return fill(lengths, order, limit)

    def batches(self, trees: Sequence[Tree], group: Sequence[int], prefix: int, limit: int) -> list[Batch]:
        """One optimizer step's trees (by index) as batches (`cut`), of whose beginnings `prefix` tokens are shared."""
        taken = {index: trees[index] for index in group}
        sizes = {index: tree.size for index, tree in taken.items()}
        return [pack([taken[index] for index in part], prefix) for part in self.cut(sizes, group, limit)]

    def groups(self, lengths: Sequence[int]) -> list[list[int]]:
        """Of rows that are not packed, by their lengths: the numbers of those that are read at once."""
        if self.layout == "padded":
            return alike(lengths, self.together)
        return [[number] for number in range(len(lengths))]

    def row_cost(self, lengths: Sequence[int]) -> Cost:
        """What rows of a batch cost that are not packed.

        Where they are more than what may be kept together, each group is a pass of its own: nothing of it is kept, and it is
        computed again for its backward pass. The gradients are the same.
        """
        each = [len(group) * max(lengths[number] for number in group) for group in self.groups(lengths)]
        tokens = sum(each)
        return Cost(tokens, max(each, default=0) if tokens > self.together else tokens)

    def cost(self, sizes: Sequence[Size]) -> Cost:
        """What one batch of these trees costs."""
        if self.layout == "packed":
            tokens = sum(size.tokens for size in sizes)
            return Cost(tokens, tokens)
        return self.row_cost([length for size in sizes for length in size.rows])

    def tokens(self, sizes: Mapping[int, Size] | Sequence[Size], order: Sequence[int], limit: int) -> int:
        """What goes through the model of these trees (by index), in batches of at most `limit` tokens."""
        cut = self.cut(sizes, order, limit)
        return sum(self.cost([sizes[index] for index in batch]).tokens for batch in cut)


def laid(layout: Layout, device: str) -> Laying:
    """A layout on a device of torch's name."""
    return Laying(layout, _TOGETHER.get(device, _TOGETHER["cpu"]))


def _filled_up(
    sizes: Mapping[int, Size] | Sequence[Size], order: Sequence[int], limit: int
) -> list[list[int]]:
    """Trees by index, the shortest first, in groups of at most `limit` tokens where each row is filled up to the longest."""
    groups: list[list[int]] = []
    rows = 0
    for index in sorted(order, key=lambda index: max(sizes[index].rows)):
        own, longest = len(sizes[index].rows), max(sizes[index].rows)
        rows += own
        if not groups or rows * longest > limit:
            groups.append([])
            rows = own
        groups[-1].append(index)
    return groups
