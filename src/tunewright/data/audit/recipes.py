"""Lines of a recipe that are made for what was found, where no line mends every finding of a kind."""

import json
from collections.abc import Collection

from tunewright.data.excerpt import is_personal

_MOST = 20
"""Texts that a line names."""


def keep_line(expression: str) -> str:
    """The line that keeps the rows of which an expression is true."""
    return f"{{op: filter, keep: {json.dumps(expression, ensure_ascii=False)}}}"


def without(name: str, texts: Collection[str]) -> str | None:
    """The line that drops rows whose `input` or `expected` holds one of the texts; none where they are many, or personal."""
    if not 0 < len(texts) <= _MOST or any(not text.isprintable() or is_personal(text) for text in texts):
        return None
    return keep_line(" and ".join(f"{quoted(text)} not in {name}" for text in sorted(texts)))


def quoted(text: str) -> str:
    """The text as an expression has it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
