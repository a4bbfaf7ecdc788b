"""Suite: examples, and the graders that score replies to them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.core.grading import Grader
from tunewright.core.hashing import canonical_json
from tunewright.grade.detail import clip

NO_VALUE = "(none)"
"""A slice of the examples that lack the field."""


class Suite(NamedTuple):
    """Examples in their order, and how replies to each are scored."""

    name: str
    examples: tuple[Example, ...]
    graders_for: Callable[[Example], Sequence[Grader]]
    """The graders of an example, in the order of `grader_names`."""
    grader_names: tuple[str, ...]
    """The headline grader first."""
    slices: tuple[str, ...] = ()
    """Fields whose values cut the scores."""

    def slices_of(self, example: Example) -> dict[str, str]:
        """Field → value as text; `(none)` where the example lacks it."""
        return {field: _slice_value(example.fields.get(field)) for field in self.slices}


def _slice_value(value: object) -> str:
    if value is None:
        return NO_VALUE
    return clip(value if isinstance(value, str) else canonical_json(value), 80)
