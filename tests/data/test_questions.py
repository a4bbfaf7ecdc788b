"""What raw rows ask, answered or not."""

from typing import Any

import pytest

from tunewright.data.questions import question_of

SYSTEM, ASKED = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Q"}
TALK = [SYSTEM, {"role": "user", "content": "first"}, {"role": "assistant", "content": "a"}, ASKED]


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        ({"problem": "Q", "level": 3}, "Q"),
        ({"question": "Q", "text": "T", "answer": None}, "Q"),
        ({"messages": TALK}, "Q"),
        ({"messages": [SYSTEM]}, ""),
        ({"prompt": TALK}, "Q"),
        ({"prompt": TALK, "completion": "A"}, "Q"),
        ({"prompt": "Q", "chosen": "A", "rejected": "B"}, "Q"),
        ({"input": {"messages": TALK}, "preferred_output": [], "non_preferred_output": []}, "Q"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Q"}, {"type": "x"}]}]}, "Q"),
        ({"prompt": [{"type": "text", "text": "Q"}]}, "Q"),
        ({"question": None}, ""),
        ({"question": 3}, ""),
        ({"answer": "A"}, None),
    ],
)
def test_a_question_is_found_in_rows_of_any_shape(row: dict[str, Any], asked: str | None) -> None:
    assert question_of(row) == asked


def test_a_column_that_is_named_is_the_one() -> None:
    assert question_of({"question": "no", "it": "Q"}, "it") == "Q"
    assert question_of({"messages": TALK, "it": "Q"}, "it") == "Q"
    assert question_of({"question": "no"}, "it") is None
