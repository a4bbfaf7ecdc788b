"""Settings of the graders: one class for each type, told apart by `type`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tunewright.core.spec import Spec


class ExactMatch(Spec):
    """The reply equals the expected answer (outer blanks aside)."""

    type: Literal["exact_match"] = "exact_match"
    """Chooses this grader."""
    ignore_case: bool = False
    """Take letters of either case as equal."""


class Regex(Spec):
    """The reply matches a regular expression (`search`)."""

    type: Literal["regex"] = "regex"
    """Chooses this grader."""
    pattern: str
    """The expression, in Python's syntax; a search of more than five seconds is stopped, and scores 0."""


class Contains(Spec):
    """The reply contains a text."""

    type: Literal["contains"] = "contains"
    """Chooses this grader."""
    text: str | None = None
    """The text; when left out, the expected answer."""
    ignore_case: bool = True
    """Take letters of either case as equal."""


class JsonValid(Spec):
    """The reply is one JSON value and nothing else."""

    type: Literal["json_valid"] = "json_valid"
    """Chooses this grader."""


class JsonSchema(Spec):
    """The reply is JSON that the task's schema (or the one given here) accepts."""

    type: Literal["json_schema"] = "json_schema"
    """Chooses this grader."""
    schema_: dict[str, Any] | str | None = Field(None, alias="schema")
    """A JSON Schema in place or a file's path; when left out, the task's."""


class FieldAccuracy(Spec):
    """The share of the expected JSON's leaf fields that the reply has right; an extra field counts as one wrong."""

    type: Literal["field_accuracy"] = "field_accuracy"
    """Chooses this grader."""
    ignore_case: bool = False
    """Compare text fields without regard to case."""


class Number(Spec):
    """The last number in the reply equals the last number of the expected answer."""

    type: Literal["number"] = "number"
    """Chooses this grader."""
    tolerance: float = Field(1e-6, ge=0)
    """The largest relative difference that still counts as equal."""


GraderSpec = Annotated[
    ExactMatch | Regex | Contains | JsonValid | JsonSchema | FieldAccuracy | Number,
    Field(discriminator="type"),
]
