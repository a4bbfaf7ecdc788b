"""json_valid: the reply is one JSON value and nothing else."""

from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.core.strict_json import parse
from tunewright.grade.spec import JsonValid


class JsonValidGrader:
    """1 when the whole reply is one JSON value."""

    name = "json_valid"

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply; the expected answer plays no part."""
        try:
            parse(reply)
        except ValueError as error:
            return Score(0.0, f"not JSON: {error}")
        return Score(1.0)


def build(spec: JsonValid, task_schema: object) -> Grader:
    """The grader; it needs no schema."""
    return JsonValidGrader()
