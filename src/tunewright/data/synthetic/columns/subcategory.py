"""subcategory: one of the values that another column's value has."""

from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from tunewright.data.names import listed
from tunewright.data.synthetic.columns.category import Values
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.draws import draw
from tunewright.data.synthetic.formula import BadCell


class SubcategoryColumn(ColumnSpec):
    """One of the values that stand below another column's value."""

    NAMES: ClassVar[tuple[str, ...]] = ("of",)

    type: Literal["subcategory"] = "subcategory"
    """Chooses this column."""
    of: str
    """The column that it goes by."""
    values: dict[str, Values] = Field(min_length=1)
    """That column's value → the values here, alike or weighted: {delivery: [late, broken], invoice: {wrong sum: 2, twice:
    1}}."""


def each(spec: SubcategoryColumn, name: str, means: Desk) -> Callable[[Cells], JsonValue]:
    """A value below the other column's."""

    def cell(cells: Cells) -> JsonValue:
        above = cells.values[spec.of]
        if str(above) not in spec.values:
            raise BadCell(f"there is nothing below {spec.of} {above!r}; there is for {listed(spec.values)}")
        return draw(spec.values[str(above)], cells.chance(name))

    return cell
