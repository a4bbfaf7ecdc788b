"""The inferred schema: whatever the values are, it takes them; and it closes what they leave open."""

from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from tunewright.project.starters._schema import infer_schema

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=8))
def test_it_accepts_every_value_it_was_made_from(values: list[Any]) -> None:
    schema = infer_schema(values)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [value for value in values if not validator.is_valid(value)] == []


def test_records() -> None:
    assert infer_schema([{"a": 1, "b": {"c": "x"}}, {"a": 2.5}]) == {
        "type": "object",
        "properties": {
            "a": {"type": "number"},
            "b": {
                "type": "object",
                "properties": {"c": {"type": "string"}},
                "required": ["c"],
                "additionalProperties": False,
            },
        },
        "required": ["a"],
        "additionalProperties": False,
    }


def test_few_texts_that_come_again_are_choices() -> None:
    assert infer_schema(["yes", "no"] * 5) == {"type": "string", "enum": ["no", "yes"]}
    assert infer_schema(["yes", "no"] * 4) == {"type": "string"}


def test_lists_nulls_and_mixtures() -> None:
    assert infer_schema([["a"], [1, 2]]) == {"type": "array", "items": {"type": ["string", "integer"]}}
    assert infer_schema(["a", None]) == {"type": ["string", "null"]}
    assert infer_schema([]) == {}


def test_an_object_with_very_many_keys_is_a_table() -> None:
    assert infer_schema([{f"k{n}": n for n in range(200)}]) == {
        "type": "object",
        "additionalProperties": {"type": "integer"},
    }
