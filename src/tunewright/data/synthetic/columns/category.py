"""category: one of several values, by weights."""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, JsonValue

from tunewright.data.kinds import Kind, kind_of, together
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.draws import draw


def _weights(value: Any) -> Any:
    """Weights by their values, as text, where they are some. Raises ValueError with what is wrong."""
    if not isinstance(value, dict) or not value:
        raise ValueError("these are values with weights: {delivery: 3, invoice: 1}")
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise ValueError(f"the weight of {name!r:.40} is {weight!r:.40}, no number from 0 on")
    if not any(value.values()):
        raise ValueError("all weights are 0")
    return {str(name): weight for name, weight in value.items()}


def _values(value: Any) -> Any:
    if isinstance(value, dict) and value:
        return _weights(value)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(
            "these are a list of values, [delivery, invoice], or each with its weight: {delivery: 3}"
        )
    return list(value)


Weights = Annotated[dict[str, float], BeforeValidator(_weights)]
"""Value → how often it is drawn, in proportion to the others."""
Values = Annotated[list[JsonValue] | dict[str, float], BeforeValidator(_values)]
"""Values that are drawn equally often, or each with its weight."""


class CategoryColumn(ColumnSpec):
    """One of several values."""

    type: Literal["category"] = "category"
    """Chooses this column."""
    values: Values
    """The values, [delivery, invoice], or each with its weight: {delivery: 3, invoice: 1} is three quarters and one."""

    @property
    def kind(self) -> Kind:
        """Of its values, where all are of one kind."""
        values = [""] if isinstance(self.values, dict) else self.values
        given = [*values, self.otherwise]
        return together(*(kind_of(value) for value in given if value is not None))


def each(spec: CategoryColumn, name: str, means: Desk) -> Callable[[Cells], JsonValue]:
    """A value by its weight."""
    return lambda cells: draw(spec.values, cells.chance(name))
