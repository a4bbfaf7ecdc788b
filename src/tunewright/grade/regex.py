"""regex: the reply matches a regular expression.

Python's `re` cannot be stopped, and a pattern such as (a+)+b takes ages on a long run of a's. The `regex` package reads
the same syntax and has a time limit: one that only a pattern of that kind reaches, also on a busy machine, so that scores
do not hang on the clock.
"""

import regex

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.grade.detail import show
from tunewright.grade.spec import Regex

TIME_LIMIT = 5.0
"""Seconds one search may take."""


class RegexGrader:
    """1 when the expression is found in the reply."""

    name = "regex"

    def __init__(self, pattern: "regex.Pattern[str]") -> None:
        self._pattern = pattern

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply; the expected answer plays no part."""
        try:
            found = search(self._pattern, reply)
        except TimeoutError as error:
            return Score(0.0, str(error))
        return Score(1.0) if found else Score(0.0, f"no match for {show(self._pattern.pattern)}")


def search(pattern: "regex.Pattern[str]", text: str) -> bool:
    """Whether the pattern is found in a text. Raises TimeoutError, with the reason, when it takes too long."""
    try:
        return pattern.search(text, timeout=TIME_LIMIT) is not None
    except TimeoutError:
        raise TimeoutError(f"matching took more than {TIME_LIMIT:g} s and was stopped") from None


def compile_pattern(pattern: str, where: str | None = None) -> "regex.Pattern[str]":
    """The compiled expression. Raises UserError, with the place, where it is none."""
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise UserError(
            f"{show(pattern)} is not a regular expression: {error}.", where=where, fix="Correct the pattern."
        ) from error


def build(spec: Regex, task_schema: object) -> Grader:
    """The grader. Raises UserError for a pattern that is none."""
    return RegexGrader(compile_pattern(spec.pattern, "pattern"))
