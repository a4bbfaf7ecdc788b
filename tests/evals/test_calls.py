"""Expected calls in the template's form, and the row that is named where it refuses one."""

import pytest

from calls import ASKED, SAYS, call, made
from tunewright.core.errors import ModelError
from tunewright.core.example import Origin, make_example
from tunewright.evals.calls import as_written, has_calls
from tunewright.evals.suite import Suite


def suite(*answers) -> Suite:
    examples = (
        make_example((ASKED, answer), origin=Origin(source="s", file="a.jsonl", row=row))
        for row, answer in enumerate(answers, 1)
    )
    return Suite("target", tuple(examples), lambda example: (), ())


def test_calls_are_as_the_template_writes_them() -> None:
    asked = suite(SAYS, call("x"))
    assert has_calls(asked)
    assert not has_calls(suite(SAYS))
    said, called = as_written(asked, made("llama3_1"), "Be brief.").examples
    assert said == asked.examples[0]
    assert called.expected == '{"name": "find", "parameters": {"what": "x"}}'


def test_a_row_that_the_template_refuses_is_named() -> None:
    with pytest.raises(ModelError, match="refuses a conversation of user, assistant") as caught:
        as_written(suite(call("x"), call("x", "y")), made("llama3_1"), "")
    assert caught.value.where == "a.jsonl:2"
