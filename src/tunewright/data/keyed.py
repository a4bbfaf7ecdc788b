"""Examples with the hashes they are compared by, computed once."""

from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.normal import example_key, input_key, normal_text


class Keyed(NamedTuple):
    """An example in its part, with its normalised input, messages and answer. A document's text is all three."""

    part: str
    example: Example
    input: str
    whole: str
    answer: str


Parts = dict[str, list[Keyed]]


def keyed_parts(parts: dict[str, list[Example]]) -> Parts:
    """The parts with their keys, in the same order."""
    return {
        part: [
            Keyed(part, example, input_key(example), example_key(example), normal_text(example.expected))
            for example in rows
        ]
        for part, rows in parts.items()
    }
