"""Rows as forms: whatever a row says comes back sign by sign, and what is wrong is told with its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reviewed_rows import row

from tunewright.core.example import Example, ask, make_document, make_example
from tunewright.core.message import Function, Message, ToolCall, with_tools
from tunewright.core.task import JsonOutput
from tunewright.data.answers import answer_reader
from tunewright.data.review.form import FormError, form, marked, read_form

SIGNS = st.text(
    st.sampled_from("ab=\n\r\t #{}\"'é中\u2028\x0b\x85")
    | st.characters(codec="utf-8", exclude_characters="\0")
)
TEXTS = SIGNS | st.lists(st.sampled_from(["=== user", "==== expected", "", "===", "x"])).map("\n".join)
SAID = TEXTS.filter(str.strip)
FIELDS = st.dictionaries(
    SIGNS, st.none() | st.booleans() | st.integers() | SIGNS | st.lists(SIGNS), max_size=3
)
TOOLS = '[{"type": "function", "function": {"name": "find"}}]'


@st.composite
def talks(draw: st.DrawFn) -> Example:
    turns = [
        Message(role="user", content=draw(TEXTS)),
        Message(role="assistant", content=draw(TEXTS), weight=0),
    ]
    if draw(st.booleans()):
        call = ToolCall(
            id="c1",
            function=Function(name="find", arguments=json.dumps({"q": draw(SIGNS)}, ensure_ascii=False)),
        )
        turns.append(Message(role="assistant", content=draw(TEXTS), tool_calls=(call,)))
        turns.append(Message(role="tool", content=draw(TEXTS), tool_call_id="c1", name="find"))
    turns.append(Message(role="user", content=draw(SAID)))
    weight = draw(st.sampled_from([None, 1, 0.5]))
    talk = (*turns, Message(role="assistant", content=draw(SAID), weight=weight))
    return make_example(
        with_tools(talk, draw(st.sampled_from([None, TOOLS]))),
        fields=draw(FIELDS),
        rejected=draw(st.none() | SAID),
        desirable=draw(st.sampled_from([None, True, False])),
    )


@given(talks() | st.builds(lambda text, fields: make_document(text, fields=fields), SAID, FIELDS))
def test_a_form_that_is_not_changed_changes_nothing(one: Example) -> None:
    assert read_form(form(one), one) is None
    # and it is read, not passed over: of another row it makes this one
    other = make_document("x") if one.is_document else make_example(ask("x", "y"))
    made = read_form(form(one), other)
    if "\r" not in form(one):
        assert made is None or (made.messages, made.fields, made.rejected) == (
            one.messages,
            one.fields,
            one.rejected,
        )


def test_what_a_form_looks_like() -> None:
    text = form(
        make_example(
            ask("Is it on?", "Yes.", system="Be brief."), fields={"n": 1}, rejected="No.", desirable=True
        )
    )
    assert text.partition("\n\n")[2] == (
        "=== system\nBe brief.\n\n=== user\nIs it on?\n\n=== expected\nYes.\n\n=== rejected\nNo.\n\n=== rating\ngood\n\n"
        '=== fields\n{\n "n": 1\n}\n'
    )


def test_every_part_can_be_changed_taken_out_and_put_in() -> None:
    one = make_example(ask("Is it on?", "Yes."), fields={"n": 1}, rejected="No.")
    text = form(one).replace("Yes.", "Yes,\n\nit is.").replace("=== rejected\nNo.\n", "=== rating\nbad\n")
    made = read_form(text.replace('"n": 1', '"n": 2, "m": [true]') + "\n\n", one)
    assert made is not None
    assert (made.expected, made.rejected, made.desirable, made.rated) == ("Yes,\n\nit is.", None, False, True)
    assert made.fields == {"n": 2, "m": [True]}
    assert read_form("  \n", one) is None
    assert read_form(form(one).replace("\n", "\r\n"), one) is None  # an editor of Windows


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("=== user", "=== usr", "line 5: there is no part 'usr'. Did you mean 'user'?"),
        ("Is it on?", " ", "line 5: nothing is asked: the last part 'user' is blank or missing"),
        ("=== user\nIs it on?\n", "", "line 6: nothing is asked: the last part 'user' is blank or missing"),
        ("=== expected\nYes.\n", "", "line 12: the part 'expected' is missing: the answer that is to be learnt"),
        ("Yes.", "Yes.\n\n=== user\nAnd now?", "line 11: a message stands below 'expected', which is the last one"),
        ("No.", " ", "line 11: the rejected answer is blank; take the whole part out"),
        ("No.", "No.\n\n=== rejected\nNo!", "line 14: there are two parts 'rejected'"),
        ("No.", "No.\n\n=== rating\nfine", "line 14: the rating is 'fine', neither good nor bad"),
        ('"n": 1', '"n": 1,', "line 17: fields is not JSON ("),
        ('{\n "n": 1\n}', "[1]", "line 14: fields is not a JSON object"),
        ("=== user", '=== user {"name": "ann"}', "line 5: a part 'user' says nothing of name"),
        ("=== expected", "=== expected {weight: 1}", "line 8: expected is not JSON (Expecting property name"),
        ("=== expected", '=== expected {"weight": 7}', "line 8: weight is 7, not a number from 0 to 1"),
        ("Is it on?", 'Is it on?\n\n=== call {"name": "f"}\n{}', "line 8: a call stands below another message"),
        ("Is it on?", "Is it\0 on?", "line 5: a NUL character stands in the text"),
        ("=== expected", "=== text", "line 8: only a document has a part 'text'; the answer is 'expected'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, told: str) -> None:
    one = make_example(ask("Is it on?", "Yes."), fields={"n": 1}, rejected="No.")
    text = form(one)
    assert old in text
    with pytest.raises(FormError) as caught:
        read_form(text.replace(old, new, 1), one)
    assert told in str(caught.value)


def test_a_call_of_no_tool_and_a_broken_document() -> None:
    talk = with_tools(ask("find a", "b"), TOOLS)
    with pytest.raises(FormError, match="line 18: message 2 calls 'lose', which is none of the row's tools"):
        read_form(
            form(make_example(talk)).replace("\nb\n", '\nb\n\n=== call {"name": "lose"}\n{}\n'),
            make_example(talk),
        )
    one = make_document("a text")
    with pytest.raises(FormError, match="line 8: a document has no part 'user'"):
        read_form(form(one).replace("a text", "a text\n\n=== user\nb"), one)
    with pytest.raises(FormError, match="line 5: the document is blank; to be rid of it, reject it"):
        read_form(form(one).replace("a text", ""), one)
    with pytest.raises(FormError, match="line 1: no line begins a part"):
        read_form("just words", one)


def test_an_answer_is_held_to_the_tasks_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}
    read_answer = answer_reader(JsonOutput(schema=schema))
    one = make_example(ask("q", '{"a": 1}'))

    def check(answer: str) -> str:
        return read_answer(answer, False)

    made = read_form(form(one).replace('{"a": 1}', '{"b": 2,\n "a": 1}'), one, check)
    assert made is not None
    assert made.expected == '{"a": 1, "b": 2}'
    with pytest.raises(
        FormError, match="line 8: schema: a: 'x' is not of type 'integer'; to be rid of the row, reject it"
    ):
        read_form(form(one).replace('{"a": 1}', '{"a": "x"}'), one, check)


def test_what_is_wrong_stands_in_the_forms_first_line(tmp_path: Path) -> None:
    one = row(1)
    text = form(one).replace("=== user", "=== usr")
    with pytest.raises(FormError) as caught:
        read_form(text, one)
    noted = marked(text.encode(), caught.value).decode()
    assert noted.splitlines()[0] == "line 5: there is no part 'usr'. Did you mean 'user'?"
    assert noted.splitlines()[1:] == text.splitlines()[1:]
    assert marked(b"=== user\nx", caught.value) == b"=== user\nx"


def test_turns_that_are_not_trained_come_back(tmp_path: Path) -> None:
    turns = ("system", 0), ("user", 0), ("assistant", 0), ("user", 1), ("assistant", 1)
    one = make_example(tuple(Message(role=role, content="a", weight=weight) for role, weight in turns))
    assert read_form(form(one), one) is None
    made = read_form(form(one).replace("\na\n", "\nb\n"), one)
    assert made is not None
    assert [turn.weight for turn in made.messages] == [weight for _, weight in turns]
