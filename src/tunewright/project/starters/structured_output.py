"""JSON out of text."""

from pathlib import Path
from typing import Any

from tunewright.core.errors import DataError
from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import shown
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk
from tunewright.data.spec import DataSpec
from tunewright.data.thinking import Thoughts
from tunewright.grade.detail import show
from tunewright.project.starters import names
from tunewright.project.starters._roles import ANSWERS
from tunewright.project.starters._schema import infer_schema
from tunewright.project.starters._shape import Look, look, project_values

title = "JSON from text"
when = "The answer is one JSON object or array that a schema describes: extraction, forms, tool arguments."

PREFER = ("json", *ANSWERS)


def start(
    name: str, data: Path | None, columns: list[str] | None, *, base: str = "embedded"
) -> dict[str, Any]:
    """The project file's values; the schema is inferred from the expected answers. Raises DataError."""
    found = look(data, columns, PREFER)
    schema = infer_schema(_answers(found)) or {"type": "object"}
    return project_values(
        name,
        found,
        system=_system(schema),
        output={"type": "json", "schema": schema},
        graders=[{"type": "field_accuracy"}, {"type": "json_schema"}],
        train={"adapter": {"rank": 8}, "epochs": 3},
        base=base,
        learning_rate=2e-4,
        gates={"min_scores": {"json_schema": 0.99}},
    )


def _system(schema: dict[str, Any]) -> str:
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    whose, record = ("Its", schema) if "object" in kinds else ("The items'", schema.get("items", {}))
    keys = ", ".join(record.get("properties", ()))
    return (
        f"Answer with one JSON {' or '.join(kinds)} and nothing else."
        + (f" {whose} keys are {keys}." if keys else "")
        + " Copy values as they are written and leave out what is not given."
    )


def _answers(found: Look) -> list[Any]:
    """The expected answers as JSON values.

    Raises DataError where more of them than ingest sets aside are neither objects nor arrays.
    """
    said = [(number, _said(row, found)) for number, row in zip(found.numbers, found.rows, strict=True)]
    said = [(number, answer) for number, answer in said if answer not in (None, "")]
    values = [(number, answer, _value(answer)) for number, answer in said]
    wrong = [(number, answer) for number, answer, value in values if not isinstance(value, dict | list)]
    if len(wrong) > DataSpec().reject_budget * len(said):
        number, answer = wrong[0]
        count = f"the first of {len(wrong):,} such in {len(said):,} answers"
        raise DataError(
            f"the answer {show(answer)} is no JSON object or array, {count}",
            where=f"{found.path}:{number}",
            fix=_way_out(found),
        )
    return [value for _, _, value in values if isinstance(value, dict | list)]


def _way_out(found: Look) -> str:
    *others, last = (name for name in names() if name != "structured-output")
    text = f"Begin with a recipe for answers that are text (--recipe {', '.join(others)} or {last})"
    if found.roles is None:
        return f"{text}."
    return f"{text}; if {shown(found.roles.expected)} is not the answer's column, call that one json."


def _said(row: dict[str, Any], found: Look) -> Any:
    """A row's expected answer; None where it has none, or none that ingest would take."""
    if found.roles is not None:
        answer = row.get(found.roles.expected)
        return answer.strip() if isinstance(answer, str) else answer
    try:
        said = talk(row, {}, Thoughts("drop"))
    except BadRow:
        return None
    last = said.messages[-1]
    return None if said.desirable is False or last.tool_calls else last.content.strip()


def _value(answer: Any) -> Any:
    """An answer as a JSON value; None for what is not JSON."""
    if not isinstance(answer, str):
        return answer
    try:
        return parse(answer)
    except StrictJsonError:
        return None
