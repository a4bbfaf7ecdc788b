"""sentence: a sentence drawn from a grammar."""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.formula import BadCell
from tunewright.data.synthetic.grammar import Grammar, GrammarError


@lru_cache(maxsize=16)
def grammar(source: str) -> Grammar:
    """The grammar, read once. Raises GrammarError, a ValueError."""
    return Grammar(source)


def _checked(source: str) -> str:
    grammar(source)
    return source


GrammarText = Annotated[str, Field(max_length=100_000), AfterValidator(_checked)]
"""A setting that is a grammar."""


class SentenceColumn(ColumnSpec):
    """A sentence drawn from a grammar: a command of a language of your own."""

    KIND: ClassVar[Kind] = "text"

    type: Literal["sentence"] = "sentence"
    """Chooses this column."""
    grammar: GrammarText
    """Rules, one a line, the first way of saying `start`: start: "SET" lamp "TO" value (docs/synthetic.md has the
    notation)."""


def each(spec: SentenceColumn, name: str, means: Desk) -> Callable[[Cells], str]:
    """A sentence of the row's own."""
    drawn = grammar(spec.grammar)

    def cell(cells: Cells) -> str:
        try:
            return drawn.sentence(cells.chance(name))
        except GrammarError as error:
            raise BadCell(str(error)) from None

    return cell
