"""filter: rows of which an expression is true stay."""

from collections.abc import Mapping
from typing import Literal

from pydantic import field_validator

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.ops._expression import Expression, checked
from tunewright.data.ops.op import Each, OpSpec, Said, Touched, judged


class Filter(OpSpec):
    """Keep the rows of which an expression is true."""

    op: Literal["filter"] = "filter"
    """Chooses this op."""
    keep: str
    """A Jinja expression over the row's fields, and input, expected, rejected, desirable, turns, chars and source:
    language == "en" and chars < 2000."""

    @field_validator("keep")
    @classmethod
    def _is_jinja(cls, keep: str) -> str:
        return checked(keep)


def reads(spec: Filter) -> Mapping[str, frozenset[str]]:
    """The fields that its expression cannot do without."""
    return {"keep": Expression(spec.keep, "").reads}


def touches(spec: Filter, given: frozenset[str]) -> Touched:
    """What its expression names."""
    return Touched(Expression(spec.keep, "").names)


def each(spec: Filter) -> Each:
    """Keep what the expression says yes to. Raises DataError where it has no value for a row."""
    holds = Expression(spec.keep, "recipe, filter.keep")

    def said(row: Example) -> Said:
        value = holds(row)
        if isinstance(value, str):
            raise DataError(
                f"{spec.keep!r} is the text {value[:40]!r} for {row.place}, neither true nor false.",
                where="recipe, filter.keep",
                fix=f'Compare it: {spec.keep} == "true".',
            )
        return judged(row, None if value else f"not: {spec.keep}")

    return said
