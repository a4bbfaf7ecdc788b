"""Conversations as they are: chat rows, or questions and answers."""

from pathlib import Path
from typing import Any

from tunewright.project.starters._shape import Look, look, project_values

title = "conversations"
when = 'The rows are conversations ({"messages": …}), or questions with answers that fit none of the other recipes.'

PREFER = ("assistant", "answer", "response", "reply")


def start(
    name: str, data: Path | None, columns: list[str] | None, *, base: str = "embedded"
) -> dict[str, Any]:
    """The project file's values. Raises DataError."""
    found = look(data, columns, PREFER)
    return project_values(
        name,
        found,
        system="" if _rows_bring_their_own(found) else "You are a helpful assistant.",
        graders=[{"type": "exact_match"}],
        train={"adapter": {"rank": 16}, "epochs": 3},
        base=base,
        learning_rate=1e-4,
    )


def _rows_bring_their_own(found: Look) -> bool:
    """Whether a chat row begins with a system message."""
    return any(
        isinstance(messages := row.get("messages"), list)
        and messages
        and isinstance(messages[0], dict)
        and messages[0].get("role") == "system"
        for row in found.rows
    )
