"""One label out of a known set."""

from pathlib import Path
from typing import Any

from tunewright.project.starters._roles import FEW, LABELS
from tunewright.project.starters._sample import all_values
from tunewright.project.starters._shape import Look, look, project_values

title = "a label for a text"
when = "The answer is one of a known set of labels: routing, intents, sentiment, moderation."

PREFER = LABELS
MOST_LABELS_SAID = 100
"""Up to this many labels the system prompt names them; more are left to the training rows."""


def start(
    name: str, data: Path | None, columns: list[str] | None, *, base: str = "embedded"
) -> dict[str, Any]:
    """The project file's values; labels found in the data are named in the system prompt. Raises DataError."""
    found = look(data, columns, PREFER)
    labels = _labels(found)
    said = f": {', '.join(labels)}" if 1 < len(labels) <= MOST_LABELS_SAID else ""
    return project_values(
        name,
        found,
        system=f"Answer with the one label that fits and nothing else{said}.",
        graders=[{"type": "exact_match"}],
        train={"adapter": {"rank": 8}, "epochs": 3},
        base=base,
        learning_rate=2e-4,
        by_answer=1 < len(labels) <= FEW,
    )


def _labels(found: Look) -> list[str]:
    """The labels, where they are few enough to be named; else some of them, more than that."""
    if found.roles is None or not found.rows:
        return []
    return all_values(Path(found.path), found.roles.expected, MOST_LABELS_SAID)
