"""judge: a score that a teacher gives by a rubric, with its reason."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tunewright.core.message import Conversation, Message
from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Asking, Cells, Desk, PromptedSpec, questions
from tunewright.data.synthetic.columns.structured import reader
from tunewright.data.synthetic.formula import BadCell

_FORM = """

Score it from {low} to {high}, in whole numbers, by this:
{rubric}

Answer with JSON alone: {{"reason": "one or two sentences", "score": a whole number from {low} to {high}}}"""


class JudgeColumn(PromptedSpec):
    """What a teacher thinks of other columns: {score, reason}. The reason is written first, so that the score follows
    from it."""

    KIND: ClassVar[Kind] = "object"

    type: Literal["judge"] = "judge"
    """Chooses this column."""
    rubric: dict[int, str] | str
    """What makes a score: {1: wrong, 3: right but clumsy, 5: right and clear}, or a text."""
    low: int = Field(1, ge=-1000, le=1000)
    """The worst score."""
    high: int = Field(5, ge=-1000, le=1000)
    """The best score."""
    at_least: int | None = None
    """A row that is scored lower is given up; left out, the score alone is noted."""
    temperature: float | None = Field(0.0, ge=0, le=2)
    """0 takes the likeliest words each time; above 0 draws."""

    @model_validator(mode="after")
    def _has_a_scale(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) is not below high ({self.high})")
        scores = self.rubric if isinstance(self.rubric, dict) else {}
        least = () if self.at_least is None else (self.at_least,)
        outside = [score for score in (*scores, *least) if not self.low <= score <= self.high]
        if outside:
            raise ValueError(f"{outside[0]} is not on the scale from {self.low} to {self.high}")
        return self


def asks(spec: JudgeColumn, name: str, means: Desk) -> Asking:
    """The prompt with the scale below it; the answer parsed, and its score on the scale."""
    rubric = spec.rubric if isinstance(spec.rubric, str) else _listed(spec.rubric)
    schema = scored(list(range(spec.low, spec.high + 1)))
    form = _FORM.format(low=spec.low, high=spec.high, rubric=rubric)
    read = reader(schema, means)
    return Asking(spec, lambda cells: [with_form(questions(spec, cells), form)], _held(spec, read), schema)


def scored(values: list[Any]) -> dict[str, Any]:
    """The schema of a reason and a score, one of these values."""
    return {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "score": {"enum": values}},
        "required": ["reason", "score"],
        "additionalProperties": False,
    }


def with_form(asked: Conversation, form: str) -> Conversation:
    """The question with the form of its answer below it."""
    return (*asked[:-1], Message(role="user", content=asked[-1].content + form))


def _listed(rubric: dict[int, str]) -> str:
    return "\n".join(f"{score}: {rubric[score]}" for score in sorted(rubric))


def _held(
    spec: JudgeColumn, read: Callable[[Cells, list[str]], Any]
) -> Callable[[Cells, list[str]], dict[str, Any]]:
    def value(cells: Cells, replies: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = read(cells, replies)
        if spec.at_least is not None and found["score"] < spec.at_least:
            raise Refused(f"judged {found['score']} of {spec.high}: {found['reason'][:200]}")
        return found

    return value


class Refused(BadCell):
    """The answer is a good one, and says no: asking again would be asking until somebody says yes."""
