"""Every grader: what it accepts, what it refuses and why, and that no reply breaks it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tunewright.core.errors import Problem, UserError
from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.core.grading import Grader, Score
from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.grade import regex
from tunewright.grade.build import build_grader, build_graders
from tunewright.grade.gold import check_gold
from tunewright.grade.names import default_graders, grader_names
from tunewright.grade.spec import ExactMatch, FieldAccuracy, GraderSpec, JsonSchema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["bug", "question"]},
        "customer": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}}},
        "urgent": {"type": "boolean"},
    },
    "required": ["kind"],
    "additionalProperties": False,
}
TASK = TaskSpec(output=JsonOutput(schema=SCHEMA))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
ALL = ["exact_match", "contains", "json_valid", "json_schema", "field_accuracy", "number"]


def grader(task: TaskSpec = TASK, **spec: Any) -> Grader:
    return build_grader(TypeAdapter(GraderSpec).validate_python(spec), task)


def example(expected: str) -> Example:
    return make_example(ask("?", expected))


def score(kind: str, expected: str, reply: str, **spec: Any) -> Score:
    return grader(type=kind, **spec).grade(example(expected), reply)


@pytest.mark.parametrize(
    ("spec", "expected", "reply", "value"),
    [
        ({"type": "exact_match"}, "refund", " refund\n", 1),
        ({"type": "exact_match"}, "refund", "Refund", 0),
        ({"type": "exact_match", "ignore_case": True}, "STRASSE", "straße", 1),
        ({"type": "contains"}, "Paris", "It is PARIS.", 1),
        ({"type": "contains", "ignore_case": False}, "Paris", "It is PARIS.", 0),
        ({"type": "contains", "text": "sorry"}, "no", "I am sorry", 1),
        ({"type": "regex", "pattern": r"^\d{3}$"}, "", "123", 1),
        ({"type": "regex", "pattern": r"^\d{3}$"}, "", "1234", 0),
        ({"type": "json_valid"}, "", ' {"a": [1, 2.5e3, null]} ', 1),
        ({"type": "json_valid"}, "", "1" + "0" * 400, 1),
        ({"type": "number"}, "12", "that makes 3 + 9 = 12.", 1),
        ({"type": "number"}, "1234.5", "1,234.5", 1),
        ({"type": "number"}, "3", "5-3", 1),
        ({"type": "number"}, "-3", "it is −3", 1),
        ({"type": "number"}, "0.5", "half: .5", 1),
        ({"type": "number"}, "1000000", "1000001", 1),
        ({"type": "number", "tolerance": 0}, "1000000", "1000001", 0),
        ({"type": "number", "tolerance": 0}, "9007199254740993", "9007199254740992", 0),
        ({"type": "number"}, "1e5", "100000", 1),
    ],
)
def test_value(spec: dict[str, Any], expected: str, reply: str, value: float) -> None:
    assert grader(**spec).grade(example(expected), reply).value == value


@pytest.mark.parametrize(
    ("kind", "expected", "reply", "detail"),
    [
        ("exact_match", "refund", "cancel", 'expected "refund"'),
        ("contains", "refund", "cancel", '"refund" is not in the reply'),
        ("number", "12", "thirteen", "no number in the reply"),
        ("number", "twelve", "12", "the expected answer has no number in it"),
        ("number", "12", "13", "expected 12, not 13"),
        ("number", "12", "1e99999999999999999999", "expected 12, not 1e99999999999999999999"),
        ("json_valid", "", "", "not JSON: Expecting value at the end"),
        ("json_valid", "", '{"a":1} ok', "not JSON: Extra data at character 9"),
        ("json_valid", "", '```json\n{"a":1}\n```', "not JSON: Expecting value at character 1"),
        ("json_valid", "", '{"a":1,"a":2}', "not JSON: the key 'a' stands twice in one object"),
        ("json_valid", "", "[NaN]", "not JSON: NaN is not a JSON number"),
        ("json_valid", "", "-Infinity", "not JSON: -Infinity is not a JSON number"),
        ("json_valid", "", "1e999", "not JSON: the number 1e999 is too large"),
        ("json_valid", "", "9" * 5000, "not JSON: a number of 5000 digits is too large"),
        ("json_valid", "", "[" * 101 + "]" * 101, "not JSON: it is nested more than 64 deep"),
        ("json_valid", "", '{"a":' * 50_000, "not JSON: it is nested more than 64 deep"),
        (
            "json_schema",
            "",
            '{"kind": "bug',
            "not JSON: Unterminated string starting at character 10",
        ),
        ("json_schema", "", '{"kind": "praise"}', "$.kind: 'praise' is not one of ['bug', 'question']"),
        ("json_schema", "", '{"kind": "bug", "x": 1}', "$: fields that the schema does not allow: 'x'"),
        (
            "json_schema",
            "",
            '{"kind": "bug", "customer": {"name": "ann"}}',
            "$.customer.name: 'ann' does not match '^[A-Z]'",
        ),
        ("json_schema", "", '{"kind": "bug", "urgent": 1}', "$.urgent: 1 is not of type 'boolean'"),
    ],
)
def test_wrong_replies_are_told_why(kind: str, expected: str, reply: str, detail: str) -> None:
    assert score(kind, expected, reply) == Score(0.0, detail)


def test_brackets_inside_a_text_do_not_count_as_depth() -> None:
    assert score("json_valid", "", json.dumps("[" * 1000 + '\\"{{')) == Score(1.0)


def test_field_accuracy_scores_each_field() -> None:
    expected = {"kind": "bug", "urgent": True, "items": [{"sku": "A"}, {"sku": "B"}], "n": 2, "tags": []}
    reply = {"kind": "bug", "urgent": 1, "items": [{"sku": "A"}], "n": 2.0, "tags": [], "odd key": None}
    assert score("field_accuracy", json.dumps(expected), json.dumps(reply)) == Score(
        1 - 3 / 7,
        "urgent is 1, expected true, and 2 more",
        {
            "kind": 1.0,
            "urgent": 0.0,
            "items[0].sku": 1.0,
            "items[1].sku": 0.0,
            "n": 1.0,
            "tags": 1.0,
            '["odd key"]': 0.0,
        },
    )


@pytest.mark.parametrize(
    ("expected", "reply", "wanted"),
    [
        ('{"a": 1}', '{"a": 1}', Score(1.0, None, {"a": 1.0})),
        ('{"a": 1}', "{}", Score(0.0, "a is missing, and 1 more", {"a": 0.0, "$": 0.0})),
        (
            '{"a": 1, "b": 2}',
            "oops",
            Score(0.0, "not JSON: Expecting value at character 1", {"a": 0.0, "b": 0.0}),
        ),
        ("oops", "{}", Score(0.0, "the expected answer is not JSON: Expecting value at character 1")),
        ("3", "3.0", Score(1.0, None, {"$": 1.0})),
        ("true", "1", Score(0.0, "$ is 1, expected true", {"$": 0.0})),
        (
            '{"a.b": 1}',
            '{"a": {"b": 1}}',
            Score(0.0, '["a.b"] is missing, and 1 more', {'["a.b"]': 0.0, "a.b": 0.0}),
        ),
    ],
)
def test_field_accuracy_edges(expected: str, reply: str, wanted: Score) -> None:
    assert score("field_accuracy", expected, reply) == wanted


def test_field_accuracy_can_ignore_case() -> None:
    assert score("field_accuracy", '{"a": "Ann"}', '{"a": "ann"}', ignore_case=True).value == 1


def test_a_catastrophic_pattern_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert regex.TIME_LIMIT >= 5
    monkeypatch.setattr(regex, "TIME_LIMIT", 0.2)
    pattern, text = "^(a|aa)+$", "a" * 200 + "b"
    assert score("regex", "", text, pattern=pattern) == Score(
        0.0, "matching took more than 0.2 s and was stopped"
    )
    task = TaskSpec(output=JsonOutput(schema={"patternProperties": {pattern: {}}, "pattern": pattern}))
    slow = Score(0.0, "a pattern of the schema: matching took more than 0.2 s and was stopped")
    assert grader(task, type="json_schema").grade(example(""), json.dumps({text: 1})) == slow
    assert grader(task, type="json_schema").grade(example(""), json.dumps(text)) == slow


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_gold_json_scores_one(value: object) -> None:
    gold = make_example(ask("?", json.dumps(value, ensure_ascii=False)))
    kinds = ["exact_match", "contains", "json_valid", "field_accuracy"]
    graders = [grader(type=kind) for kind in kinds] + [
        grader(TaskSpec(output=JsonOutput(schema={})), type="json_schema")
    ]
    assert check_gold([gold], lambda _: graders, "target") == []


@given(
    st.sampled_from(ALL),
    st.text(st.characters(codec="utf-8")) | JSON.map(json.dumps),
    st.text() | st.text(alphabet='{}[]",:\\0123456789.eE+-−ntfu\ud800 ') | JSON.map(json.dumps),
)
@settings(max_examples=300, deadline=None)
def test_no_reply_breaks_a_grader(kind: str, expected: str, reply: str) -> None:
    given_score = score(kind, expected, reply)
    assert 0 <= given_score.value <= 1
    assert (given_score.detail is None) == (given_score.value == 1)
    json.dumps(given_score, ensure_ascii=False).encode("utf-8")


def test_check_gold_counts_and_names_the_first_row() -> None:
    bad = [
        make_example(
            ask("?", json.dumps({"kind": kind})), origin=Origin(source="t", file="tickets.jsonl", row=row)
        )
        for row, kind in ((7, "praise"), (9, "thanks"))
    ]
    examples = [example('{"kind": "bug"}'), *bad]
    assert check_gold(examples, lambda _: [grader(type="json_schema")], "target") == [
        Problem(
            "of the 3 expected answers, 2 score below 1 with json_schema themselves: no model can do better there."
            " The first: $.kind: 'praise' is not one of ['bug', 'question']",
            where="suites.target, tickets.jsonl:7",
            fix="Correct the answers or the grader's settings, or take the lower ceiling into account.",
        )
    ]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "strnig"}, "schema.type: this is not a JSON Schema: 'strnig' is not valid under any"),
        ({"properties": {"a": {"minimum": "x"}}}, "schema.properties.a.minimum: this is not a JSON Schema"),
        ({"pattern": "("}, "schema.pattern: this is not a JSON Schema: '(' is not a 'regex'"),
        (
            {"items": {"$ref": "#/$defs/nope"}},
            "schema: the schema refers to '#/$defs/nope', which is not in it",
        ),
        ({"$ref": "http://localhost:1/x.json"}, "which is not in it"),
        ({"$schema": 3}, "`$schema` is not a text"),
        ({"$schema": "http://[x"}, "that cannot be read (Invalid IPv6 URL)"),
        ({"$ref": "#/allOf/x", "allOf": [{}]}, "an address or a reference that cannot be read ("),
    ],
)
def test_a_schema_that_is_none(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        grader(TaskSpec(output=JsonOutput(schema=schema)), type="json_schema")
    assert message in str(caught.value)


def test_no_schema_and_no_pattern() -> None:
    with pytest.raises(UserError, match="no schema to check against"):
        grader(TaskSpec(), type="json_schema")
    with pytest.raises(UserError, match="not a regular expression"):
        grader(type="regex", pattern="(")


def test_references_and_odd_recursion() -> None:
    tree = {"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}
    assert grader(type="json_schema", schema=tree).grade(example(""), "[[],[[]]]") == Score(1.0)
    assert grader(type="json_schema", schema=tree).grade(example(""), "[[],[1]]").value == 0
    endless = grader(type="json_schema", schema={"$ref": "#"})
    assert endless.grade(example(""), "1") == Score(0.0, "the schema refers to itself without end")


def test_names_are_unique() -> None:
    specs = TypeAdapter(list[GraderSpec]).validate_python(
        [{"type": "regex", "pattern": "a"}, {"type": "regex", "pattern": "b"}, {"type": "number"}]
    )
    assert grader_names(specs) == ("regex", "regex_2", "number")
    assert tuple(grader.name for grader in build_graders(specs, TASK)) == grader_names(specs)


def test_graders_where_none_are_named() -> None:
    assert default_graders(TaskSpec()) == (ExactMatch(),)
    assert default_graders(TASK) == (FieldAccuracy(), JsonSchema())
