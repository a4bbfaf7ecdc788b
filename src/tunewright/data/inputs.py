"""Which of the rows at hand ask, or say, the same: what the split keeps together, and what a leak is."""

from collections import defaultdict
from collections.abc import Sequence

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.data.normal import input_key, instructions_key

FEW = 3
"""Up to so many instructions, one question is taken for the same under all of them."""


def input_keys(examples: Sequence[Example]) -> list[str]:
    """A key for each row, equal for those that ask the same, whatever system prompt stands before it.

    But a question below more instructions than any of these has questions ("Summarise." below a text of each row's own)
    is about what they hold: there the instructions count too.
    """
    pairs = [(input_key(example), instructions_key(example)) for example in examples]
    told: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    for question, instructions in pairs:
        told[question].add(instructions)
        asked[instructions].add(question)
    about = {
        question
        for question, found in told.items()
        if len(found) > FEW and len(found) > max(len(asked[instructions]) for instructions in found)
    }
    return [
        hash_value([instructions, question]) if question in about else question
        for question, instructions in pairs
    ]
