"""JSON out of text."""

from pathlib import Path
from typing import Any

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.project.starters._roles import ANSWERS
from tunewright.project.starters._schema import infer_schema
from tunewright.project.starters._shape import Look, look, project_values

title = "JSON from text"
when = "The answer is one JSON object that a schema describes: extraction, forms, tool arguments."

PREFER = ("json", *ANSWERS)


def start(
    name: str, data: Path | None, columns: list[str] | None, *, base: str = "embedded"
) -> dict[str, Any]:
    """The project file's values; the schema is inferred from the expected answers. Raises DataError."""
    found = look(data, columns, PREFER)
    schema = infer_schema(_answers(found)) or {"type": "object"}
    keys = ", ".join(schema.get("properties", ()))
    return project_values(
        name,
        found,
        system="Answer with one JSON object and nothing else."
        + (f" Its keys are {keys}." if keys else "")
        + " Copy values as they are written and leave out what is not given.",
        output={"type": "json", "schema": schema},
        graders=[{"type": "field_accuracy"}, {"type": "json_schema"}],
        train={"adapter": {"rank": 8}, "epochs": 3},
        base=base,
        learning_rate=2e-4,
        gates={"min_scores": {"json_schema": 0.99}},
    )


def _answers(found: Look) -> list[Any]:
    texts = found.answers if found.roles else [_last_message(row) for row in found.rows]
    values = [_value(text) for text in texts]
    return [value for value in values if isinstance(value, dict)]


def _value(answer: Any) -> Any:
    """An answer as a JSON value; None for what is not JSON."""
    if not isinstance(answer, str):
        return answer
    try:
        return parse(answer)
    except StrictJsonError:
        return None


def _last_message(row: dict[str, Any]) -> Any:
    messages = row.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    return last.get("content") if isinstance(last, dict) else None
