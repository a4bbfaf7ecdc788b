"""max_chars: rows that are too long go."""

from tunewright.core.example import Example
from tunewright.data.ops.applied import Applied, keep_if
from tunewright.data.spec import MaxChars


def apply(spec: MaxChars, examples: list[Example]) -> Applied:
    """Drop every row whose messages, with their calls and tools, together have more than `chars` characters."""

    def why_not(example: Example) -> str | None:
        chars = max(sum(m.chars for m in talk) for talk in (example.messages, example.worse or ()))
        return f"{chars:,} characters" if chars > spec.chars else None

    return keep_if(examples, why_not)
