"""JSONL, chat and JSON: the hard inputs."""

import json

import pytest

from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data import text as text_module
from tunewright.data.rows import BadFile
from tunewright.data.sources import json as json_source

GOOD = '{"input": "a", "expected": "b", "n": 1}'
DEEP = '{"input": "a", "expected": "b", "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
BAD_ROWS = [
    ('{"input": NaN, "expected": "b"}', "not JSON: NaN is not a JSON number"),
    ('{"input": "a", "expected": -Infinity}', "not JSON: -Infinity is not a JSON number"),
    ('{"input": "a", "expected": 1e999}', "not JSON: the number 1e999 is too large"),
    (
        '{"input": "a", "expected": "b", "x": ' + "9" * 5000 + "}",
        "not JSON: a number of 5000 digits is too large",
    ),
    ('{"input": "a", "input": "c"}', "not JSON: the key 'input' stands twice in one object"),
    (DEEP, "not JSON: it is nested more than 64 deep"),
    (
        '{"input": "a", "expected": "b", "x": ' + "[" * 70 + "]" * 70 + "}",
        "not JSON: it is nested more than 64 deep",
    ),
    ('["a", "b"]', "not an object"),
    ("17", "not an object"),
    ("null", "not an object"),
    ('{"input": "\\ud800", "expected": "b"}', "broken text: half of a surrogate pair stands in the row"),
    (
        '{"input": "a", "expected": "b", "x": "\\udc00"}',
        "broken text: half of a surrogate pair stands in the row",
    ),
    ('{"input": "a\\u0000", "expected": "b"}', "broken text: a NUL character stands in a message"),
    ('{"input": null, "expected": "b"}', "template: it prints a column that is null in this row"),
    ('{"input": "a", "expected": null}', "empty answer: the expected column is blank"),
    ('{"input": "a", "expected": {"b": 1}}', "bad answer: it is JSON, but the task's output is text"),
    (
        '{"input": "a", "label": "b"}',
        "missing column: no 'expected' for 'expected'; the row has input, label",
    ),
    (
        '{"inptu": "a", "expected": "b"}',
        "missing column: no 'input' for 'input'; the row has inptu, expected; did you mean 'inptu'?",
    ),
]


@pytest.mark.parametrize("lines", [False, True], ids=["json", "jsonl"])
@pytest.mark.parametrize(("text", "reason"), BAD_ROWS, ids=[str(at) for at in range(len(BAD_ROWS))])
def test_a_bad_row_is_set_aside_alone(desk, lines, text, reason):
    name = "t.jsonl" if lines else "t.json"
    desk.write(name, f"{GOOD}\n\n{text}\n{GOOD}\n" if lines else f"[{GOOD},\n {text} ,\n{GOOD}]\n")
    got = desk.ingest(name)
    assert [(e.input_text, e.fields) for e in got.examples] == [("a", {"n": 1})] * 2
    ((number, found),) = got.reasons
    assert number == (3 if lines else 2)
    assert found.startswith(reason)
    assert len(got.rejects[0]["raw"]) <= 2000


ARRAYS = [
    f"[{GOOD},\n{GOOD}]",
    *(f"[{GOOD}, {text}, 12e1, -0.5, {GOOD}]" for text, _ in BAD_ROWS if len(text) < 10_000),
    '[{"a": "\\ud83d\\ude00 \\\\\\" é😀", "b": [1.5e-7, true, null, "]}"]}]',
    '[-Infinity, {}, [NaN, "],\\""], [1e999, {}]]',
    '[1, {"a" 1}]',
    "[1, tru]",
    "[12",
    '["abc',
    "[1,]",
    "[1] x",
    ' {"data": [1], "v": 2}',
    '{"a": 1}\n{"a": 2}',
    "\ufeff\ufeff",
    "12.5e1",
    "\ufeff [ ] ",
]


@pytest.mark.parametrize("block", [1, 2, 5, 64])
@pytest.mark.parametrize("written", ARRAYS)
def test_where_a_block_of_the_file_ends_plays_no_part(tmp_path, monkeypatch, written, block):
    path = tmp_path / "t.json"
    path.write_text(written, encoding="utf-8", newline="")
    whole = read_to_the_end(path)
    monkeypatch.setattr(text_module, "_BLOCK", block)
    assert read_to_the_end(path) == whole


def read_to_the_end(path):
    """The rows, and what stops the reading."""
    found = []
    try:
        for row in json_source.read(path, "utf-8").rows:
            found.append(row)
    except BadFile as bad:
        found += [bad.message, bad.line, bad.fix]
    return found


def test_jsonl_lines_that_are_no_json(desk):
    fine = '{"input": "é", "expected": "x"}\n'.encode() * 2
    broken = b'\n{\n{"input": "\xff"}\n\0\n{"input": "a"} x\n'
    desk.write("t.jsonl", b"\xef\xbb\xbf" + GOOD.encode() + broken + fine)
    assert desk.ingest("t.jsonl").reasons == [
        (2, "not JSON: Expecting property name enclosed in double quotes at the end"),
        (3, "broken text: byte 0xFF is not utf-8"),
        (4, "broken text: a NUL byte stands in the row"),
        (5, "not JSON: Extra data at character 16"),
    ]


def test_values_that_are_not_texts(desk):
    desk.write("t.jsonl", '{"input": {"a": [1]}, "expected": 3}\n{"input": true, "expected": false}\n')
    got = desk.ingest("t.jsonl", format="jsonl")
    assert [(e.input_text, e.expected) for e in got.examples] == [('{"a": [1]}', "3"), ("true", "false")]


def test_two_megabytes_in_one_line(desk):
    desk.write("t.jsonl", json.dumps({"input": "x" * 2_000_000, "expected": "y"}) + "\n")
    assert len(desk.ingest("t.jsonl").examples[0].input_text) == 2_000_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("  \n", "sources.s: the source has no rows (t.json holds no rows)."),
        ("[]", "sources.s: the source has no rows (t.json holds no rows)."),
        ('{"data": [1], "v": 2}', "t.json: the file holds an object, not an array of rows. Arrays stand under data."),
        (f"{GOOD}\n{GOOD}\n", "t.json: the file holds one JSON value after another, not an array. Set format: jsonl."),
        ("nonsense", "t.json: the file holds no array of rows. Write the rows as [{…}, {…}]."),
        (f"[{GOOD},\n{GOOD} {GOOD}]", "t.json:2: the JSON is broken at column 41: after row 2 comes neither ',' nor ']'."),
        (f"[{GOOD},]", "t.json:1: the JSON is broken at column 42: row 2: Expecting value."),
        (f"[{GOOD}", "t.json:1: the JSON is broken at column 41: after row 1 comes neither ',' nor ']'."),
        (f"[{GOOD}] x", "t.json:1: the JSON is broken at column 43: something follows the array."),
        ("[" * 100_000, "t.json:1: the JSON is broken at column 2: the value that begins here is never closed."),
    ],
)  # fmt: skip
def test_json_files_that_cannot_be_used(desk, content, message):
    desk.write("t.json", content)
    with pytest.raises(DataError) as caught:
        desk.ingest("t.json")
    assert str(caught.value).startswith(message)


def chat(*turns, **more):
    keys = ("role", "content", "weight")
    return json.dumps({"messages": [dict(zip(keys, turn, strict=False)) for turn in turns], **more})


def test_chat_rows_keep_weights_and_other_keys(desk):
    turns = ("user", "hi"), ("assistant", "hello", 0), ("user", "bye"), ("assistant", "goodbye", 1)
    desk.write("t.jsonl", chat(*turns, lang="en") + "\n")
    (example,) = desk.ingest("t.jsonl").examples
    assert [(m.role, m.content, m.weight) for m in example.messages] == [
        ("user", "hi", None),
        ("assistant", "hello", 0),
        ("user", "bye", None),
        ("assistant", "goodbye", 1),
    ]
    assert example.fields == {"lang": "en"}


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_auto_tells_chat_from_tables(desk, name):
    line = chat(("user", "hi"), ("assistant", "hello"))
    desk.write(name, line + "\n" if name == "t.jsonl" else f"[{line}]")
    assert desk.ingest(name).examples[0].expected == "hello"


def test_a_system_message_that_repeats_the_tasks_is_left_out(desk):
    lines = [chat(("system", s), ("user", "hi"), ("assistant", "yo")) for s in ("Be kind.\n", "Be rude.")]
    desk.write("t.jsonl", "\n".join(lines))
    got = desk.ingest("t.jsonl", TaskSpec(system="Be kind."))
    roles = [[message.role for message in example.messages] for example in got.examples]
    assert roles == [["user", "assistant"], ["system", "user", "assistant"]]


def test_chat_rows_that_cannot_be_used(desk):
    user, answer = ("user", "q"), ("assistant", "a")
    rows = [
        '{"text": 1}',
        '{"messages": {}}',
        chat(answer),
        chat(user, answer, user),
        chat(("human", "q"), answer),
        chat(("user", None), answer),
        chat(user, ("assistant", "a", 2)),
        chat(user, ("assistant", " ")),
        chat(("user", ""), answer),
        '{"messages": [1, 2]}',
        chat(user, answer),
    ]
    desk.write("t.jsonl", "\n".join(rows))
    got = desk.ingest("t.jsonl", format="chat")
    assert [reason for _, reason in got.reasons] == [
        "missing column: the row has no 'messages'; it has text",
        "bad messages: 'messages' must be an array of at least a user's and an assistant's message",
        "bad messages: 'messages' must be an array of at least a user's and an assistant's message",
        "bad messages: the last message is the user's, not the assistant's",
        "bad messages: messages[0].role is 'human'; roles are system, developer, user, assistant, tool",
        "bad messages: messages[0].content is null, not a text",
        "bad messages: messages[1].weight is 2, not a number from 0 to 1",
        "empty answer: the expected column is blank",
        "empty input: the user's message is blank",
        "bad messages: messages[0] is a number, not an object",
    ]
    assert len(got.examples) == 1
