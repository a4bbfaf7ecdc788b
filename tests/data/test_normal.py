"""Which rows are the same, by each of the measures: for what is dropped, and for what is kept together."""

import pytest

from tunewright.core.example import ask, make_document, make_example
from tunewright.core.message import Message, with_tools
from tunewright.data.normal import input_key, keys_of, plain_text

SYSTEM = "Answer with the label."


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ｗhere is it？", "where is it?"),
        ("don’t say “no” – or «yes»", 'don\'t say "no" - or "yes"'),
        ("a\u200bb\u00ad\ufeff \u00a0c…", "ab c..."),
        ("ﬁne ｶﾞ e\u0301 É", "fine ガ é é"),
        ("x² and x₂ and 1½ −1", "x² and x₂ and 1½ -1"),
        ('  Plain\tTEXT  it\'s "so" ', 'plain text it\'s "so"'),
    ],
)
def test_plain_text(text, plain):
    assert plain_text(text) == plain
    assert plain_text(plain) == plain


def test_a_question_is_the_same_below_any_instructions_and_in_any_typography():
    told = Message(role="developer", content="Be brief.")
    rows = [
        make_example(ask("Don't go?", "a")),
        make_example(ask("don’t\u200b  go？", "b")),
        make_example(ask("Don't go?", "a", system=SYSTEM)),
        make_example((Message(role="system", content=SYSTEM), told, *ask("Don't go?", "c"))),
    ]
    assert len({input_key(row) for row in rows}) == 1
    assert len({keys_of(row).prompt for row in rows}) == len({keys_of(row).whole for row in rows}) == 4


def test_what_is_not_the_same_question():
    answer = Message(role="assistant", content="a")
    later = (
        *ask("q", "x"),
        Message(role="system", content="now q"),
        Message(role="user", content="and?"),
        answer,
    )
    rows = [
        make_example(ask("q", "a")),
        make_example(with_tools(ask("q", "a", system=SYSTEM), "[]")),
        make_example((Message(role="system", content="q"), answer)),
        make_example((Message(role="system", content="r"), answer)),
        make_document("q"),
        make_example(ask("2²", "4")),
        make_example(ask("22", "22")),
        make_example(later),
        make_example(tuple(message for message in later if message.role != "system")),
    ]  # fmt: skip
    assert len({input_key(row) for row in rows}) == len(rows)


def test_documents_in_other_typography_are_the_same_and_no_duplicates():
    rows = [make_document("It’s here."), make_document("it's here.")]
    assert input_key(rows[0]) == input_key(rows[1])
    assert keys_of(rows[0]).whole != keys_of(rows[1]).whole
