"""Rows with a worse answer or a rating: every shape that is read, and what is refused."""

import json
from typing import Any

import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data.audit.audit import audit
from tunewright.data.normal import keys_of
from tunewright.data.ops.drop_contradictions import DropContradictions
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.max_chars import MaxChars
from tunewright.train.methods import kto
from tunewright.train.spec import TrainSpec

ASK, GOOD, BAD = (
    {"role": role, "content": text} for role, text in (("user", "q"), ("assistant", "a"), ("assistant", "b"))
)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"prompt": [ASK], "chosen": [GOOD], "rejected": [BAD]},
        {"chosen": [ASK, GOOD], "rejected": [ASK, BAD]},
        {"prompt": "q", "chosen": [ASK, GOOD], "rejected": [ASK, BAD]},
        {"prompt": "q", "chosen": [ASK, GOOD], "rejected": [ASK, BAD], "messages": [ASK, GOOD]},
        {"messages": [ASK, GOOD], "rejected": "b"},
        {"messages": [ASK, GOOD], "rejected": [BAD]},
        {"input": {"messages": [ASK]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]},
    ],
)
def test_pairs(desk, row: dict[str, Any]) -> None:
    desk.write("t.jsonl", json.dumps({**row, "lang": "en"}) + "\n")
    (example,) = desk.ingest("t.jsonl").examples
    assert (example.input_text, example.expected, example.rejected) == ("q", "a", "b")
    assert (example.fields, example.desirable) == ({"lang": "en"}, True)
    assert example.worse[-1].content == "b"


@pytest.mark.parametrize("label", [1, 0])
def test_a_completion_is_rated_by_numbers_too(desk, label: int) -> None:
    desk.write("t.jsonl", json.dumps({"prompt": "q", "completion": "a", "label": label}) + "\n")
    (example,) = desk.ingest("t.jsonl").examples
    assert (example.desirable, example.fields) == (bool(label), {})


@pytest.mark.parametrize("label", [True, False])
@pytest.mark.parametrize("row", [{"prompt": "q", "completion": "a"}, {"messages": [ASK, GOOD]}])
def test_ratings(desk, row: dict[str, Any], label: bool) -> None:
    desk.write("t.jsonl", json.dumps({**row, "label": label}) + "\n")
    (example,) = desk.ingest("t.jsonl").examples
    assert (example.expected, example.desirable, example.fields) == ("a", label, {})


@pytest.mark.parametrize("label", ["billing", 7])
def test_a_label_that_is_no_rating_is_a_field(desk, label: str | int) -> None:
    desk.write("t.jsonl", json.dumps({"messages": [ASK, GOOD], "label": label}) + "\n")
    (example,) = desk.ingest("t.jsonl").examples
    assert (example.fields, example.desirable, example.rated) == ({"label": label}, True, False)


@pytest.mark.parametrize(
    "said", [("true", "false"), ("Yes", "no"), ("good", "BAD"), (" up ", "down"), ("1", "0")]
)
@pytest.mark.parametrize("name", ["label", "kto_tag"])
@pytest.mark.parametrize("row", [{"prompt": "q", "completion": "a"}, {"messages": [ASK, GOOD]}])
def test_ratings_in_words(desk, row: dict[str, Any], name: str, said: tuple[str, str]) -> None:
    desk.write("t.jsonl", "".join(json.dumps({**row, name: word}) + "\n" for word in said))
    found = desk.ingest("t.jsonl").examples
    assert [(e.desirable, e.rated, e.fields) for e in found] == [(True, True, {}), (False, True, {})]


def test_a_file_whose_ratings_are_written_in_every_way(desk) -> None:
    """None of them is taken for a good answer in silence."""
    plain, chat = {"prompt": "q", "completion": "a"}, {"messages": [ASK, GOOD]}
    rows = [
        {**plain, "label": True},
        {**plain, "label": "false"},
        {**chat, "kto_tag": False},
        plain,
        {**plain, "label": None},
        {**plain, "label": "maybe"},
        {**chat, "label": None},
        {**chat, "kto_tag": "maybe"},
        {**chat, "label": "billing", "kto_tag": True},
        {**chat, "label": "good", "kto_tag": False},
    ]
    desk.write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = desk.ingest("t.jsonl")
    assert [(e.origin.row, e.desirable, e.rated) for e in found.examples] == [
        (1, True, True),
        (2, False, True),
        (3, False, True),
        (4, True, False),
        (9, True, True),
    ]
    assert found.examples[-1].fields == {"label": "billing"}
    ways = "it is true or false, 1 or 0, good or bad"
    assert found.reasons == [
        (5, f"bad rating: 'label' says null; {ways}"),
        (6, f"bad rating: 'label' says 'maybe'; {ways}"),
        (7, f"bad rating: 'label' says null; {ways}"),
        (8, f"bad rating: 'kto_tag' says 'maybe'; {ways}"),
        (10, "bad rating: 'label' and 'kto_tag' say the opposite of each other"),
    ]
    with pytest.raises(DataError, match=r"1 of 5 answers have no rating, and kto would take them") as caught:
        kto.examine(found.examples, TrainSpec(method="kto"))
    assert caught.value.where == "t.jsonl:4"


def test_columns_of_a_table(desk) -> None:
    desk.write("t.csv", "q,yes,no,thumb\n1,a,b,up\n2,c,d,👎\n3,e,,up\n4,g,h,maybe\n")
    columns = {"input": "q", "expected": "yes", "rejected": "no", "desirable": "thumb"}
    found = desk.ingest("t.csv", columns=columns)
    assert [(e.expected, e.rejected, e.desirable, e.fields) for e in found.examples] == [
        ("a", "b", True, {}),
        ("c", "d", False, {}),
    ]
    assert found.reasons == [
        (4, "empty answer: the rejected or badly rated answer is blank"),
        (5, "bad rating: 'thumb' says 'maybe'; it is true or false, 1 or 0, good or bad"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"prompt": "q", "chosen": "a", "rejected": " "},
            "empty answer: the rejected or badly rated answer is blank",
        ),
        (
            {"prompt": "q", "chosen": "a", "rejected": 3},
            "bad messages: 'rejected' is a number, not a text or",
        ),
        (
            {"chosen": [ASK, GOOD], "rejected": [{"role": "user", "content": "other"}, BAD]},
            "bad pair: the two answers do not follow the same messages",
        ),
        ({"chosen": [GOOD], "rejected": [BAD]}, "bad messages: the row has an answer and nothing that asks"),
        (
            {"input": "q", "preferred_output": [ASK], "non_preferred_output": [BAD]},
            "bad messages: the last message",
        ),
        ({"prompt": [], "completion": "a"}, "bad messages: 'prompt' is an array, not a text or a list"),
    ],
)
def test_what_is_set_aside(desk, row: dict[str, Any], reason: str) -> None:
    good = {"prompt": "q", "chosen": "a", "rejected": "b"}
    desk.write("t.jsonl", "".join(json.dumps(each) + "\n" for each in (good, row)))
    ((number, said),) = desk.ingest("t.jsonl", format="chat").reasons
    assert (number, said[: len(reason)]) == (2, reason)


def test_a_pair_differs_in_what_it_says_and_not_in_blanks(desk) -> None:
    schema = {"properties": {"a": {}, "b": {}}}
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": schema}})
    desk.write(
        "t.jsonl", json.dumps({"prompt": "q", "chosen": '{"b":1,"a":2}', "rejected": '{"b":1, "a":3}'}) + "\n"
    )
    (example,) = desk.ingest("t.jsonl", task).examples
    assert (example.expected, example.rejected) == ('{"a": 2, "b": 1}', '{"a": 3, "b": 1}')


def test_only_good_answers_keep_to_the_schema(desk) -> None:
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": {"required": ["a"]}}})
    rows = [
        {"prompt": "q", "chosen": '{"a": 1}', "rejected": "no JSON"},
        {"prompt": "q", "completion": "no JSON", "label": False},
        {"prompt": "q", "completion": "no JSON", "label": True},
    ]
    desk.write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = desk.ingest("t.jsonl", task, format="chat")
    assert [example.expected for example in found.examples] == ['{"a": 1}', "no JSON"]
    assert [number for number, _ in found.reasons] == [3]


def test_a_bad_answer_is_no_duplicate_and_contradicts_nothing(desk) -> None:
    rows = [
        {"prompt": "q", "completion": text, "label": good}
        for text, good in (("a", True), ("b", False), ("a", False))
    ]
    desk.write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    examples = desk.ingest("t.jsonl").examples
    assert len({example.id for example in examples}) == len({keys_of(e).whole for e in examples}) == 3
    assert worked([DropDuplicates()], examples).kept == examples
    assert worked([DropContradictions()], examples).kept == examples
    assert audit({"all": examples}).contradictions == ()


def test_what_badly_rated_answers_play_no_part_in(desk) -> None:
    rows = [
        {"prompt": f"q{i}", "completion": "n/a" if i % 2 else "yes", "label": i % 2 == 0} for i in range(8)
    ]
    desk.write("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = audit({"all": desk.ingest("t.jsonl").examples})
    assert found.findings == ()
    assert [row.value for table in found.labels for row in table.rows] == ["yes"]


def test_max_chars_looks_at_the_longer_answer(desk) -> None:
    desk.write("t.jsonl", json.dumps({"prompt": "q", "chosen": "a", "rejected": "b" * 99}) + "\n")
    assert worked([MaxChars(chars=50)], desk.ingest("t.jsonl").examples).kept == []
