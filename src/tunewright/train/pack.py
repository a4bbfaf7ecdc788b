"""Packing: rows in flat sequences of at most so many tokens, in an order seeded for each epoch.

A batch is a forest of segments. What most rows begin with (the system prompt, mostly) stands once at the head of the
sequence, and rows that begin otherwise stand beside it; rows that answer the same prompt hang under it, so that no prompt
is computed twice.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain, compress, islice
from typing import NamedTuple

import torch
from torch import Tensor

from tunewright.core.errors import ModelError
from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, parts_of
from tunewright.models.template import Renderer
from tunewright.train.attention import Segments


class Row(NamedTuple):
    """A rendered row: its id, token ids [L], and mask [L] with 1 on trained tokens. `compact` makes small ones."""

    id: str
    ids: Sequence[int]
    mask: Sequence[int]
    reference: float = 0.0
    """The summed log-probability of its trained tokens under the base; 0 where the method asks for none."""
    weights: Sequence[float] = ()
    """How much each token counts where it is trained [L]; empty where all count alike."""

    @property
    def trained(self) -> int:
        """Trained tokens; the first token of a row has no context and never counts."""
        return sum(self.mask[1:])

    def trained_places(self) -> list[int]:
        """Where in the row its trained tokens stand."""
        return [*compress(range(1, len(self.ids)), islice(self.mask, 1, None))]

    @property
    def prompt(self) -> int:
        """Tokens before the first trained one; all of them where none is trained."""
        return self.mask.index(1, 1) if 1 in self.mask[1:] else len(self.ids)

    def begun(self, trained: int) -> "Row":
        """The row up to its so-many-th trained token."""
        places = self.trained_places()[:trained]
        end = places[-1] + 1 if places else len(self.ids)
        return self._replace(ids=self.ids[:end], mask=self.mask[:end], weights=self.weights[:end])


def rendered_rows(
    examples: Sequence[Example],
    conversations: Callable[[Example], Sequence[Conversation]],
    renderer: Renderer,
) -> list[tuple[Row, ...]]:
    """Of each example the rows of its conversations. Raises ModelError where the template refuses one."""
    own = [conversations(example) for example in examples]
    rendered = iter(renderer.trainings([*chain.from_iterable(own)]))
    return [
        tuple(_weighted(compact(example.id, *next(rendered)), conversation) for conversation in few)
        for example, few in zip(examples, own, strict=True)
    ]


def _weighted(row: Row, conversation: Conversation) -> Row:
    """The row with each token's weight, where an answer counts by a part.

    The answers that are trained are the mask's runs of ones, in order: the template writes something before each. Raises
    ModelError where there are more or fewer of them.
    """
    if not parts_of(conversation):
        return row
    counts = [turn.weight for turn in conversation if turn.role == "assistant" and turn.weight != 0]
    starts = [place for place, on in enumerate(row.mask) if on and not (place and row.mask[place - 1])]
    if len(starts) != len(counts):
        raise ModelError(
            f"The mask has {len(starts)} trained parts for {len(counts)} answers with weights.",
            fix="Put {% generation %} around each answer, and around nothing else, in the base's chat template.",
        )
    weights = array("f", bytes(4 * len(row.mask)))
    for start, weight in zip(starts, counts, strict=True):
        for place in range(start, len(row.mask)):
            if not row.mask[place]:
                break
            weights[place] = 1.0 if weight is None else weight
    return row._replace(weights=weights)


def compact(name: str, ids: Iterable[int], mask: Iterable[int]) -> Row:
    """A row in five bytes a token; lists take eight times as many."""
    return Row(name, array("i", ids), bytes(mask))


class Size(NamedTuple):
    """What of a tree says what it costs to compute."""

    tokens: int
    """Its tokens, what its rows share counted once."""
    rows: Sequence[int]
    """The tokens of each of its rows."""
    rehearses: bool = False
    """Whether it is computed by itself, beside a preference method's."""


class Tree(NamedTuple):
    """What is trained together: one row, or several that answer the same prompt (a chosen and a rejected answer)."""

    rows: tuple[Row, ...]
    desirable: bool = True
    """Whether the answer is a good one, for methods that learn from bad ones too."""
    rehearses: bool = False
    """Whether it is a general row beside a preference method's, with a loss of its own (train/rehearsal.py)."""

    @property
    def id(self) -> str:
        """The id of the example it was made from."""
        return self.rows[0].id

    @property
    def shared(self) -> int:
        """Tokens that all its rows have in common before any trained one; 0 for a single row."""
        return _common(self.rows) if len(self.rows) > 1 else 0

    @property
    def tokens(self) -> int:
        """Tokens to compute: what is shared counts once."""
        return sum(len(row.ids) for row in self.rows) - (len(self.rows) - 1) * self.shared

    @property
    def size(self) -> Size:
        """What says what it costs."""
        return Size(self.tokens, tuple(len(row.ids) for row in self.rows), self.rehearses)


class Batch(NamedTuple):
    """Trees in one flat sequence of T tokens, with N trained tokens in R rows."""

    ids: Tensor
    """Token ids [1, T]."""
    positions: Tensor
    """Position ids [1, T]: each token's place in its row."""
    segments: Segments
    places: Tensor
    """Where in the sequence the hidden state stands that predicts each trained token [N]."""
    labels: Tensor
    """The trained tokens [N], row by row."""
    owners: Tensor
    """The number of the row that each belongs to [N], 0 to R - 1."""
    trees: tuple[Tree, ...]
    prefix: int
    """Tokens at its head that most rows share."""
    weights: Tensor | None = None
    """How much each trained token counts [N]; none where all count alike."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all trees, in the order of `owners`."""
        return tuple(row for tree in self.trees for row in tree.rows)

    @property
    def tokens(self) -> int:
        """Tokens of the rows, what they share counted for each."""
        return sum(len(row.ids) for row in self.rows)

    def row_lengths(self) -> Tensor:
        """For each token the length of the longest row that goes through it [1, T]."""
        lengths = torch.tensor(self.segments.lengths)
        return torch.tensor(self.segments.row_lengths()).repeat_interleave(lengths)[None]

    def filled(self, multiple: int) -> "Batch":
        """The batch with T a multiple of that: a last segment of first tokens that nothing sees or learns from."""
        more = -self.ids.shape[1] % multiple
        if not more:
            return self
        lengths, parents, dtype = self.segments
        return self._replace(
            ids=torch.cat([self.ids, self.ids[:, :1].expand(1, more)], dim=1),
            positions=torch.cat([self.positions, torch.arange(more)[None]], dim=1),
            segments=Segments((*lengths, more), (*parents, -1), dtype),
        )

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        names = ("ids", "positions", "places", "labels", "owners")
        moved = self._replace(**{name: getattr(self, name).to(device) for name in names})
        return moved if self.weights is None else moved._replace(weights=self.weights.to(device))


def digest(trees: Iterable[Tree]) -> str:
    """A hash of the trees, tree by tree."""
    found = sha256()
    for tree in trees:
        marks = (tree.desirable, len(tree.rows), *([True] if tree.rehearses else []))
        found.update(repr(marks).encode())
        for row in tree.rows:
            found.update(repr((row.id, len(row.ids), row.reference)).encode())
            found.update(array("i", row.ids).tobytes() + bytes(row.mask))
            found.update(array("f", row.weights).tobytes())
    return found.hexdigest()


class Common:
    """What rows have in common at their beginning, before any trained token: each is left one of its own."""

    def __init__(self) -> None:
        self.ids: Sequence[int] | None = None
        """The first row's tokens, those in common among them; none before there is a row."""
        self.tokens = 0
        """How many they have in common."""

    def add(self, row: Row) -> None:
        """One row more."""
        self.meet(row.ids, min(row.prompt, len(row.ids) - 1))

    def meet(self, ids: Sequence[int], most: int) -> None:
        """A row of these tokens more, or several that begin with them, with `most` in common at most."""
        if self.ids is None:
            self.ids, self.tokens = ids[:most], max(0, most)
            return
        most = min(self.tokens, max(0, most))
        if self.ids[:most] != ids[:most]:
            most = next((place for place in range(most) if self.ids[place] != ids[place]), most)
        self.tokens = most


def shared_prefix(trees: Iterable[Tree]) -> int:
    """How many tokens all rows have in common at their beginning, before any trained one; 0 for a single tree."""
    several = iter(trees)
    first = next(several, None)
    second = next(several, None)
    if first is None or second is None:
        return 0
    return _common(row for tree in chain((first, second), several) for row in tree.rows)


def _common(rows: Iterable[Row]) -> int:
    """How many tokens the rows have in common before any trained one, leaving each at least one of its own."""
    found = Common()
    for row in rows:
        found.add(row)
    return found.tokens


def epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    """A permutation of range(count), the same for the same seed and epoch."""
    generator = torch.Generator().manual_seed(int(hash_value([seed, epoch])[:15], 16))
    return torch.randperm(count, generator=generator).tolist()


def fill(lengths: Sequence[int] | Mapping[int, int], order: Sequence[int], limit: int) -> list[list[int]]:
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


def _head(tree: Tree, prefix: int) -> tuple[int, ...] | None:
    """The first `prefix` tokens of all the tree's rows, where they are the same, untrained and not the whole row."""
    heads = {tuple(row.ids[:prefix]) for row in tree.rows}
    fits = all(prefix <= row.prompt and prefix < len(row.ids) for row in tree.rows)
    return heads.pop() if fits and len(heads) == 1 else None


def pack(trees: Sequence[Tree], prefix: int = 0) -> Batch:
    """One flat sequence of the trees. The first `prefix` tokens that most of them have the same stand once.

    A tree that begins otherwise, or trains a token as early as that, stands by itself.
    """
    flat = _Flat()
    heads = [_head(tree, prefix) if prefix else None for tree in trees]
    usual = next(iter(Counter(head for head in heads if head).most_common(1)), (None, 0))[0]
    root = flat.add(usual, _NOTHING) if usual else _NOTHING
    owner = 0
    for tree, own in zip(trees, heads, strict=True):
        under, begin = (root, prefix) if usual and own == usual else (_NOTHING, 0)
        head = max(begin, tree.shared)
        stem = flat.add(tree.rows[0].ids[begin:head], under) if head > begin else under
        for row in tree.rows:
            flat.train(row, owner, flat.add(row.ids[head:], stem))
            owner += 1
    return Batch(
        ids=whole_numbers(flat.ids)[None],
        positions=whole_numbers(flat.positions)[None],
        segments=Segments(tuple(flat.lengths), tuple(flat.parents)),
        places=whole_numbers(flat.places),
        labels=whole_numbers(flat.labels),
        owners=whole_numbers(flat.owners),
        trees=tuple(trees),
        prefix=prefix if usual else 0,
        weights=_weights(trees),
    )


def whole_numbers(numbers: Sequence[int]) -> Tensor:
    """Whole numbers as a tensor of int64, by way of an array: a tenth of the time that torch takes over a list."""
    return (
        torch.frombuffer(array("q", numbers), dtype=torch.long)
        if numbers
        else torch.zeros(0, dtype=torch.long)
    )


def _weights(trees: Sequence[Tree]) -> Tensor | None:
    """The trained tokens' weights [N], in the order of the labels; none where no row has any."""
    rows = [row for tree in trees for row in tree.rows]
    if not any(row.weights for row in rows):
        return None
    return torch.tensor(
        [row.weights[at] if row.weights else 1.0 for row in rows for at in row.trained_places()]
    )


class _Node(NamedTuple):
    """A segment in the making: its number, and where in the flat sequence each token of the row up to its end stands."""

    number: int
    path: list[int]


_NOTHING = _Node(-1, [])


class _Flat:
    """A flat sequence in the making."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.positions: list[int] = []
        self.lengths: list[int] = []
        self.parents: list[int] = []
        self.places: list[int] = []
        self.labels: list[int] = []
        self.owners: list[int] = []

    def add(self, ids: Sequence[int], under: _Node) -> _Node:
        """A new segment that goes on from another."""
        start, before = len(self.ids), len(under.path)
        self.ids += ids
        self.positions += range(before, before + len(ids))
        self.lengths.append(len(ids))
        self.parents.append(under.number)
        return _Node(len(self.lengths) - 1, [*under.path, *range(start, start + len(ids))])

    def train(self, row: Row, owner: int, end: _Node) -> None:
        """Note the row's trained tokens; each is predicted from the token before it, wherever that stands."""
        trained = row.trained_places()
        self.places += [end.path[i - 1] for i in trained]
        self.labels += [row.ids[i] for i in trained]
        self.owners += [owner] * len(trained)
