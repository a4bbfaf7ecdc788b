"""text: what a teacher says."""

from typing import ClassVar, Literal

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Asking, Cells, Desk, PromptedSpec, questions
from tunewright.data.synthetic.formula import BadCell


class TextColumn(PromptedSpec):
    """What a teacher answers, as it stands."""

    KIND: ClassVar[Kind] = "text"

    type: Literal["text"] = "text"
    """Chooses this column."""
    least_chars: int = 1
    """A shorter answer is asked for again."""


def asks(spec: TextColumn, name: str, means: Desk) -> Asking:
    """The prompt; the answer without outer blanks."""

    def read(cells: Cells, replies: list[str]) -> str:
        said = replies[0].strip()
        if len(said) < spec.least_chars:
            raise BadCell("it is blank" if not said else f"it has only {len(said)} characters")
        return said

    return Asking(spec, lambda cells: [questions(spec, cells)], read)
