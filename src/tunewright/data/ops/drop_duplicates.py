"""drop_duplicates: the first of rows with the same messages stays."""

from tunewright.core.example import Example
from tunewright.data.normal import example_key
from tunewright.data.ops.applied import Applied, keep_if
from tunewright.data.spec import DropDuplicates


def apply(spec: DropDuplicates, examples: list[Example]) -> Applied:
    """Drop every later row that equals one before it, letter case and blanks aside."""
    first: dict[str, str] = {}

    def why_not(example: Example) -> str | None:
        key = example_key(example)
        if key in first:
            return f"the same as {first[key]}"
        first[key] = example.place
        return None

    return keep_if(examples, why_not)
