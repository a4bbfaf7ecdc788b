"""exact_match: the reply is the expected answer, outer blanks aside."""

from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.grade.detail import show
from tunewright.grade.spec import ExactMatch


class ExactMatchGrader:
    """1 when reply and expected answer are the same text."""

    name = "exact_match"

    def __init__(self, ignore_case: bool) -> None:
        self._ignore_case = ignore_case

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply's text against the expected text."""
        expected, given = example.expected.strip(), reply.strip()
        same = expected.casefold() == given.casefold() if self._ignore_case else expected == given
        return Score(1.0) if same else Score(0.0, f"expected {show(expected)}")


def build(spec: ExactMatch, task_schema: object) -> Grader:
    """The grader; it needs no schema."""
    return ExactMatchGrader(spec.ignore_case)
