"""What the audit finds odd about answers in JSON."""

import json

from looked import found, kinds, row

from tunewright.core.task import JsonOutput
from tunewright.data.audit.json import Json
from tunewright.data.audit.schema import Schema


def answers(*values):
    return [
        row(f"q{n}", value if isinstance(value, str) else json.dumps(value)) for n, value in enumerate(values)
    ]


def test_broken_json_among_good():
    good = [{"kind": "a", "total": n} for n in range(40)]
    assert found(Json(), answers(*good, '{"kind": "a", "tot', "no JSON")) == [
        ("broken_json", "error", 1, "1 of 42 rows (2.4%) answer in JSON that cannot be parsed."),
        (
            "broken_json",
            "error",
            1,
            "1 of 42 rows (2.4%) answer in something else than JSON, which nearly all others are.",
        ),
    ]


def test_text_answers_are_no_broken_json():
    assert kinds(Json(), answers("plain", "text", "{not json}", "[1] see there")) == {}


def test_fields_of_several_types():
    values = [{"total": n if n else "12", "list": [{"sku": "a"}]} for n in range(20)]
    assert found(Json(), answers(*values)) == [
        (
            "mixed_types",
            "warning",
            1,
            "total is of several types in the answers of rows: number in 19, text that holds a number in 1.",
        )
    ]
    assert kinds(Json(), answers({"a": None}, {"a": "x"}, {"a": "3"})) == {}


def test_numbers_as_texts_but_not_ids():
    values = [{"qty": str(n), "order_id": str(n), "zip": f"0{n}"} for n in range(20)]
    assert found(Json(), answers(*values)) == [
        ("number_as_text", "info", 20, "qty is a text that holds a number in 20 of 20 rows (100.0%).")
    ]


def test_a_fence_around_some():
    values = [{"a": "x"}] * 9 + ['```json\n{"a": "x"}\n```']
    assert [message for *_, message in found(Json(), answers(*values))] == [
        "1 of 10 rows (10.0%) answer in JSON within a fence (```), the others without."
    ]


def test_deep_and_wide_json_is_bounded():
    deep = "[" * 5000 + "]" * 5000
    wide = {f"field {n}": n for n in range(2000)}
    check = Json()
    for one in answers(deep, wide, wide):
        check.see(one)
    assert len(check._types) <= 500


def test_answers_that_the_schema_does_not_allow():
    schema = {"type": "object", "properties": {"qty": {"type": "number"}}, "required": ["qty"]}
    rows = answers({"qty": 1}, {"qty": "2"}, {}, "no JSON")
    bad = row("q", '{"qty": "3"}', desirable=False)
    assert found(Schema(JsonOutput(schema=schema)), [*rows, bad]) == [
        (
            "off_schema",
            "error",
            3,
            "3 of 5 rows (60.0%) have an answer that the schema does not allow: qty: '2' is not of type 'number' (1); 'qty'"
            " is a required property (1); answer is not JSON: Expecting value at character 1 (1).",
        )
    ]


def test_what_the_schema_says_shows_nothing_personal():
    schema = {"properties": {"who": {"type": "string", "maxLength": 3}}}
    rows = answers(
        {"who": "Ms Mara <mara.velten@mail.example>"}, {"who": "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"}
    )
    ((_, _, count, message),) = found(Schema(JsonOutput(schema=schema)), rows)
    assert count == 2
    assert "<[EMAIL]>' is too long (1); who: '[SECRET]' is too long (1)" in message
