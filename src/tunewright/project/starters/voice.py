"""A way of writing: a brand's tone, a support team's style."""

from pathlib import Path
from typing import Any

from tunewright.project.starters._roles import ANSWERS
from tunewright.project.starters._shape import look, project_values

title = "answers in a voice"
when = (
    "The answer is prose in a certain tone or style. Few epochs and a low rate, so that what the base knows stays. "
    "Say in the graders what every good answer has (`contains`, `regex`): equality with the expected text is "
    "where it starts, and is more than a voice can be asked for."
)

PREFER = ("reply", "response", *ANSWERS)
SHARED = 0.6
"""The share of answers that must end alike before the ending is taken for a part of the voice."""


def start(
    name: str, data: Path | None, columns: list[str] | None, *, base: str = "embedded"
) -> dict[str, Any]:
    """The project file's values; an ending that most answers share becomes the first grader. Raises DataError."""
    found = look(data, columns, PREFER)
    ending = shared_ending([text for text in found.answers if isinstance(text, str)])
    return project_values(
        name,
        found,
        system="Answer in our voice.",
        graders=[{"type": "contains", "text": ending}] if ending else [{"type": "exact_match"}],
        train={"adapter": {"rank": 16}, "epochs": 2},
        base=base,
        learning_rate=1e-4,
    )


def shared_ending(answers: list[str]) -> str | None:
    """The last line, or else the last sentence, that most of the answers have in common; None where there is none."""
    for mark in ("\n", ". "):
        last = [text.strip().rpartition(mark)[2].strip() for text in answers if mark in text.strip()]
        for ending in dict.fromkeys(last):
            if len(answers) > 1 and last.count(ending) >= SHARED * len(answers):
                return ending
    return None
