"""What raw rows ask, answered or not."""

from typing import Any

import pytest

from tunewright.data.questions import Question, asked_in, question_of

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
        ({"messages": None, "prompt": [ASKED], "chosen": None}, "Q"),
        ({"instruction": "Q", "input": ""}, "Q"),
        ({"instruction": " ", "input": "Q"}, "Q"),
        ({"instruction": "Q", "input": "x"}, "Q\nx"),
        ({"input": "x", "question": "Q", "text": "y"}, "Q"),
        ({"text": "x", "problem": "Q"}, "Q"),
        ({"answer": "A"}, None),
    ],
)
def test_a_question_is_found_in_rows_of_any_shape(row: dict[str, Any], asked: str | None) -> None:
    assert question_of(row) == asked


def test_a_column_that_is_named_is_the_one() -> None:
    assert question_of({"question": "no", "it": "Q"}, "it") == "Q"
    assert question_of({"messages": TALK, "it": "Q"}, "it") == "Q"
    assert question_of({"question": "no"}, "it") is None


def test_what_is_asked_has_the_messages_before_it_and_the_keys_that_it_is_of() -> None:
    ends = {"role": "assistant", "content": "A"}
    assert asked_in({"messages": [*TALK, ends]}) == Question(("messages",), tuple(TALK))
    both = Question(("instruction", "input"), ({"role": "user", "content": "Q\nx"},))
    assert asked_in({"instruction": "Q", "input": "x"}) == both
    assert asked_in({"instruction": "Q", "input": "x"}, "input") == Question(
        ("input",), ({**ASKED, "content": "x"},)
    )
