"""seed: a part of a row that the new row is written from."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from tunewright.core.example import Example
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.formula import BadCell, Expression, expression

_NEAR = 40
"""How far from its end a text may be cut, so as not to cut a word."""


class SeedColumn(ColumnSpec):
    """A part of the row that this one is written from, or of further rows, as examples."""

    type: Literal["seed"] = "seed"
    """Chooses this column."""
    take: Expression = "input"
    """A Jinja expression over the seed row's fields, and input, expected, rejected, turns, chars and source, as
    `filter` knows them: expected[:4000]. Of a document, `expected` is the text. `talk` is all that was said before the
    answer."""
    chars: int | None = Field(None, ge=1)
    """The most characters of a text; a longer one ends there, at a blank where one is near, and that is told."""
    count: int | None = Field(None, ge=1, le=100)
    """A list from so many further rows, drawn anew for each row, to show a teacher what rows look like; left out, the
    value from the one row that the new one is written from."""


def each(spec: SeedColumn, name: str, means: Desk) -> Callable[[Cells], Any]:
    """The value, from the row's seeds."""

    def cell(cells: Cells) -> Any:
        if spec.count is not None:
            return [_cut(spec, name, _taken(spec.take, row), cells) for row in cells.further[name]]
        if cells.seed is None:
            raise BadCell("there is no row that it is written from")
        return _cut(spec, name, _taken(spec.take, cells.seed), cells)

    return cell


def _cut(spec: SeedColumn, name: str, value: Any, cells: Cells) -> Any:
    """The value, no longer than it may be."""
    if spec.chars is None or not isinstance(value, str) or len(value) <= spec.chars:
        return value
    cells.cut.add(name)
    said = value[: spec.chars]
    blank = max(said.rfind(sign) for sign in " \n\t")
    return said[:blank] if blank > spec.chars - _NEAR else said


def _taken(take: str, seed: Example) -> Any:
    from tunewright.data.ops._expression import names  # the operations stand upon this room

    try:
        return expression(take).of({**names(seed), "talk": _talk(seed)})
    except BadCell as bad:
        raise BadCell(f"of {seed.place} there is no {take!r} ({bad})") from None


def _talk(seed: Example) -> str:
    """The turns before the answer, each with who speaks."""
    return "\n\n".join(f"{turn.role.capitalize()}: {turn.said}" for turn in seed.prompt)
