"""contains: the reply has a text in it."""

from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.grade.detail import show
from tunewright.grade.spec import Contains


class ContainsGrader:
    """1 when the text (or, without one, the expected answer) stands somewhere in the reply."""

    name = "contains"

    def __init__(self, text: str | None, ignore_case: bool) -> None:
        self._text = text
        self._ignore_case = ignore_case

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply against the text it should contain."""
        wanted = example.expected.strip() if self._text is None else self._text
        found = wanted.casefold() in reply.casefold() if self._ignore_case else wanted in reply
        return Score(1.0) if found else Score(0.0, f"{show(wanted)} is not in the reply")


def build(spec: Contains, task_schema: object) -> Grader:
    """The grader; it needs no schema."""
    return ContainsGrader(spec.text, spec.ignore_case)
