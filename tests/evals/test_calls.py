"""Expected calls in the template's form, and the row that is named where it refuses one."""

import pytest

from calls import ASKED, SAYS, call, made
from tunewright.core.errors import ModelError
from tunewright.core.example import Origin, make_example
from tunewright.core.message import Message
from tunewright.evals.calls import as_written, hangs_on_template
from tunewright.evals.suite import Suite


def suite(*answers) -> Suite:
    examples = (
        make_example((ASKED, answer), origin=Origin(source="s", file="a.jsonl", row=row))
        for row, answer in enumerate(answers, 1)
    )
    return Suite("target", tuple(examples), lambda example: (), ())


def test_calls_are_as_the_template_writes_them() -> None:
    asked = suite(SAYS, call("x"))
    assert hangs_on_template(asked)
    assert not hangs_on_template(suite(SAYS))
    said, called = as_written(asked, made("llama3_1"), "Be brief.").examples
    assert said == asked.examples[0]
    assert called.expected == '{"name": "find", "parameters": {"what": "x"}}'


def test_an_empty_thinking_part_is_the_prompts() -> None:
    asked = suite(SAYS, Message(role="assistant", content="<think>\n\n</think>\n\nred"))
    assert hangs_on_template(asked)
    assert [row.expected for row in as_written(asked, made("qwen3"), "").examples] == [SAYS.content, "red"]
    assert as_written(asked, made("llama3_1"), "").examples == asked.examples


def test_a_row_that_the_template_refuses_is_named() -> None:
    with pytest.raises(ModelError, match="refuses a conversation of user, assistant") as caught:
        as_written(suite(call("x"), call("x", "y")), made("llama3_1"), "")
    assert caught.value.where == "a.jsonl:2"
