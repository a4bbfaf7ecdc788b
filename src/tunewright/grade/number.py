"""number: the last number in the reply is the last number of the expected answer."""

import re
from decimal import Context, Decimal

from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.grade.detail import clip
from tunewright.grade.spec import Number

# 1,234.5 is one number, 1,2 are two; the minus of 5-3 is no sign
_NUMBER = re.compile(
    r"(?:(?<![\w.)\]])[-−])?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
    r"|(?:(?<![\w.)\]])[-−])?(?<![\w.])\.[0-9]+"
)
# no traps: a number out of all range becomes infinite or NaN, and equals nothing
_DECIMAL = Context(prec=60, traps=[])


class NumberGrader:
    """1 when the last numbers differ by no more than the tolerance, relative to the larger."""

    name = "number"

    def __init__(self, tolerance: float) -> None:
        self._tolerance = Decimal(tolerance)

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply's last number."""
        expected, given = last_number(example.expected), last_number(reply)
        if expected is None:
            return Score(0.0, "the expected answer has no number in it")
        if given is None:
            return Score(0.0, "no number in the reply")
        if self._close(_value(expected), _value(given)):
            return Score(1.0)
        return Score(0.0, f"expected {clip(expected, 40)}, not {clip(given, 40)}")

    def _close(self, left: Decimal, right: Decimal) -> bool:
        if not (left.is_finite() and right.is_finite()):
            return False
        difference = _DECIMAL.abs(_DECIMAL.subtract(left, right))
        scale = _DECIMAL.max(_DECIMAL.abs(left), _DECIMAL.abs(right))
        return difference <= _DECIMAL.multiply(self._tolerance, scale)


def last_number(text: str) -> str | None:
    """The last number written in `text`, as it stands there; none where there is none."""
    numbers = [match[0] for match in _NUMBER.finditer(text)]
    return numbers[-1] if numbers else None


def _value(number: str) -> Decimal:
    return _DECIMAL.create_decimal(number.replace(",", "").replace("−", "-"))


def build(spec: Number, task_schema: object) -> Grader:
    """The grader; it needs no schema."""
    return NumberGrader(spec.tolerance)
