"""Examples with the hashes they are compared by, computed once."""

from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.inputs import input_keys
from tunewright.data.normal import example_key, normal_text, prompt_key


class Keyed(NamedTuple):
    """An example in its part, with what it is compared by."""

    part: str
    example: Example
    input: str
    """Equal where the same is asked, or said: what a leak is."""
    prompt: str
    """Equal where the whole prompt is: what should be answered alike."""
    whole: str
    """Equal for duplicates."""
    answer: str
    """The normalised answer, or document."""


Parts = dict[str, list[Keyed]]


def keyed_parts(parts: dict[str, list[Example]]) -> Parts:
    """The parts with their keys, in the same order."""
    inputs = iter(input_keys([example for rows in parts.values() for example in rows]))
    return {part: [_keyed(part, example, next(inputs)) for example in rows] for part, rows in parts.items()}


def _keyed(part: str, example: Example, asked: str) -> Keyed:
    answer = normal_text(example.expected)
    return Keyed(part, example, asked, prompt_key(example), example_key(example), answer)
