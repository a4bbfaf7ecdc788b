"""A line of a traffic log says what it was made of, and no more."""

import json

import pytest
from pydantic import ValidationError

from tunewright.core.trace import Feedback, Trace

ABOUT = {"id": "t1", "time": "2026-01-02T03:04:05Z", "variant": "fine-tune", "request": {"messages": []}}


def test_a_line_is_the_trace() -> None:
    made = Trace(**ABOUT, response={"choices": []}, feedback=Feedback(thumb=-1, correction="é\n"))
    line = made.line()
    assert (line.count(b"\n"), line.endswith(b"\n")) == (1, True)
    assert json.loads(line) == {
        **ABOUT,
        "response": {"choices": []},
        "feedback": {"thumb": -1, "correction": "é\n"},
    }
    assert Trace.model_validate_json(line) == made


def test_what_a_later_version_writes_is_passed_over_and_what_is_wrong_is_not() -> None:
    assert Trace.model_validate({**ABOUT, "later": 1}) == Trace(**ABOUT)
    with pytest.raises(ValidationError):
        Feedback(thumb=2)
