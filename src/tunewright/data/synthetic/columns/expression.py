"""expression: a value that follows from other columns."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.formula import Expression, Template, expression, template


class ExpressionColumn(ColumnSpec):
    """What an expression or a template makes of other columns."""

    TEMPLATES: ClassVar[tuple[str, ...]] = ("template",)
    EXPRESSIONS: ClassVar[tuple[str, ...]] = ("when", "value")

    type: Literal["expression"] = "expression"
    """Chooses this column."""
    value: Expression | None = None
    """A Jinja expression over other columns: price * 1.19."""
    template: Template | None = None
    """Or a Jinja template, which makes a text: "{{ name }} from {{ city }}"."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.value is None) == (self.template is None):
            raise ValueError("an expression column has either a value or a template")
        return self


def each(spec: ExpressionColumn, name: str, means: Desk) -> Callable[[Cells], Any]:
    """The value, from the cells before it."""
    formula = template(spec.template) if spec.template is not None else expression(spec.value or "none")
    return lambda cells: formula.of(cells.values)
