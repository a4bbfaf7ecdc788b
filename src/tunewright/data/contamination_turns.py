"""What rows say, as contamination looks at it: of each row what it asks, then its other turns.

    said = SaidRows(rows)
    said[7]              # ("What is 12 × 12?", "You solve word problems.", "It is 144, since …")
    said.shared(asked)   # instructions that many rows share, with the first evaluation text that stands in them

Instructions that one row in a hundred has are the task's own. They are no turns: an evaluation whose texts hold the task's
words would be called copied from them, whatever it asks. In them a text is looked for word for word.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from tunewright.core.by_place import ByPlace
from tunewright.core.example import Example
from tunewright.data.normal import plain_text

Turns = tuple[str, ...]
Said = str | Turns
"""A text, or the turns of a row: what it asks stands first."""
LEAST_WORDS = 5
"""Words of another turn than the question that is looked at: "yes", a label or a greeting is no benchmark's."""
_LEAST_CHARS = 40
"""The same where no blanks stand between words."""
_OWN = 0.01
"""The share of the rows that have instructions of the task's own."""


class Shared(NamedTuple):
    """Instructions of many rows that hold an evaluation text."""

    row: int
    """The first row that has them."""
    rows: int
    """How many have them."""
    eval: int


def turns_of(row: Example, *, instructions: bool = True) -> Turns:
    """What the row asks, or a document whole; then its other turns, the worse answer, and what it is told to do."""
    if row.is_document:
        return (row.expected,)
    asked = row.input_text
    others = [message.said for message in row.messages if not message.instructs]
    others += [row.rejected or "", _instructions(row) if instructions else ""]
    return (asked, *(said for said in dict.fromkeys(others) if said != asked and _says_enough(said)))


def turns_in(said: Said) -> Turns:
    """The turns of a row; a text alone is one."""
    return (said,) if isinstance(said, str) else said


def closest_turn(turns: Turns, text: str) -> str:
    """The turn that shares the largest part of its words, and the text's, with the text; the first of such."""
    if len(turns) == 1:
        return turns[0]
    words = set(plain_text(text).split())

    def shared(turn: str) -> float:
        own = set(plain_text(turn).split())
        return len(words & own) / max(len(words | own), 1)

    return max(turns, key=shared)


def asked_in(said: Said) -> str:
    """What a row asks."""
    return turns_in(said)[0]


class SaidRows(ByPlace[Turns]):
    """The turns of each row. Memory: 9 bytes a row."""

    def __init__(self, rows: Sequence[Example]) -> None:
        self._rows = rows
        known = np.fromiter((_number(_instructions(row)) for row in rows), np.int64, len(rows))
        values, first, of, counts = np.unique(
            known, return_index=True, return_inverse=True, return_counts=True
        )
        own = (counts > max(1, _OWN * len(rows))) & (values != _number(""))
        self._own = own[of]
        order = np.argsort(first[own])
        self._first, self._counts = first[own][order], counts[own][order]

    def __iter__(self) -> Iterator[Turns]:
        for row, own in zip(self._rows, self._own.tolist(), strict=True):
            yield turns_of(row, instructions=not own)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, place: int) -> Turns:
        """The turns of the row at a place from 0 on."""
        return turns_of(self._rows[place], instructions=not self._own[place])

    def shared(self, evals: Sequence[str]) -> Iterator[Shared]:
        """The task's own instructions in which an evaluation text stands word for word, each with the first such text.

        In the order of the first rows that have them.
        """
        if not len(self._first):
            return
        asked = {at: words for at, text in enumerate(evals) if _says_enough(words := _words(text))}
        for row, count in zip(self._first.tolist(), self._counts.tolist(), strict=True):
            told = _words(_instructions(self._rows[row]))
            found = next((at for at, words in asked.items() if words in told), None)
            if found is not None:
                yield Shared(row, count, found)


def _number(text: str) -> int:
    """A number of 64 bits, the same in every process, which Python's own hash is not."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", plain_text(text)))


def _instructions(row: Example) -> str:
    return "\n".join(message.content for message in row.messages if message.instructs)


def _says_enough(said: str) -> bool:
    return len(said) >= _LEAST_CHARS or len(said.split(maxsplit=LEAST_WORDS)) >= LEAST_WORDS
