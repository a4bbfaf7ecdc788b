"""A language of one's own: SQL over a schema, shell commands, queries, formulas."""

from pathlib import Path
from typing import Any

from tunewright.project.starters._roles import ANSWERS, CODE
from tunewright.project.starters._shape import look, project_values

title = "text to code"
when = (
    "The answer is in a formal language the base does not know well: SQL on your schema, commands, queries."
)

PREFER = (*(word for word in CODE if word != "query"), *ANSWERS, "query")


def start(
    name: str, data: Path | None, columns: list[str] | None, *, base: str = "embedded"
) -> dict[str, Any]:
    """The project file's values: a larger rank and more epochs, for a new language is a new skill. Raises DataError."""
    found = look(data, columns, PREFER)
    language = found.roles.expected if found.roles and found.roles.expected.lower() in CODE else "code"
    return project_values(
        name,
        found,
        system=f"Answer with the {language} alone, on as few lines as it needs.",
        graders=[{"type": "exact_match"}],
        train={"adapter": {"rank": 32}, "epochs": 4},
        base=base,
        learning_rate=2e-4,
    )
