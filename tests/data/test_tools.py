"""Rows with tools, calls and tools' answers, per-message `train` and `weight`: what is read, and what is set aside."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from worked import worked

from tunewright.core.example import ask, make_example
from tunewright.core.message import Function, Message, ToolCall, tools_of
from tunewright.core.task import TaskSpec
from tunewright.data.examples import from_lines, to_line
from tunewright.data.normal import input_key, keys_of
from tunewright.data.ops.max_chars import MaxChars
from tunewright.generate.prompted import Prompted

TOOL = {
    "type": "function",
    "function": {
        "name": "find",
        "parameters": {"type": "object", "properties": {"what": {"type": "string"}}},
    },
}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"what":"é"}'}}
SEEK = {**TOOL, "function": {**TOOL["function"], "name": "seek"}}
ASK = {"role": "user", "content": "Where is é?"}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
FOUND = {"role": "tool", "tool_call_id": "c1", "content": "In Prague."}
SAYS = {"role": "assistant", "content": "It is in Prague."}
CALLED = Message(
    role="assistant",
    content="",
    tool_calls=(ToolCall(id="c1", function=Function(name="find", arguments='{"what": "é"}')),),
)


def ingested(desk, *rows: dict[str, Any]) -> Any:
    desk.write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return desk.ingest("t.jsonl", format="chat")


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASK, CALLS, FOUND, SAYS], "tools": [TOOL]},
        {"messages": [ASK, CALLS, FOUND, SAYS], "tools": json.dumps([TOOL])},
        {"prompt": [ASK], "completion": [CALLS, FOUND, SAYS], "tools": [TOOL["function"]]},
        {"prompt": [ASK, CALLS, FOUND], "chosen": [SAYS], "rejected": "No.", "tools": [TOOL]},
        {
            "input": {"messages": [ASK, CALLS, FOUND], "tools": [TOOL]},
            "preferred_output": [SAYS],
            "non_preferred_output": [{"role": "assistant", "content": "No."}],
        },
    ],
)
def test_tools_in_every_shape(desk, row: dict[str, Any]) -> None:
    (example,) = ingested(desk, {**row, "lang": "cs"}).examples
    assert json.loads(tools_of(example.messages)) == [TOOL]
    assert example.messages[1:3] == (
        CALLED,
        Message(role="tool", content="In Prague.", tool_call_id="c1"),
    )
    assert example.fields == {"lang": "cs"}
    assert from_lines(to_line(example), "here") == [example]
    assert json.loads(to_line(example))["messages"][1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"what": "é"}'}}
        ],
    }


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"name": "find", "arguments": {"what": "é"}}},
        {"type": "function", "function": {"name": "find", "arguments": '{ "what" : "\\u00e9" }'}},
        {"name": "find", "arguments": {"what": "é"}},
        {"type": "function", "index": 0, "function": {"name": "find", "parameters": {"what": "é"}}},
        {"name": "find", "parameters": '{"what": "é"}', "arguments": None, "function": None, "args": None},
    ],
)
def test_a_call_has_one_form(desk, call: dict[str, Any]) -> None:
    (example,) = ingested(desk, {"messages": [ASK, {"role": "assistant", "tool_calls": [call]}]}).examples
    assert example.messages[-1].tool_calls == (
        ToolCall(function=Function(name="find", arguments='{"what": "é"}')),
    )
    assert example.expected == '{"name": "find", "arguments": {"what": "é"}}'


def two_calls() -> dict[str, Any]:
    return {**CALLS, "tool_calls": [CALL, {**CALL, "id": "c2"}]}


def calling(**function: Any) -> dict[str, Any]:
    return {"messages": [ASK, {"role": "assistant", "tool_calls": [{"function": function}]}, FOUND, SAYS]}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (calling(arguments="{}"), "bad messages: messages[1].tool_calls[0] names no function"),
        (
            calling(name="find", arguments="{what: 1}"),
            "bad messages: messages[1].tool_calls[0].arguments is not JSON: Expecting property name",
        ),
        (
            calling(name="find", arguments="[1]"),
            "bad messages: messages[1].tool_calls[0].arguments is an array, not an object",
        ),
        (
            calling(name="find", arguments={"what": "\0"}),
            "broken text: a NUL character stands in messages[1].tool_calls[0].arguments",
        ),
        (
            calling(name="find"),
            "bad messages: message 3 answers the call 'c1', which no message before it makes",
        ),
        (
            {"messages": [ASK, {**SAYS, "tool_calls": {"name": "find"}}]},
            "bad messages: messages[1].tool_calls is an object, not a list of calls",
        ),
        (
            {"messages": [{**ASK, "tool_calls": [CALL]}, SAYS]},
            "bad messages: messages[0].tool_calls stands in a message of the user",
        ),
        (
            {"messages": [{**ASK, "tool_call_id": "c1"}, SAYS]},
            "bad messages: messages[0].tool_call_id stands in a message of the user, not of a tool",
        ),
        ({"messages": [ASK, SAYS], "tools": "find"}, "bad tools: 'tools' is not JSON: Expecting value"),
        (
            {"messages": [ASK, SAYS], "tools": TOOL},
            "bad tools: 'tools' is an object, not a list of functions",
        ),
        ({"messages": [ASK, SAYS], "tools": ["find"]}, "bad tools: tools[0] is no function with a name"),
        (
            {"messages": [ASK, SAYS], "tools": [{"type": "web_search"}]},
            "bad tools: tools[0].type is 'web_search', not 'function'",
        ),
        (
            {"messages": [ASK, SAYS], "tools": [{"type": "custom", "name": "grep", "format": {}}]},
            "bad tools: tools[0].type is 'custom', not 'function'",
        ),
        (
            {"messages": [ASK, SAYS], "tools": [{"name": "find", "parameters": "abc"}]},
            "bad tools: tools[0].parameters is a text, not an object",
        ),
        (
            {"messages": [ASK, SAYS], "tools": [TOOL, TOOL["function"]]},
            "bad tools: two tools are called 'find'",
        ),
        (
            {"messages": [ASK, SAYS], "functions": [TOOL["function"]]},
            "bad tools: 'functions' stands beside the messages; rename it to 'tools'",
        ),
        (
            {
                "input": {"messages": [ASK], "tools": [TOOL]},
                "tools": [SEEK],
                "preferred_output": [SAYS],
                "non_preferred_output": [{"role": "assistant", "content": "No."}],
            },
            "bad tools: the row's tools are others than those of its 'input'",
        ),
        (
            {"messages": [ASK, CALLS], "tools": [SEEK]},
            "bad messages: message 2 calls 'find', which is none of the row's tools (seek)",
        ),
        (
            calling(name="find", args={"what": "é"}),
            "bad messages: messages[1].tool_calls[0].function has args; a call has id, type and function,",
        ),
        (
            {"messages": [ASK, {"role": "assistant", "tool_calls": [{"name": "find", "args": {}}]}]},
            "bad messages: messages[1].tool_calls[0] has args; a call has id, type and function, and that",
        ),
        (
            {
                "messages": [
                    ASK,
                    {"role": "assistant", "tool_calls": [{"function": {"name": "find"}, "arguments": {}}]},
                ]
            },
            "bad messages: messages[1].tool_calls[0] has arguments; a call has id, type and function, and",
        ),
        (
            calling(name="find", arguments={}, parameters={"what": "é"}),
            "bad messages: messages[1].tool_calls[0] has both arguments and parameters",
        ),
        (
            calling(name="find", parameters=[1]),
            "bad messages: messages[1].tool_calls[0].parameters is an array, not an object",
        ),
        (
            calling(name="fi\0nd", arguments={}),
            "broken text: a NUL character stands in messages[1].tool_calls[0].name",
        ),
        (
            {"messages": [ASK, {"role": "assistant", "tool_calls": [{**CALL, "id": "c\0"}]}]},
            "broken text: a NUL character stands in messages[1].tool_calls[0].id",
        ),
        (
            {"messages": [ASK, CALLS, {**FOUND, "name": "\0"}, SAYS]},
            "broken text: a NUL character stands in messages[2].name",
        ),
        (
            {"messages": [ASK, {"role": "assistant", "tool_calls": [CALL, CALL]}]},
            "bad messages: two calls of messages[1].tool_calls have the id 'c1'",
        ),
        (
            {"messages": [ASK, two_calls(), {**FOUND, "tool_call_id": "c2"}, FOUND, SAYS]},
            "bad messages: message 4 answers the call 'c1' out of turn; answers come in the order of the calls",
        ),
        (
            {"messages": [ASK, CALLS, FOUND, FOUND, SAYS]},
            "bad messages: message 4 answers the call 'c1' out of turn; answers come in the order of the calls",
        ),
        (
            {"messages": [ASK, CALLS, FOUND, {"role": "tool", "content": "In Brno."}, SAYS]},
            "bad messages: message 4 answers a call out of turn; answers come in the order of the calls",
        ),
        (
            {"prompt": [ASK], "chosen": [SAYS], "rejected": [CALLS]},
            "bad pair: the worse answer calls a tool, and only a text can be the worse answer",
        ),
        ({"messages": [ASK, {**SAYS, "weight": -0.5}]}, "bad messages: messages[1].weight is -0.5, not a"),
        (
            {"messages": [ASK, {**SAYS, "weight": 1e-60}]},
            "bad messages: messages[1].weight is 1e-60; the least but 0 is 0.001",
        ),
        (
            {"messages": [{**ASK, "weight": 0.5}, SAYS]},
            "bad messages: messages[0].weight is 0.5, and only the assistant's messages count by a part",
        ),
        ({"messages": [ASK, {**SAYS, "weight": True}]}, "bad messages: messages[1].weight is True, not a"),
        ({"messages": [ASK, {**SAYS, "train": 1}]}, "bad messages: messages[1].train is 1, not true or"),
        (
            {"messages": [ASK, {**SAYS, "train": True, "weight": 1}]},
            "bad messages: messages[1] has both weight and train",
        ),
        (
            {"messages": [{**ASK, "train": True}, SAYS]},
            "bad messages: messages[0].train is true, and only the assistant's messages are trained",
        ),
        (
            {"messages": [{**ASK, "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, SAYS]},
            "bad messages: messages[0].content[0] is 'image_url'; of content in parts only texts are read",
        ),
        (
            {"messages": [ASK, {**SAYS, "function_call": {"name": "find"}}]},
            "not carried: messages[1].function_call holds tools or calls in a way that is not read",
        ),
    ],
)
def test_what_is_set_aside(desk, row: dict[str, Any], reason: str) -> None:
    ((number, said),) = ingested(desk, {"messages": [ASK, SAYS]}, row).reasons
    assert (number, said[: len(reason)]) == (2, reason)


@pytest.mark.parametrize(
    "tool",
    [
        TOOL["function"],
        {"type": "function", **TOOL["function"]},
        {"type": None, **TOOL["function"]},
        {"type": None, "function": TOOL["function"]},
    ],
)
def test_a_tool_has_one_form(desk, tool: dict[str, Any]) -> None:
    bare = {"name": "now", "parameters": None}
    (example,) = ingested(desk, {"messages": [ASK, SAYS], "tools": [tool, bare]}).examples
    assert json.loads(tools_of(example.messages)) == [
        TOOL,
        {"type": "function", "function": {"name": "now"}},
    ]


def test_answers_in_the_order_of_the_calls(desk) -> None:
    second = {**FOUND, "tool_call_id": "c2"}
    nameless = {"role": "tool", "content": "In Prague."}
    again = [CALLS, FOUND]  # an id may come back in another turn
    rows = [
        [ASK, two_calls(), FOUND, second, *again, SAYS],
        [ASK, two_calls(), nameless, nameless, *again, SAYS],
        [ASK, two_calls(), second, *again, SAYS],
        [ASK, nameless, SAYS],
    ]
    found = ingested(desk, *({"messages": turns} for turns in rows))
    assert (len(found.examples), found.reasons) == (4, [])


def test_a_field_that_is_called_functions(desk) -> None:
    found = ingested(
        desk,
        {"messages": [ASK, SAYS], "functions": "sales"},
        {"messages": [ASK, CALLS], "tools": [TOOL], "functions": ["sales"]},
    ).examples
    assert [example.fields for example in found] == [{"functions": "sales"}, {"functions": ["sales"]}]


def test_what_other_tools_write_for_nothing(desk) -> None:
    nothing = {"tool_calls": [], "tool_call_id": None, "name": None, "train": None, "refusal": None}
    plain, bare = ingested(
        desk,
        {"messages": [{**ASK, **nothing}, {**SAYS, **nothing}], "tools": []},
        {"messages": [ASK, SAYS]},
    ).examples
    assert plain.messages == bare.messages == ask(ASK["content"], SAYS["content"])
    assert (plain.id, plain.fields) == (bare.id, {})


def test_parts_of_text_are_joined(desk) -> None:
    parts = [{"type": "text", "text": "Where "}, {"type": "text", "text": "is é?"}]
    (example,) = ingested(desk, {"messages": [{**ASK, "content": parts}, SAYS]}).examples
    assert example.input_text == "Where is é?"


def test_train_and_weight(desk) -> None:
    turns = [
        ASK,
        {**SAYS, "train": False},
        ASK,
        {**SAYS, "weight": 0.25},
        ASK,
        {**SAYS, "train": True},
        ASK,
        {**SAYS, "weight": 1.0},
    ]
    (example,) = ingested(desk, {"messages": turns}).examples
    assert [turn.weight for turn in example.messages[1::2]] == [0, 0.25, 1, 1]
    line = to_line(example).decode()
    assert '"weight":0}' in line
    assert '"weight":0.25}' in line
    assert '"weight":1}' in line


def test_rows_of_other_parts_are_no_duplicates(desk) -> None:
    parts = [{"messages": [ASK, {**SAYS, "weight": weight}]} for weight in (0.25, 0.5, 0.25, 1, None)]
    quarter, half, again, whole, plain = ingested(desk, *parts).examples
    for key in (lambda example: keys_of(example).whole, lambda example: example.id):
        assert key(quarter) == key(again)
        assert key(whole) == key(plain)
        assert len({key(example) for example in (quarter, half, whole)}) == 3
    assert input_key(quarter) == input_key(whole)
    assert keys_of(plain).whole.hex()[:12] == "87eb485a33b6"  # as before there were parts


def test_equal_rows_are_told_from_those_with_other_tools_or_calls(desk) -> None:
    with_tool = {"messages": [ASK, CALLS, FOUND, SAYS], "tools": [TOOL]}
    other_call = {**CALLS, "tool_calls": [{**CALL, "function": {"name": "find", "arguments": "{}"}}]}
    rows = [
        with_tool,
        with_tool,
        {**with_tool, "tools": [TOOL, SEEK]},
        {"messages": with_tool["messages"]},
        {**with_tool, "messages": [ASK, other_call, FOUND, SAYS]},
    ]
    first, again, *others = ingested(desk, *rows).examples
    assert first.id == again.id
    every = [first, *others]
    for key in (lambda example: example.id, input_key, lambda example: keys_of(example).whole):
        assert len({key(example) for example in every}) == 4


def test_the_ids_of_rows_without_tools_are_what_they_were() -> None:
    assert make_example(ask("q", "a")).id == "802c07c64a69"
    assert make_example(ask("q", "a", system="s"), rejected="b").id == "ff4503bef4d4"
    assert Message(role="user", content="q").model_dump(mode="json") == {
        "role": "user",
        "content": "q",
        "weight": None,
    }


def test_a_system_message_that_repeats_the_tasks_leaves_its_tools(desk) -> None:
    row = {"messages": [{"role": "system", "content": "Be kind."}, ASK, SAYS], "tools": [TOOL]}
    desk.write("t.jsonl", json.dumps(row) + "\n")
    (example,) = desk.ingest("t.jsonl", TaskSpec(system="Be kind.")).examples
    assert [turn.role for turn in example.messages] == ["user", "assistant"]
    assert json.loads(tools_of(example.messages)) == [TOOL]


def test_a_call_is_held_to_no_schema(desk) -> None:
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": {"required": ["a"]}}})
    desk.write("t.jsonl", json.dumps({"messages": [ASK, CALLS]}) + "\n")
    (example,) = desk.ingest("t.jsonl", task).examples
    assert example.messages[-1] == CALLED


def test_shots_leave_the_questions_own_tools() -> None:
    shot = (Message(role="user", content="1", tools='["a"]'), CALLED)
    asked = (Message(role="user", content="2", tools='["b"]'),)
    prompt = Prompted(None, "Be kind.", [shot]).prompt(asked)
    assert [turn.tools for turn in prompt] == [None, None, None, '["b"]']
    assert tools_of(prompt) == '["b"]'


def test_the_length_of_a_row_counts_tools_and_calls(desk) -> None:
    (example,) = ingested(desk, {"messages": [ASK, CALLS, FOUND, SAYS], "tools": [TOOL]}).examples
    chars = sum(len(turn.content) for turn in example.messages)
    assert worked([MaxChars(chars=chars)], [example]).kept == []
    more = len(json.dumps([TOOL])) + len('{"name": "find", "arguments": {"what": "é"}}')
    assert worked([MaxChars(chars=chars + more)], [example]).kept == [example]


def test_what_parquet_fills_up_is_taken_out(desk) -> None:
    """A struct has all its rows' members, null where a row has none: in tools and arguments they would be learnt."""
    other = {"name": "count", "parameters": {"type": "object", "properties": {"most": {"type": "integer"}}}}
    tools = [TOOL, {"type": "function", "function": other}]
    calls = [CALL["function"] | {"arguments": {"what": "é"}}, {"name": "count", "arguments": {"most": 3}}]
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": each["name"], "function": each} for each in calls],
    }
    found = {**FOUND, "tool_call_id": "find"}
    rows = [{"messages": [ASK, call, found, SAYS], "tools": tools, "lang": None}]
    pq.write_table(pa.Table.from_pylist(rows), desk.root / "t.parquet")
    (example,) = desk.ingest("t.parquet").examples
    assert json.loads(tools_of(example.messages)) == tools
    assert [each.function.arguments for each in example.messages[1].tool_calls] == [
        '{"what": "é"}',
        '{"most": 3}',
    ]
    assert example.fields == {"lang": None}
