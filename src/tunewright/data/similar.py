"""Which of many rows mean the same: every pair's cosine, in blocks.

    questions, answers = numbered(rows)
    parts = [Part(questions.numbers, embed(questions' texts)), Part(answers.numbers, None)]
    heads = similar_heads(parts, range(n), 0.9)

A group has a head, which comes first, and every other member is similar to the head itself: no chain of small steps joins
rows that mean different things. A row goes under the first head that it is similar to.
"""

from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.data.embedding_words import Vectors
from tunewright.data.normal import normal_text

_BLOCK = 1024
_HEADS = 16_384
"""Heads that a block is compared with at once: 64 MB of cosines."""
_ROUNDED = 1e-5
"""What rounding may take from the cosine of equal texts."""
_Numbers = npt.NDArray[np.int64]


class Part(NamedTuple):
    """A part of every row."""

    texts: _Numbers
    """The number of its text: equal for equal texts. (rows,)"""
    vectors: Vectors | None
    """Of each text, by its number; none where texts have to be equal."""


class Numbered(NamedTuple):
    """The texts of one part of all rows, told apart."""

    numbers: _Numbers
    """The number of each row's text, letter case and blanks aside; by first appearance. (rows,)"""
    firsts: _Numbers
    """The row that has each text first. (texts,)"""


def numbered(rows: Iterable[Sequence[str]]) -> list[Numbered]:
    """The texts of each part of rows that have equally many; the texts are not kept."""
    known: list[dict[bytes, int]] = []
    numbers: list[array[int]] = []
    firsts: list[array[int]] = []
    for row, texts in enumerate(rows):
        if not known:
            known, numbers, firsts = (
                [{} for _ in texts],
                [array("q") for _ in texts],
                [array("q") for _ in texts],
            )
        for at, text in enumerate(texts):
            key = blake2b(normal_text(text).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            if key not in known[at]:
                known[at][key] = len(known[at])
                firsts[at].append(row)
            numbers[at].append(known[at][key])
    pairs = zip(numbers, firsts, strict=True)
    return [Numbered(np.frombuffer(one, np.int64), np.frombuffer(two, np.int64)) for one, two in pairs]


def similar_heads(parts: Sequence[Part], order: Sequence[int], threshold: float) -> _Numbers:
    """For each place of the order the place of its head, itself where it is similar to none before it. (n,)

    Memory: the vectors, and 150 MB. Time: 2 · n · heads · d products for the part that tells most rows apart, less
    for others.
    """
    places = np.asarray(order, np.int64)
    telling = sorted(parts, key=lambda one: -len(one.vectors) if one.vectors is not None else 0)
    parts = [one._replace(texts=one.texts[places]) for one in telling]
    heads = np.arange(len(places))
    alone = np.zeros(0, np.int64)
    for begin in range(0, len(places), _BLOCK):
        block = np.arange(begin, min(begin + _BLOCK, len(places)))
        for start in range(0, len(alone), _HEADS):
            free = block[heads[block] == block]
            _join(heads, _pairs(parts, alone[start : start + _HEADS], free, threshold))
        free = block[heads[block] == block]
        pairs = _pairs(parts, free, free, threshold)
        _join(heads, pairs[pairs[:, 0] < pairs[:, 1]])
        alone = np.concatenate((alone, free[heads[free] == free]))
    return heads


def _pairs(parts: Sequence[Part], ones: _Numbers, others: _Numbers, threshold: float) -> _Numbers:
    """The pairs of one and other that are similar in every part, ordered by other, then one. (pairs, 2)"""
    near = np.ones((len(others), len(ones)), bool)
    for part in parts:
        left = near.any(1)  # mostly few, after the first part
        others, near = others[left], near[left]
        equal = part.texts[others][:, None] == part.texts[ones]
        if part.vectors is not None:
            cosines = part.vectors[part.texts[others]] @ part.vectors[part.texts[ones]].T
            equal |= cosines >= threshold - _ROUNDED
        near &= equal
    row, column = np.nonzero(near)
    return np.stack((ones[column], others[row]), 1)


def _join(heads: _Numbers, pairs: _Numbers) -> None:
    """Put the second of each pair under the first, where both are heads still."""
    for one, other in pairs.tolist():
        if heads[one] == one and heads[other] == other:
            heads[other] = one
