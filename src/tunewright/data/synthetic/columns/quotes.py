"""quotes: whether what is given as a quotation stands in the text that it is taken from."""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from tunewright.data.kinds import Kind
from tunewright.data.normal import plain_text
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk
from tunewright.data.synthetic.formula import BadCell, Expression, expression

_WORD = re.compile(r"\S+")
_EDGES = " \"'“”„«»‘’…."


class QuotesColumn(ColumnSpec):
    """A list of quotations, each as it stands in the text: {text, start, end} (characters of that text). A row is given
    up where one does not stand there, letter case, blanks and typography aside."""

    EXPRESSIONS: ClassVar[tuple[str, ...]] = ("when", "of", "within")
    KIND: ClassVar[Kind] = "list"

    type: Literal["quotes"] = "quotes"
    """Chooses this column."""
    of: Expression
    """A quotation, or a list of them: answer.quotes."""
    within: Expression
    """The text that they are taken from."""
    least: int = Field(1, ge=0)
    """The least number of quotations."""
    least_words: int = Field(3, ge=1)
    """The least words of a quotation: one of a single word proves nothing."""


class Quoted(NamedTuple):
    """A quotation, in the text's own letters, and where it stands in it."""

    text: str
    start: int
    end: int


def each(spec: QuotesColumn, name: str, means: Desk) -> Callable[[Cells], list[dict[str, Any]]]:
    """The quotations, found in the text."""

    def cell(cells: Cells) -> list[dict[str, Any]]:
        given = expression(spec.of).of(cells.values)
        given = given if isinstance(given, list) else [given]
        text = str(expression(spec.within).of(cells.values))
        if len(given) < spec.least:
            raise BadCell(f"{len(given)} quotations, and there should be {spec.least}")
        found = []
        for quote in given:
            if not isinstance(quote, str) or len(quote.split()) < spec.least_words:
                raise BadCell(f"{str(quote)[:60]!r} is too short for a quotation")
            quoted = find(quote, text)
            if quoted is None:
                raise BadCell(f"{quote[:60]!r} does not stand in the text")
            found.append(quoted._asdict())
        return found

    return cell


def find(quote: str, text: str) -> Quoted | None:
    """Where a quotation stands in a text, word by word in plain text; None where it does not."""
    asked = [plain_text(word) for word in quote.strip(_EDGES).split()]
    places = [match.span() for match in _WORD.finditer(text)]
    words = [plain_text(text[begin:end]) for begin, end in places]
    last = len(asked) - 1
    if last < 0:
        return None
    for at in range(len(words) - last):
        if all(_same(words[at + n], one, n == 0, n == last) for n, one in enumerate(asked)):
            start, end = places[at][0], places[at + last][1]
            return Quoted(text[start:end], start, end)
    return None


def _same(word: str, asked: str, first: bool, last: bool) -> bool:
    """Whether a word is the one asked for; at the edges of a quotation signs beside it do not count."""
    if word == asked:
        return True
    if not (first or last):
        return False
    signs = ".,;:!?()[]\"'"
    word = word.lstrip(signs) if first else word
    asked = asked.lstrip(signs) if first else asked
    return bool(asked) and (word.rstrip(signs) == asked.rstrip(signs) if last else word == asked)
