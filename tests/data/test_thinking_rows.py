"""Thinking beside answers in rows of messages: refused, left out, or put into the text, as the source says."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tunewright.core.example import ask
from tunewright.core.task import TaskSpec
from tunewright.data.forms import FormSpec, convert
from tunewright.data.ingest import IngestError, inspect_sources
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk
from tunewright.data.spec import SourceSpec
from tunewright.data.thinking import Thoughts, before

U = {"role": "user", "content": "Q"}
KEYS = (
    *("reasoning_content", "reasoning", "reasoning_details", "thinking"),
    *("thinking_blocks", "thoughts", "thought"),
)
THOUGHT = "<think>\nHm.\n</think>\n\n"


def answer(
    text: Any = "A", thought: Any = "Hm.", key: str = "reasoning_content", **more: Any
) -> dict[str, Any]:
    return {"role": "assistant", "content": text, key: thought, **more}


def inlined(row: dict[str, Any]) -> Any:
    return talk(row, {}, Thoughts("inline"))


def ingested(desk: Any, *rows: dict[str, Any], **spec: Any) -> Any:
    desk.write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return desk.ingest("t.jsonl", **spec)


@pytest.mark.parametrize("key", KEYS)
def test_without_a_word_of_it_such_rows_are_rejects(desk: Any, key: str) -> None:
    rows = [{"messages": [U, answer(key=key)]}, {"messages": [U, {**U, "role": "assistant"}]}]
    for form in ({}, {"form": "openai"}):
        assert ingested(desk, *rows, **form).reasons == [
            (
                1,
                f"not carried: messages[1].{key} is thinking beside the answer; set thinking beside the file's path: inline"
                " puts it into the text, drop leaves it out",
            )
        ]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", [{}, {"form": "openai"}, {"form": "trl"}])
def test_inline_puts_it_before_the_answer(desk: Any, key: str, form: dict[str, str]) -> None:
    found = ingested(desk, {"messages": [U, answer(key=key, id=7)], "topic": "t"}, thinking="inline", **form)
    (row,) = found.examples
    assert row.messages == ask("Q", THOUGHT + "A")
    assert row.fields == {"topic": "t", "turn_fields": {"messages[1]": {"id": 7}}}
    assert (row.origin.file, row.origin.row) == ("t.jsonl", 1)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("thought", ["Hm.", ["Hm."], {"text": "Hm."}])
def test_drop_leaves_it_out_whatever_it_is(desk: Any, key: str, thought: Any) -> None:
    for form in ({}, {"form": "openai"}):
        found = ingested(desk, {"messages": [U, answer("A", thought, key)]}, thinking="drop", **form)
        assert [(row.messages, row.fields) for row in found.examples] == [(ask("Q", "A"), {})]


def test_the_rows_are_counted_by_what_became_of_it(desk: Any) -> None:
    """Rows, not turns; rejects and rows without any are not among them."""
    two = {"messages": [U, answer(), U, answer("B", "So.")]}
    rows = [two, {"messages": [U, {"role": "assistant", "content": "A"}]}, {"messages": [U, answer(), U]}]
    for how in ("drop", "inline"):
        found = ingested(desk, *rows, thinking=how)
        assert (found.summary.examples, found.summary.rejects) == (2, 1)
        assert found.summary.sources["s"].thinking == {how: 1}
    assert ingested(desk, rows[1], thinking="drop").summary.sources["s"].thinking == {}


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        ({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A", "thinking": "Hm."}]},
         {"form": "sharegpt"}),
        ({"messages": [{"who": "me", "said": "Q"}, {"who": "it", "said": "A", "cot": "Hm."}]},
         {"form": {"name": "chat_template", "message_keys": {"role": "who", "content": "said", "thinking": "cot"},
                   "roles": {"me": "user", "it": "assistant"}}}),
        ({"prompt": [U], "completion": [answer()]}, {}),
        ({"prompt": [U], "completion": [answer()]}, {"form": "trl"}),
        ({"prompt": [U], "completion": [answer()], "label": True}, {"form": "trl"}),
        ({"messages": [U, answer([{"type": "text", "text": "A"}])]}, {}),
    ],
)  # fmt: skip
def test_rows_of_every_tool(desk: Any, row: dict[str, Any], spec: dict[str, Any]) -> None:
    for how, said in (("inline", THOUGHT + "A"), ("drop", "A")):
        (found,) = ingested(desk, row, thinking=how, **spec).examples
        assert found.messages == ask("Q", said)
        assert "turn_fields" not in found.fields


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        ({"chosen": [U, answer()], "rejected": [U, answer("B", "Eh.")]}, {}),
        ({"chosen": [U, answer()], "rejected": [U, answer("B", "Eh.")]}, {"form": "trl"}),
        ({"chosen": [U, answer()], "rejected": [U, answer("B", "Eh.")]}, {"form": "dpo.argilla_chat"}),
        ({"prompt": "Q", "chosen": [answer()], "rejected": [answer("B", "Eh.")]}, {}),
        ({"messages": [U, answer()], "rejected": [answer("B", "Eh.")]}, {}),
        (
            {
                "input": {"messages": [U]},
                "preferred_output": [answer()],
                "non_preferred_output": [answer("B", "Eh.")],
            },
            {},
        ),
        (
            {
                "input": {"messages": [U]},
                "preferred_output": [answer()],
                "non_preferred_output": [answer("B", "Eh.")],
            },
            {"form": "openai"},
        ),
    ],
)
def test_both_sides_of_a_pair(desk: Any, row: dict[str, Any], spec: dict[str, Any]) -> None:
    (found,) = ingested(desk, row, thinking="inline", **spec).examples
    assert (found.messages, found.rejected) == (ask("Q", THOUGHT + "A"), "<think>\nEh.\n</think>\n\nB")
    (found,) = ingested(desk, row, thinking="drop", **spec).examples
    assert (found.messages, found.rejected) == (ask("Q", "A"), "B")


def test_pairs_whose_earlier_thinking_differs_do_not_go_on_from_the_same() -> None:
    first, other = ([U, answer("So", thought), U, answer()] for thought in ("Hm.", "Eh."))
    row = {"chosen": first, "rejected": other}
    with pytest.raises(BadRow, match="the two answers do not follow the same messages"):
        inlined(row)
    with pytest.raises(BadRow, match="the two answers do not follow the same messages"):
        convert(row, FormSpec(name="trl"), "inline")
    assert talk(row, {}, Thoughts("drop")).rejected == "A"


def test_beside_a_call_of_a_tool() -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": "{}"}}
    tools = [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    ]
    turns = [
        U,
        answer(None, tool_calls=[call]),
        {"role": "tool", "content": "1", "tool_call_id": "c1"},
        answer("1"),
    ]
    for made in (
        {"messages": turns, "tools": tools},
        convert({"messages": turns, "tools": tools}, FormSpec(name="openai"), "inline"),
    ):
        found = inlined(made).messages
        assert [turn.content for turn in found] == ["Q", THOUGHT, "1", THOUGHT + "1"]
        assert found[1].tool_calls[0].function.name == "f"


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        (answer("A", [{"type": "thinking"}], "thinking_blocks"),
         "not carried: messages[1].thinking_blocks is thinking that is no plain text (blocks of it, say), and only such can"
         " go into the answer; thinking: drop leaves it out"),
        (answer("A", "Hm.", reasoning="Eh."),
         "not carried: reasoning_content and reasoning of messages[1] say different things; thinking: drop leaves both out"),
        (answer("<think>\n\n</think>\n\nA"),
         "not carried: messages[1] has <think> in its text and thinking beside it; thinking: drop leaves out what is beside"
         " it"),
        (answer("A", "Hm.</think>"),
         "not carried: messages[1] has <think> in its text and thinking beside it; thinking: drop leaves out what is beside"
         " it"),
        (answer(" "), "empty answer: messages[1] has thinking and says nothing"),
        (answer([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "A"}]),
         "not carried: messages[1].content has parts that are thinking; beside the file's path thinking: drop leaves them"
         " out"),
    ],
)  # fmt: skip
def test_what_cannot_go_into_the_text(turn: dict[str, Any], why: str) -> None:
    for read in (inlined, lambda row: convert(row, FormSpec(name="openai"), "inline")):
        with pytest.raises(BadRow) as caught:
            read({"messages": [U, turn]})
        assert str(caught.value) == why


def test_only_an_assistants_goes_into_the_text() -> None:
    row = {"messages": [{**U, "thoughts": "Hm."}, {"role": "assistant", "content": "A"}]}
    with pytest.raises(
        BadRow, match=r"messages\[0\]\.thoughts is thinking of the user; thinking: drop leaves it out"
    ):
        inlined(row)
    assert talk(row, {}, Thoughts("drop")).messages == ask("Q", "A")


def test_parts_that_are_thinking() -> None:
    parts = [{"type": "thinking", "thinking": "Hm.", "signature": "x"}, {"type": "text", "text": "A"}]
    row = {"messages": [U, {"role": "assistant", "content": parts}]}
    thoughts = Thoughts("drop")
    assert talk(row, {}, thoughts).messages == ask("Q", "A")
    assert thoughts.found
    assert convert(row, FormSpec(name="openai"), "drop")["messages"] == [
        U,
        {"role": "assistant", "content": "A"},
    ]
    for read in (lambda: talk(row, {}), lambda: convert(row, FormSpec(name="openai"))):
        with pytest.raises(
            BadRow, match=r"messages\[1\]\.content has parts that are thinking; beside the file's path"
        ):
            read()


@pytest.mark.parametrize("nothing", ["", " \n", [], None, {}])
def test_what_says_nothing_is_no_thinking(nothing: Any) -> None:
    for how in (None, "drop", "inline"):
        thoughts, aside = Thoughts(how), dict[str, Any]()
        assert talk({"messages": [U, answer("A", nothing)]}, aside, thoughts).messages == ask("Q", "A")
        assert (thoughts.found, aside) == (False, {})


def test_the_same_thinking_under_two_keys_is_one() -> None:
    assert inlined({"messages": [U, answer("A", "Hm.\n", reasoning="Hm.")]}).messages == ask(
        "Q", THOUGHT + "A"
    )


def test_its_lines_and_blanks_stay() -> None:
    """Line ends around it and before the answer are the template's; all else is kept."""
    assert before("\n  A", "  1.\n\n 2. ", calls=False, where="m") == "<think>\n  1.\n\n 2. \n</think>\n\n  A"


def test_where_it_can_be_of_no_use_the_setting_is_refused(desk: Any) -> None:
    desk.write("t.csv", "input,expected\nQ,A\n")
    desk.write("a.jsonl", json.dumps({"instruction": "Q", "output": "A"}) + "\n")
    way_out = (
        "Leave out thinking: for this source, or set format: chat or form: where its rows are conversations."
    )
    for spec, why in (
        (SourceSpec(path="t.csv", thinking="drop"), "its rows are no conversations"),
        (SourceSpec(path="a.jsonl", form="alpaca", thinking="drop"), "rows of the form alpaca have no turns"),
    ):
        (problem,) = inspect_sources({"s": spec}, TaskSpec(), desk.root, reject_budget=0)
        assert (problem.message, problem.fix) == (
            f"{why}, and no thinking stands beside their answers.",
            way_out,
        )
    for spec in ({"format": "chatgpt"}, {"format": "slack"}, {"format": "traces"}, {"roles": {"*": "user"}}):
        with pytest.raises(ValidationError, match="come without thinking, so leave out thinking"):
            SourceSpec(path="a.json", thinking="drop", **spec)


def test_an_answer_in_a_schema_cannot_think(desk: Any) -> None:
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": {"enum": ["yes", "no"]}}})
    rows = [{"messages": [U, answer('"yes"')]}]
    assert ingested(desk, *rows, thinking="drop", task=task).examples[0].expected == '"yes"'
    with pytest.raises(
        IngestError, match=r"not JSON.*; thinking: inline puts thinking before it, and drop leaves it out"
    ):
        ingested(desk, *rows, thinking="inline", task=task, budget=0.0)
