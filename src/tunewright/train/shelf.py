"""Shelf: rendered trees in a file without a name, so that however many rows there are, they take next to no memory.

    shelf = Shelf(trees, folder)
    shelf[7].rows, shelf.tokens()[7]

Preparing is a stream: each example is rendered, laid down and forgotten. Training then takes the few trees of a step.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from weakref import finalize

from tunewright.core.by_place import ByPlace, T
from tunewright.train.pack import Common, Row, Size, Tree

_HEAD = struct.Struct("<??iI")
"""Of a tree: whether its answer is a good one, whether it rehearses, its rows, the bytes of its name."""
_SOME = 256
"""Trees that are read at once where all are wanted, one after the other."""
_ROW = struct.Struct("<I?")
"""Of a row: its tokens, and whether they have weights."""


class Shelf(ByPlace[Tree]):
    """Trees in the order they were laid down. Those taken off it are copies.

    The file is deleted as soon as it is made, so that a process that is killed leaves nothing behind.
    """

    def __init__(self, trees: Iterable[Tree] = (), folder: Path | None = None) -> None:
        """`folder` is where the file lies, the system's for temporary files by default. Raises OSError where it is full."""
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed when the shelf goes
        finalize(self, self._file.close)
        self._read = False
        """Whether the file was read since it was last written to."""
        self._starts = array("q", [0])
        self._rows = array("q", [0])
        self._tokens = array("i")
        self._lengths = array("i")
        """The tokens of each row."""
        self._rehearse = bytearray()
        self._references = array("d")
        self.common = Common()
        """What all rows have in common."""
        self.extend(trees)

    def extend(self, trees: Iterable[Tree]) -> int:
        """Lay more down; how many. Raises OSError where the disk is full."""
        before = len(self)
        for tree in trees:
            self._append(tree)
        return len(self) - before

    def _append(self, tree: Tree) -> None:
        name = tree.id.encode()
        parts = [_HEAD.pack(tree.desirable, tree.rehearses, len(tree.rows), len(name)), name]
        for row in tree.rows:
            parts += [
                _ROW.pack(len(row.ids), bool(row.weights)),
                (row.ids if isinstance(row.ids, array) else array("i", row.ids)).tobytes(),
                bytes(row.mask),
                array("f", row.weights).tobytes(),
            ]
            self.common.add(row)
        record = b"".join(parts)
        if self._read:  # a seek empties the buffer, and costs a system call
            self._file.seek(self._starts[-1])
            self._read = False
        self._file.write(record)
        self._references.extend(row.reference for row in tree.rows)
        self._starts.append(self._starts[-1] + len(record))
        self._rows.append(self._rows[-1] + len(tree.rows))
        self._tokens.append(tree.tokens)
        self._lengths.extend(len(row.ids) for row in tree.rows)
        self._rehearse.append(tree.rehearses)

    @property
    def rows(self) -> int:
        """How many rows the trees have in all."""
        return self._rows[-1]

    def tokens(self) -> Sequence[int]:
        """The tokens to compute of each tree."""
        return self._tokens

    def sizes(self) -> "Sizes":
        """What says what each tree costs."""
        return Sizes(self._tokens, self._rows, self._lengths, self._rehearse)

    def shared_prefix(self) -> int:
        """How many tokens all rows have in common (pack.shared_prefix), known without reading them."""
        return self.common.tokens if len(self) > 1 else 0

    def refer(self, references: Sequence[float]) -> None:
        """Note the rows' summed log-probabilities under the base, row by row in the trees' order."""
        self._references = array("d", references)

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[Tree]:
        for begin in range(0, len(self), _SOME):
            end = min(begin + _SOME, len(self))
            records, first = self._records(begin, end), self._starts[begin]
            for place in range(begin, end):
                yield self._tree(
                    records[self._starts[place] - first : self._starts[place + 1] - first], place
                )

    def read(self, place: int) -> Tree:
        """The tree at a place from 0 on."""
        return self._tree(self._records(place, place + 1), place)

    def _records(self, begin: int, end: int) -> memoryview:
        """What lies in the file of the trees from one place to before another."""
        self._read = True
        self._file.seek(self._starts[begin])
        return memoryview(self._file.read(self._starts[end] - self._starts[begin]))

    def _tree(self, record: memoryview, place: int) -> Tree:
        desirable, rehearses, count, named = _HEAD.unpack_from(record)
        at = _HEAD.size + named
        name = bytes(record[_HEAD.size : at]).decode()
        rows = list[Row]()
        for number in range(self._rows[place], self._rows[place] + count):
            length, weighted = _ROW.unpack_from(record, at)
            at += _ROW.size
            ids, weights = array("i"), array("f")
            ids.frombytes(record[at : at + 4 * length])
            at += 4 * length
            mask = bytes(record[at : at + length])
            at += length
            weights.frombytes(record[at : at + 4 * length * weighted])
            at += 4 * length * weighted
            rows.append(Row(name, ids, mask, self._references[number], weights or ()))
        return Tree(tuple(rows), desirable, rehearses)


class Joined(ByPlace[T]):
    """Some sequences as one: the items of the first, then those of the next."""

    def __init__(self, *parts: Sequence[T]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def read(self, place: int) -> T:
        """The item at a place from 0 on."""
        for part in self._parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise AssertionError("the place was looked at before")

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self._parts)


class Shelves(Joined[Tree]):
    """Some shelves as one."""

    def __init__(self, *shelves: Shelf) -> None:
        super().__init__(*shelves)
        self.shelves = shelves

    @property
    def rows(self) -> int:
        """How many rows the trees have in all."""
        return sum(shelf.rows for shelf in self.shelves)

    def tokens(self) -> Sequence[int]:
        """The tokens to compute of each tree."""
        return array("i", chain.from_iterable(shelf.tokens() for shelf in self.shelves))

    def sizes(self) -> Sequence[Size]:
        """What says what each tree costs."""
        return Joined(*(shelf.sizes() for shelf in self.shelves))

    def shared_prefix(self) -> int:
        """How many tokens all rows have in common (pack.shared_prefix), known without reading them."""
        found = Common()
        for shelf in self.shelves:
            if shelf.common.ids is not None:
                found.meet(shelf.common.ids, shelf.common.tokens)
        return found.tokens if len(self) > 1 else 0

    def refer(self, references: Sequence[float]) -> None:
        """Note the rows' summed log-probabilities under the base, row by row in the trees' order."""
        begin = 0
        for shelf in self.shelves:
            shelf.refer(references[begin : begin + shelf.rows])
            begin += shelf.rows


class Sizes(ByPlace[Size]):
    """What says what each tree of a shelf costs, in a few bytes a tree."""

    def __init__(
        self, tokens: Sequence[int], starts: Sequence[int], lengths: Sequence[int], rehearse: Sequence[int]
    ) -> None:
        """`starts` is each tree's first place among the rows' `lengths`, and their end."""
        self._tokens, self._starts, self._lengths, self._rehearse = tokens, starts, lengths, rehearse

    def __len__(self) -> int:
        return len(self._tokens)

    def read(self, place: int) -> Size:
        """That of the tree at a place from 0 on."""
        rows = self._lengths[self._starts[place] : self._starts[place + 1]]
        return Size(self._tokens[place], rows, bool(self._rehearse[place]))


def sizes_of(trees: Sequence[Tree]) -> Sequence[Size]:
    """What says what each tree costs; of shelves it is known."""
    return trees.sizes() if isinstance(trees, Shelf | Shelves) else [tree.size for tree in trees]


def tokens_of(trees: Sequence[Tree]) -> Sequence[int]:
    """The tokens to compute of each tree; of shelves they are known."""
    return trees.tokens() if isinstance(trees, Shelf | Shelves) else [tree.tokens for tree in trees]
