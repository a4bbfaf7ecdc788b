"""Sources in another tool's form: what is told from their rows, and what ingest makes of their files."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_document, make_example
from tunewright.data.forms import PRESETS, FormSpec, convert, detect
from tunewright.data.ingest import IngestError

DATA = Path(__file__).parents[3] / "shared" / "data"
real = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout"),
]


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


U, A, B = turn("user", "Q"), turn("assistant", "A"), turn("assistant", "B")
FROM = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]


def lines(*rows: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"instruction": "Q", "input": "", "output": "A"}, "alpaca"),
        ({"instruction": "Q", "response": "A"}, "alpaca_chat"),
        ({"question": "Q", "answer": "A"}, "alpaca_chat.load_qa"),
        ({"context": "x", "question": "Q", "answer": "A"}, "context_qa.load_v2"),
        ({"system_prompt": "S", "question": "Q", "response": "A"}, "alpaca_w_system.load_open_orca"),
        ({"conversations": FROM}, "sharegpt"),
        ({"messages": [U, A]}, "openai"),
        ({"messages": [U, {**A, "trainable": False}, U, A]}, "tinker"),
        ({"conversations": [{"from": "input", "value": "Q"}, {"from": "output", "value": "A"}]}, "sharegpt"),
        ({"input": {"messages": [U]}, "preferred_output": [A], "non_preferred_output": [B]}, "openai"),
        ({"prompt": "Q", "completion": "A", "label": True}, "trl"),
        ({"chosen": [U, A], "rejected": [U, B]}, "trl"),
        ({"system": "S", "prompt": "Q", "chosen": "A", "rejected": "B"}, "preference"),
        ({"segments": [{"label": False, "text": "Q"}, {"label": True, "text": "A"}]}, "input_output"),
    ],
)
def test_a_form_is_told_from_rows(row: dict[str, Any], name: str) -> None:
    found = detect([row] * 3)
    assert (found.spec, found.confidence) == (FormSpec(name=name), 1.0)
    assert found.reason.startswith(f"{PRESETS[name].title}: 3 of 3 rows have ")


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        ({"messages": [U, A], "label": False}, {"name": "openai", "keys": {"rating": "label"}}),
        ({"conversations": FROM, "kto_tag": True}, {"name": "sharegpt", "keys": {"rating": "kto_tag"}}),
        (
            {"conversations": FROM[:1], "chosen": FROM[1], "rejected": FROM[1]},
            {"name": "sharegpt", "keys": {"chosen": "chosen", "rejected": "rejected"}},
        ),
        (
            {"instruction": "Q", "chosen": "A", "rejected": "B"},
            {"name": "alpaca", "keys": {"chosen": "chosen", "rejected": "rejected"}},
        ),
        ({"messages": [U, A], "label": "billing"}, {"name": "openai"}),
    ],
)
def test_ratings_and_pairs_are_not_passed_over(row: dict[str, Any], spec: dict[str, Any]) -> None:
    assert detect([row]).spec == FormSpec(**spec)


def test_a_form_that_leaves_a_telling_key_unread_is_not_taken() -> None:
    with pytest.raises(DataError, match=r"the nearest, alpaca_chat\.load_qa, leaves history unread"):
        detect([{"question": "Q", "answer": "A", "history": [["q", "a"]]}])
    with pytest.raises(DataError, match="the nearest is openai, and not carried: 'images'"):
        detect([{"messages": [U, A], "images": ["x.png"]}])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"prompt": "Q", "completions": ["a"], "labels": [True]},
            "form: stepwise rates it good if all of them are",
        ),
        ({"prompt": [U]}, "as a seed for `generate` it has form: prompt_only"),
        ({"input_ids": [1], "labels": [1]}, r"'input_ids' holds token ids \(beside them labels\)"),
        (
            {"prompt": "Q", "completion": "A", "image": "x.png"},
            "the nearest is trl, and not carried: 'image' holds",
        ),
    ],
)
def test_rows_that_no_form_takes_unasked_are_told_why(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        detect([row])


def test_what_fits_two_forms_is_not_guessed() -> None:
    row = {"instruction": "Q", "output": "A", "text": "### Instruction: Q ### Response: A"}
    with pytest.raises(DataError) as caught:
        detect([row])
    assert str(caught.value) == (
        "the rows fit 2 forms, which read them differently: `alpaca` (Alpaca; litgpt: 1 of 1 rows have instruction, output);"
        " `trl` (TRL: 1 of 1 rows have text). Set form: for the source, to alpaca or trl."
    )
    with pytest.raises(DataError, match="the rows are of no known form; the first has x, y"):
        detect([{"x": 1, "y": 2}])
    with pytest.raises(DataError, match="there is no row"):
        detect([])
    mixed = [{"instruction": "Q", "output": "A"}] * 19 + [{"instruction": "Q", "output": ""}]
    assert detect(mixed).confidence == 0.95


def test_a_source_in_another_form(desk):
    desk.write("a.jsonl", lines({"conversations": FROM, "topic": "t"}, {"conversations": FROM[:1]}))
    found = desk.ingest("a.jsonl", form="sharegpt")
    assert [(each.messages, each.fields) for each in found.examples] == [(ask("Q", "A"), {"topic": "t"})]
    assert found.reasons == [
        (2, "bad messages: 'messages' must be an array of at least a user's and an assistant's message")
    ]


def test_a_table_in_another_form(desk):
    desk.write("a.csv", "question,reply,topic\nQ,A,t\n")
    form = {"name": "alpaca", "keys": {"instruction": "question", "output": "reply"}}
    found = desk.ingest("a.csv", form=form)
    assert [(each.messages, each.fields) for each in found.examples] == [(ask("Q", "A"), {"topic": "t"})]


def test_documents_and_pairs_in_another_form(desk):
    desk.write("a.json", json.dumps([{"content": "T"}]))
    (document,) = desk.ingest("a.json", form={"name": "completion", "keys": {"text": "content"}}).examples
    assert (document.id, document.is_document) == (make_document("T").id, True)
    desk.write("b.jsonl", lines({"question": "Q", "chosen": "A", "rejected": "B"}))
    (pair,) = desk.ingest("b.jsonl", form="dpo.intel").examples
    assert (pair.id, pair.rejected) == (make_example(ask("Q", "A"), rejected="B").id, "B")
    desk.write("c.jsonl", lines({"question": "Q", "completion": "A", "label": False}))
    (rated,) = desk.ingest("c.jsonl", form="kto.intel").examples
    assert (rated.desirable, rated.rated) == (False, True)


def test_a_form_in_parquet_has_nulls_for_what_is_absent(desk):
    import pyarrow as pa
    import pyarrow.parquet as pq

    turns = [
        {"role": "user", "content": "Q", "name": None},
        {"role": "assistant", "content": "A", "name": None},
    ]
    pq.write_table(pa.Table.from_pylist([{"messages": turns}]), desk.root / "a.parquet")
    (example,) = desk.ingest("a.parquet", form="chat_template").examples
    assert example.messages == ask("Q", "A")


def test_a_form_and_columns_are_not_mixed(desk):
    desk.write("a.jsonl", lines({"conversations": FROM}))
    with pytest.raises(IngestError, match=r"both a form and columns\. Leave columns out; .* form\.keys"):
        desk.ingest("a.jsonl", form="sharegpt", columns={"input": "x"})


class TestRealRows:
    pytestmark = real

    def test_questions_and_answers(self):
        with (DATA / "gsm8k" / "test.jsonl").open(encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
        found = detect(rows)
        assert (found.spec.name, found.confidence) == ("alpaca_chat.load_qa", 1.0)
        made = [convert(row, found.spec) for row in rows]
        assert [(row["question"], row["answer"]) for row in rows] == [
            tuple(each["content"] for each in row["messages"]) for row in made
        ]
