"""Which of the rows at hand ask, or say, the same: what the split keeps together, and what a leak is."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.example import Example
from tunewright.core.hashing import hash_text, hash_value
from tunewright.data.normal import input_key, instructions_key

FEW = 3
"""Up to so many instructions, one question is taken for the same under all of them."""
SIZE = 32
"""Bytes of a key."""
Digests = npt.NDArray[np.bytes_]
"""Keys of rows, SIZE bytes each: they sort as their hexadecimal forms do. (n,)"""
_Places = npt.NDArray[np.int64]


def digests(joined: bytes | bytearray) -> Digests:
    """Keys that lie one after the other."""
    found: Digests = np.frombuffer(joined, f"S{SIZE}")
    return found


def hashed(texts: Iterable[str]) -> Digests:
    """The keys of texts, one at a time: of millions no list is made."""
    joined = bytearray()
    for text in texts:
        joined += bytes.fromhex(hash_text(text))
    return digests(joined)


def hex_of(key: Any) -> str:
    """A key as it is written. (numpy leaves out zeros at its end.)"""
    return bytes(key).ljust(SIZE, b"\0").hex()


class Asked(NamedTuple):
    """What rows ask, and below what instructions: 64 bytes a row, and no row is held."""

    questions: Digests
    instructions: Digests


def asked(examples: Iterable[Example]) -> Asked:
    """The keys of rows, read once."""
    questions, instructions = bytearray(), bytearray()
    for example in examples:
        questions += bytes.fromhex(input_key(example))
        instructions += bytes.fromhex(instructions_key(example))
    return Asked(digests(questions), digests(instructions))


def input_keys(*several: Asked) -> Digests:
    """A key for each of several lots of rows, equal for those that ask the same, whatever system prompt stands before it.

    But a question below more instructions than any of these has questions ("Summarise." below a text of each row's own)
    is about what they hold: there the instructions count too. (n,)
    """
    return what_is_asked(
        np.concatenate([rows.questions for rows in several]),
        np.concatenate([rows.instructions for rows in several]),
    )


def what_is_asked(questions: Digests, instructions: Digests) -> Digests:
    """`input_keys`, of rows of which `input_key` and `instructions_key` are known. (n,)"""
    if not len(questions):
        return questions
    known, question = np.unique(questions, return_inverse=True)
    told, below = np.unique(instructions, return_inverse=True)
    about = _about(question, below, len(known), len(told))
    if not about.any():
        return questions
    keys = questions.copy()
    for row in np.flatnonzero(about[question]).tolist():
        pair = [hex_of(instructions[row]), hex_of(questions[row])]
        keys[row] = bytes.fromhex(hash_value(pair))
    return keys


def _about(question: _Places, below: _Places, questions: int, told: int) -> npt.NDArray[np.bool_]:
    """The questions that are about their instructions. (questions,)"""
    pairs = np.unique(question * told + below)
    question, below = pairs // told, pairs % told
    instructions_of = np.bincount(question, minlength=questions)
    questions_of = np.bincount(below, minlength=told)
    widest = np.zeros(questions, np.int64)
    np.maximum.at(widest, question, questions_of[below])
    about: npt.NDArray[np.bool_] = (instructions_of > FEW) & (instructions_of > widest)
    return about
