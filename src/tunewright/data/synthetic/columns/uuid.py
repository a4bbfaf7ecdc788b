"""uuid: an identifier in the form of a random UUID (RFC 9562, version 4), the same for the same seed."""

from collections.abc import Callable
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk


class UuidColumn(ColumnSpec):
    """An identifier."""

    KIND: ClassVar[Kind] = "text"

    type: Literal["uuid"] = "uuid"
    """Chooses this column."""
    prefix: str = Field("", max_length=40)
    """What it begins with: T- makes T-3f2a…."""
    digits: int | None = Field(None, ge=4, le=32)
    """So many hexadecimal digits alone; left out, a whole UUID."""


def each(spec: UuidColumn, name: str, means: Desk) -> Callable[[Cells], str]:
    """An identifier of the row's own."""

    def cell(cells: Cells) -> str:
        made = UUID(int=cells.chance(name).getrandbits(128), version=4)
        return spec.prefix + (str(made) if spec.digits is None else made.hex[: spec.digits])

    return cell
