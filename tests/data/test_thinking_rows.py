"""Thinking beside answers in rows of messages: refused, left out, or put into the text, as the source says."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tunewright.core.example import ask
from tunewright.core.task import TaskSpec
from tunewright.core.trace import Trace
from tunewright.data.forms import FormSpec, convert
from tunewright.data.ingest import ingest, inspect_sources
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk
from tunewright.data.spec import SourceSpec
from tunewright.data.thinking import Thoughts, before

U = {"role": "user", "content": "Q"}
KEYS = (
    *("reasoning_content", "reasoning", "reasoning_details", "thinking"),
    *("thinking_blocks", "thoughts", "thought"),
)
GOOD = {"messages": [U, {"role": "assistant", "content": '"yes"'}]}
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
                f"not carried: messages[1].{key} is thinking beside the answer; take it out, or set thinking for the source"
                " or suite: inline puts it into the text, drop leaves it out",
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
        *((answer("A", blocks, "thinking_blocks"),
           "not carried: messages[1].thinking_blocks is thinking that is no plain text (blocks of it, say), and only such"
           " can go into the answer; thinking: drop leaves it out")
          for blocks in ([{"type": "redacted_thinking", "data": "x"}], [{"thinking": "H"}, {"thinking": "m."}], [["Hm."]])),
        (answer("A", "Hm.", reasoning="Eh."),
         "not carried: reasoning_content and reasoning of messages[1] say different things; thinking: drop leaves both out"),
        (answer("<think>\n\n</think>\n\nA"),
         "not carried: messages[1] has <think> in its text, beside thinking of its own; thinking: drop leaves it out"),
        (answer("Write </think> in HTML"),
         "not carried: messages[1] has </think> in its text, beside thinking of its own; thinking: drop leaves it out"),
        (answer("A", "Hm.</think>"),
         "not carried: messages[1] has </think> in its thinking, beside thinking of its own; thinking: drop leaves it out"),
        (answer(" "), "empty answer: messages[1] has thinking and says nothing"),
        (answer([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "A"}], "Eh."),
         "not carried: reasoning_content and content of messages[1] say different things; thinking: drop leaves both out"),
        (answer([{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "A"}], ""),
         "not carried: messages[1].content has parts that are thinking and not one plain text, and only such can go into the"
         " answer; thinking: drop leaves it out"),
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
            BadRow,
            match=r"messages\[1\]\.content has parts that are thinking; take it out, or set thinking for",
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


@pytest.mark.parametrize(
    "more",
    [
        {
            "reasoning": "Hm.",
            "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "signature": None}],
        },
        {"reasoning_content": "Hm.", "thinking_blocks": [{"type": "thinking", "thinking": "Hm."}]},
        {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
        {
            "reasoning": "Hm.",
            "reasoning_details": [{"text": "H"}, {"type": "reasoning.encrypted"}, {"text": "m."}],
        },
        {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "x"}]},
        {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "A"}]},
        {"content": [{"type": "reasoning", "value": "Hm."}, {"type": "text", "text": "A"}], "thought": "Hm."},
    ],
)
def test_blocks_and_parts_of_one_text_are_that_text(desk: Any, more: dict[str, Any]) -> None:
    row = {"messages": [U, {"role": "assistant", "content": "A", **more}]}
    for form in ({}, {"form": "openai"}):
        (found,) = ingested(desk, row, thinking="inline", **form).examples
        assert found.messages == ask("Q", THOUGHT + "A")


def test_a_part_that_says_nothing_is_no_thinking_and_a_users_is_not_taken(desk: Any) -> None:
    parts = [{"type": "thinking", "thinking": ""}, {"type": "text", "text": "A"}]
    found = ingested(desk, {"messages": [U, {"role": "assistant", "content": parts}]})
    assert (found.examples[0].messages, found.summary.sources["s"].thinking) == (ask("Q", "A"), {})
    asked = {"role": "user", "content": [{"type": "reasoning", "text": "Hm."}, {"type": "text", "text": "Q"}]}
    found = ingested(desk, {"messages": [asked, U | {"role": "assistant"}]}, GOOD, thinking="drop")
    assert found.reasons == [
        (1, "bad messages: messages[0].content[0] is 'reasoning'; of content in parts only texts are read")
    ]


@pytest.mark.parametrize("form", [{}, {"form": "trl"}])
def test_a_prompt_beside_whole_conversations_that_alone_thinks(desk: Any, form: dict[str, str]) -> None:
    """It is in no text that is trained: it can be left out, and counted, and not put there."""
    plain = [U, {"role": "assistant", "content": "x"}, U]
    row = {
        "prompt": [U, answer("x"), U],
        "chosen": [*plain, {"role": "assistant", "content": "A"}],
        "rejected": [*plain, {"role": "assistant", "content": "B"}],
    }
    said = "not carried: prompt has thinking that its answers' conversations have not; thinking: drop leaves it out"
    assert ingested(desk, row, GOOD, thinking="inline", **form).reasons == [(1, said)]
    answers = {key: [*plain, answer("A", key)] for key in ("chosen", "rejected")}
    assert ingested(desk, {**row, **answers}, GOOD, thinking="inline", **form).reasons == [(1, said)]
    found = ingested(desk, row, thinking="drop", **form)
    assert (len(found.examples), found.summary.sources["s"].thinking) == (1, {"drop": 1})
    assert ingested(desk, row, GOOD, **form).reasons[0][0] == 1
    within = {key: [U, answer("x"), U, turns[-1]] for key, turns in row.items() if key != "prompt"}
    (both,) = ingested(desk, {**row, **within}, thinking="inline", **form).examples
    assert both.messages[1].content == THOUGHT + "x"


def test_parts_of_a_strange_kind_are_rejects(desk: Any) -> None:
    parts = [{"type": ["thinking"], "thinking": "Hm."}, {"type": "text", "text": "A"}]
    for form in ({}, {"form": "openai"}):
        found = ingested(
            desk, {"messages": [U, {"role": "assistant", "content": parts}]}, GOOD, thinking="drop", **form
        )
        assert [row for row, _ in found.reasons] == [1]


def test_what_is_left_out_beside_the_text_is_left_out_of_it_too(desk: Any) -> None:
    """And nothing else: what a text says by itself stays, whatever is left out beside it."""
    blocks = [{"type": "thinking", "thinking": "a"}, {"type": "thinking", "thinking": "b"}]
    rows = [
        answer(THOUGHT + "A"),
        answer("<think>\na\nb\n</think>\n\nA", blocks, "thinking_blocks"),
        answer(THOUGHT + "A", "Eh."),
        answer("Write <think>."),
    ]
    found = ingested(desk, *({"messages": [U, row]} for row in rows), thinking="drop")
    assert [row.expected for row in found.examples] == ["A", "A", THOUGHT + "A", "Write <think>."]
    assert found.summary.sources["s"].thinking == {"drop": 4}


def test_logs_leave_it_out_and_count_it_unless_it_is_said_otherwise(desk: Any) -> None:
    asked = {"model": "m", "messages": [U]}
    choice = {"index": 0, "finish_reason": "stop", "message": answer()}
    response = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    about = {"id": "t1", "time": "2026-01-02T03:04:05Z", "variant": "v", "release": "r@1"}
    row = json.loads(Trace(**about, request=asked, response=response).line())
    for more, said, count in (
        ({}, "A", {"drop": 1}),
        ({"thinking": "drop"}, "A", {"drop": 1}),
        ({"thinking": "inline"}, THOUGHT + "A", {"inline": 1}),
    ):
        found = ingested(desk, row, format="traces", **more)
        assert [one.expected for one in found.examples] == [said]
        assert found.summary.sources["s"].thinking == count


@pytest.mark.parametrize("workers", [1, 2])
def test_the_count_is_the_same_in_several_processes(desk: Any, workers: int) -> None:
    turns = [json.dumps([U | {"content": "Q" * 200}, answer()]), json.dumps([U, U | {"role": "assistant"}])]
    lines = [f'{{"messages": {turns[at % 3 // 2]}}}\n' for at in range(30_000)]
    desk.write("t.jsonl", "".join(lines))
    spec = {"s": SourceSpec(path="t.jsonl", thinking="drop")}
    found = ingest(spec, TaskSpec(), desk.root, desk.root / "out", reject_budget=0, workers=workers)
    assert found.sources["s"].thinking == {"drop": 20_000}


def test_its_lines_and_blanks_stay() -> None:
    """Line ends around it and before the answer are the template's; all else is kept."""
    assert before("\n  A", "  1.\n\n 2. ", calls=False, where="m") == "<think>\n  1.\n\n 2. \n</think>\n\n  A"


def test_where_it_can_be_of_no_use_the_setting_is_refused(desk: Any) -> None:
    desk.write("t.csv", "input,expected\nQ,A\n")
    desk.write("a.jsonl", json.dumps({"instruction": "Q", "output": "A"}) + "\n")
    way_out = (
        "Leave out thinking here, or say of which form the rows are where they are conversations (form: openai, …). "
        "Where a source's other files hold such, give its files as two sources."
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
    for spec in ({"format": "chatgpt"}, {"format": "slack"}, {"roles": {"*": "user"}}):
        with pytest.raises(ValidationError, match="are read without thinking, so leave out thinking"):
            SourceSpec(path="a.json", thinking="drop", **spec)


def test_an_answer_in_a_schema_cannot_think(desk: Any) -> None:
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": {"enum": ["yes", "no"]}}})
    rows = [{"messages": [U, answer('"yes"')]}]
    assert ingested(desk, *rows, thinking="drop", task=task).examples[0].expected == '"yes"'
    worse = {"rejected": [answer('"no"')]}
    for row, forms in (
        (rows[0], ({}, {"form": "openai"})),
        ({"messages": [U, answer("no")]}, ({}, {"form": "openai"})),
        ({**rows[0], "label": False}, ({},)),
        ({**GOOD, **worse}, ({},)),
        ({"prompt": "Q", "chosen": GOOD["messages"][1:], **worse}, ({}, {"form": "trl"})),
    ):
        for form in forms:
            found = ingested(desk, row, GOOD, thinking="inline", task=task, **form)
            assert [why for _, why in found.reasons] == [
                "not carried: the task's answers are held to a schema, which has no place for the thinking that inline puts"
                " before them; thinking: drop leaves it out"
            ]
    turns = [U, answer("Tell me."), U, {"role": "assistant", "content": "no"}]
    own = {**GOOD, "rejected": THOUGHT + "no"}
    assert ingested(desk, own, thinking="inline", task=task).examples[0].rejected == THOUGHT + "no"
    found = ingested(desk, {"messages": turns}, GOOD, thinking="inline", task=task)
    assert "thinking" not in found.reasons[0][1]  # it is the last answer that is no JSON by itself
