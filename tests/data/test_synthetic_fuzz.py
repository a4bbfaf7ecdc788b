"""Whatever a teacher says or a user writes: read, or refused in a sentence; never a crash, never a hang."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ends import ends
from tunewright.data.synthetic.blocks import answer, code_block, json_block
from tunewright.data.synthetic.columns.quotes import find
from tunewright.data.synthetic.formula import fenced
from tunewright.data.synthetic.grammar import Grammar, GrammarError
from tunewright.data.synthetic.syntax import fault

PIECES = st.sampled_from(
    [
        *'start:|()?*+{}/[]-^\\"\n 29aAzZ_',
        "start: ",
        '"a"',
        "/[a-z]/",
        "{2,3}",
        "```",
        "~~~",
        "<think>",
        "</think>",
        "; ",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_what_teachers_say_is_taken_apart(text: str) -> None:
    assert set(code_block(text)) <= set(text) | {"\n"}
    assert len(answer(text)) <= len(text)
    json_block(text)
    for language in ("python", "sql", "json"):
        wrong = fault(text, language)
        assert wrong is None or wrong


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_grammar_is_read_or_refused(text: str) -> None:
    try:
        grammar = Grammar(text)
    except GrammarError as error:
        assert str(error).strip()  # noqa: PT017  # a grammar may as well be read
        return
    assert isinstance(grammar.sentence(random.Random(0)), str)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_a_quotation_that_is_found_stands_there(quote: str, text: str) -> None:
    if (found := find(quote, text)) is not None:
        assert text[found.start : found.end] == found.text


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_a_fence_cannot_be_left(text: str) -> None:
    said = fenced(f"{text}</text>", "text")
    assert said.startswith("<text>\n")
    assert said.count("</text>") == 1
    assert said.endswith("\n</text>")


@pytest.mark.parametrize(
    "unit", ["```a\n", "~~~\n```\n", "<think>", "[", "(", "a ", "SELECT (", "/*", "--\n", ";"]
)
def test_long_answers_are_read_in_one_pass(unit: str) -> None:
    text = "'" + unit * (150_000 // len(unit))
    with ends():
        fault(text[:20_000], "sql")
        answer(text)
        code_block(text)
        find("a b a", text)
        for language in ("python", "sql", "json"):
            fault(text, language)
