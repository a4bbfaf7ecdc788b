"""validate: rows of which a column does not hold to a check are given up."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, model_validator

from tunewright.core.example import ask, make_example
from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.formula import BadCell, Expression, Template, expression, template
from tunewright.data.synthetic.syntax import fault


class ValidateColumn(ColumnSpec):
    """Whether a value holds to a check: {ok, why}."""

    TEMPLATES: ClassVar[tuple[str, ...]] = ("tables", "expected")
    EXPRESSIONS: ClassVar[tuple[str, ...]] = ("when", "of", "holds")
    KIND: ClassVar[Kind] = "object"

    type: Literal["validate"] = "validate"
    """Chooses this column."""
    of: Expression
    """What is looked at: a column, or an expression over several."""
    by: Literal["python", "sql", "json"] | dict[str, JsonValue] | None = None
    """The language that must be able to read it, or a grader's settings: {type: regex, pattern: "^T-"}, or {type:
    json_schema, schema: …}, the schema in place or the path of its file in the project's folder."""
    holds: Expression | None = None
    """Or an expression that must be true: chars_of_answer < 400."""
    tables: Template = ""
    """Of sql: CREATE TABLE statements that queries are checked against."""
    expected: Template = ""
    """Of graders that compare: the right answer, a template over other columns."""
    at_least: float = Field(1.0, ge=0, le=1)
    """The least score by a grader."""
    give_up: bool = True
    """Whether a row is given up that does not hold; else it is noted alone."""

    @model_validator(mode="after")
    def _has_one_check(self) -> Self:
        if (self.by is None) == (self.holds is None):
            raise ValueError("a validate column has either `by` or `holds`")
        if isinstance(self.by, dict) and "type" not in self.by:
            raise ValueError("a grader's settings say its type: {type: regex, pattern: …}")
        return self


def each(spec: ValidateColumn, name: str, means: Desk) -> Callable[[Cells], dict[str, Any]]:
    """What the check says. Raises UserError for a grader's settings that are none."""
    check = _check(spec, means)

    def cell(cells: Cells) -> dict[str, Any]:
        why = check(expression(spec.of).of(cells.values), cells)
        if why is not None and spec.give_up:
            raise BadCell(why)
        return {"ok": why is None, "why": why}

    return cell


def _check(spec: ValidateColumn, means: Desk) -> Callable[[Any, Cells], str | None]:
    """What is wrong with a value in a row, or None."""
    if isinstance(spec.by, Mapping):
        return _graded(spec, means)
    if spec.by is not None:
        return lambda value, cells: fault(
            str(value), str(spec.by), str(template(spec.tables).of(cells.values))
        )
    holds = expression(spec.holds or "true")
    return lambda value, cells: None if holds.of(cells.values) else f"not: {spec.holds}"


def _graded(spec: ValidateColumn, means: Desk) -> Callable[[Any, Cells], str | None]:
    assert isinstance(spec.by, dict)
    grader = means.grader(spec.by)

    def check(value: Any, cells: Cells) -> str | None:
        right = str(template(spec.expected).of(cells.values))
        score = grader.grade(make_example(ask("-", right)), _text(value))
        if score.value >= spec.at_least:
            return None
        return f"{grader.name} says {score.value:g}{f': {score.detail}' if score.detail else ''}"

    return check


def _text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
