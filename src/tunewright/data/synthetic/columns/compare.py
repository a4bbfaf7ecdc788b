"""compare: which of two columns a teacher finds better, asked in both orders.

Judges prefer what stands first (Zheng et al. 2023, "Judging LLM-as-a-Judge", arXiv:2306.05685, §3.3): a choice counts
where it is the same whichever stands first.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tunewright.core.message import Conversation
from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Asking, Cells, Desk, PromptedSpec, questions
from tunewright.data.synthetic.columns.judge import Refused, scored, with_form
from tunewright.data.synthetic.columns.structured import reader
from tunewright.data.synthetic.formula import BadCell, fenced

_FORM = """

{first}

{second}

Which answer is better, by this: {rubric}
Answer with JSON alone: {{"reason": "one or two sentences", "score": "A" or "B" or "equal"}}"""


class CompareColumn(PromptedSpec):
    """Which of two columns is better: {better, worse, reason}. A row is given up where the choice hangs on the order, or
    the two are equal."""

    NAMES: ClassVar[tuple[str, ...]] = ("of",)
    KIND: ClassVar[Kind] = "object"

    type: Literal["compare"] = "compare"
    """Chooses this column."""
    of: tuple[str, ...]
    """The two columns that are compared."""
    rubric: str = "It is right, it answers what is asked, and it is clear."
    """What makes one better."""
    temperature: float | None = Field(0.0, ge=0, le=2)
    """0 takes the likeliest words each time; above 0 draws."""

    @model_validator(mode="after")
    def _compares_two(self) -> Self:
        if len(self.of) != 2:
            raise ValueError(f"`of` names two columns, not {len(self.of)}")
        if self.of[0] == self.of[1]:
            raise ValueError(f"{self.of[0]} is compared with itself")
        return self


def asks(spec: CompareColumn, name: str, means: Desk) -> Asking:
    """The prompt with the two below it, in one order and in the other."""
    schema = scored(["A", "B", "equal"])
    read = reader(schema, means)

    def prompts(cells: Cells) -> list[Conversation]:
        one, other = (cells.values[column] for column in spec.of)
        if one == other:
            raise BadCell(f"{spec.of[0]} and {spec.of[1]} are the same")
        asked = questions(spec, cells)
        return [with_form(asked, _shown(spec, *pair)) for pair in ((one, other), (other, one))]

    return Asking(spec, prompts, _choice(spec, read), schema)


def _shown(spec: CompareColumn, first: Any, second: Any) -> str:
    return _FORM.format(
        first=fenced(first, "answer_A", "answer_B"),
        second=fenced(second, "answer_B", "answer_A"),
        rubric=spec.rubric,
    )


def _choice(
    spec: CompareColumn, read: Callable[[Cells, list[str]], Any]
) -> Callable[[Cells, list[str]], dict[str, Any]]:
    def value(cells: Cells, replies: list[str]) -> dict[str, Any]:
        straight, turned = (_told(read, cells, reply, place) for place, reply in enumerate(replies))
        first = {"A": 0, "B": 1, "equal": None}[straight["score"]]
        second = {"A": 1, "B": 0, "equal": None}[turned["score"]]
        if first is None or second is None:
            raise Refused("neither is better")
        if first != second:
            raise Refused("which is better hangs on which stands first")
        better, worse = (cells.values[spec.of[at]] for at in (first, 1 - first))
        return {"better": better, "worse": worse, "reason": straight["reason"]}

    return value


def _told(read: Callable[[Cells, list[str]], Any], cells: Cells, reply: str, place: int) -> dict[str, Any]:
    """One of the two judgements. Raises BadCell that says which it is: the other one was not at fault."""
    try:
        found: dict[str, Any] = read(cells, [reply])
    except BadCell as bad:
        bad.place = place
        raise
    return found
