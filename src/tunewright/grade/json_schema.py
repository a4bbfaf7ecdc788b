"""json_schema: the reply is JSON that the task's schema, or the one given with the grader, accepts."""

from typing import Any

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.core.strict_json import parse
from tunewright.grade.schema import SchemaCheck
from tunewright.grade.spec import JsonSchema


class JsonSchemaGrader:
    """1 when the whole reply is one JSON value and the schema accepts it."""

    name = "json_schema"

    def __init__(self, check: SchemaCheck) -> None:
        self._check = check

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply; the expected answer plays no part."""
        try:
            value = parse(reply)
        except ValueError as error:
            return Score(0.0, f"not JSON: {error}")
        fault = self._check.fault(value)
        return Score(1.0) if fault is None else Score(0.0, fault)


def build(spec: JsonSchema, task_schema: dict[str, Any] | str | None) -> Grader:
    """The grader. Raises UserError where there is no schema, or what stands there is none."""
    schema = spec.schema_ if spec.schema_ is not None else task_schema
    if not isinstance(schema, dict):
        raise UserError(
            "the json_schema grader has no schema to check against.",
            fix="Give the task an `output` of type json with a schema, or give the grader a `schema`.",
        )
    return JsonSchemaGrader(SchemaCheck(schema))
