"""Which of the rows at hand ask the same: instructions are set aside, unless they hold what is asked about."""

import pytest

from tunewright.core.example import Example, ask, make_example
from tunewright.data.inputs import FEW, asked, input_keys
from tunewright.data.spec import SplitSpec
from tunewright.data.split import split


def keys_of(rows: list[Example]) -> list[bytes]:
    """The keys, which are the same wherever the rows are cut into lots."""
    keys = input_keys(asked(rows)).tolist()
    assert input_keys(asked(rows[:7]), asked(iter(rows[7:]))).tolist() == keys
    return keys


def test_the_same_question_below_other_instructions_and_none():
    rows = [make_example(ask("q", "a", system=system)) for system in ("One.", "Two.", None)]
    assert len(set(keys_of([*rows, make_example(ask("r", "a"))]))) == 2


def test_many_wordings_of_the_instructions_over_many_questions():
    rows = [
        make_example(ask(f"q{at}", "a", system=f"Wording {number}."))
        for at in range(20)
        for number in range(10)
    ]
    assert len(set(keys_of(rows))) == 20


@pytest.mark.parametrize("questions", [("Summarise.",), ("Summarise.", "Name the people.")])
def test_a_question_about_the_text_that_the_system_message_holds(questions):
    rows = [
        make_example(ask(question, "a", system=f"Text {at}.")) for at in range(50) for question in questions
    ]
    keys = keys_of(rows)
    assert len(set(keys)) == len(rows)
    assert len(set(keys_of(rows[: FEW * len(questions)]))) == len(questions)
    shouted = [make_example(ask(row.input_text.upper(), "b", system=row.messages[0].content)) for row in rows]
    assert keys_of([*rows, *shouted]) == keys + keys
    assert [len(part) for part in split(rows, SplitSpec())] == [
        len(rows) * share // 10 for share in (8, 1, 1)
    ]


def test_such_a_question_asked_without_a_text_is_one_question():
    rows = [make_example(ask("What is it?", "a", system=f"Text {at}.")) for at in range(9)]
    bare = [make_example(ask(text, "a")) for text in ("What is it?", *map(str, range(20)))]
    keys = keys_of([*rows, *bare])
    assert len(set(keys[:10])) == 1
    assert len(set(keys)) == 21
