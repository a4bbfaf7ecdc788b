"""The operation `generate`: what it refuses, what becomes of seeds, where rows come from."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from writing_desk import Wrote, wrote

from tunewright.core.errors import DataError
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.core.message import Message
from tunewright.data.ops.generate import Generate, graders, notes, teachers

A = {"type": "expression", "template": "a"}
TEXT = {"type": "text", "prompt": "hi"}


def row(number: int, question: str = "", depth: int = 0, **fields: Any) -> Example:
    origin = Origin(source="rows", file="rows.csv", row=number, depth=depth, teacher="other" if depth else "")
    return make_example(
        ask(question or f"question {number}", f"answer {number}"), fields=fields, origin=origin
    )


def document(number: int, text: str, **fields: Any) -> Example:
    return make_document(text, fields=fields, origin=Origin(source="docs", file="a.pdf", row=number))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"columns": {}}, "it has neither a preset nor columns"),
        (
            {"columns": {"input": A}},
            "nothing says what the expected of a row is: name a column or write a template",
        ),
        ({"columns": {"input": A, "expected": A}}, "no column is a seed, so that `rows` has to say how many"),
        (
            {"columns": {"text": A, "input": A}},
            r"a row is a document \(text\) or a conversation \(input\), not both",
        ),
        ({"columns": {"text": A, "1x": A}}, "'1x' is no name for a column"),
        ({"columns": {"text": A, "range": A}}, "'range' means something in Jinja"),
        ({"columns": {"text": A, "chars": A}}, "every row has a chars of its own"),
        ({"columns": {"text": A, "written_from": A}}, "'written_from' is the field with the places"),
        ({"columns": {"text": A}, "seeds": "x"}, "seeds speaks of seeds, and no column is of a seed"),
        (
            {
                "columns": {
                    "text": {"type": "structured", "prompt": "a", "schema": {"const": date(2025, 1, 1)}}
                }
            },
            "the schema cannot be written as JSON .* put dates between quotation marks",
        ),
        (
            {"columns": {"text": {"type": "judge", "prompt": "a", "rubric": "a", "at_least": 0}}},
            "0 is not on the scale",
        ),
        (
            {"columns": {"topic": A, "text": {"type": "text", "prompt": "{{ topci }}"}}},
            "text: its prompt reads 'topci', which is no column. Did you mean 'topic'?",
        ),
        (
            {"columns": {"a": A}, "text": "{{ b }}"},
            "text is written from 'b', which is no column. There are a.",
        ),
        (
            {"columns": {"a": A}, "text": "b"},
            r"'b', which is no column \(the word itself is written {{ 'b' }}\). There are a",
        ),
        ({"columns": {"a": A}, "text": "{{ a"}, "is not a Jinja template"),
        (
            {
                "columns": {
                    "text": {"type": "text", "prompt": "{{ b }}"},
                    "b": {"type": "expression", "value": "c"},
                    "c": {"type": "text", "prompt": "a", "when": "text"},
                }
            },
            "these columns wait for one another",
        ),
        (
            {"columns": {"text": {"type": "text", "prompt": "{{ text }}"}}},
            "text → text: these columns wait for one",
        ),
        ({"columns": {"text": {"type": "text", "prompt": "{% if %}"}}}, "is not a Jinja template"),
        ({"columns": {"text": {"type": "expression", "value": "1 +"}}}, "is not a Jinja expression"),
        (
            {"columns": {"a": A, "text": {"type": "number", "low": 1, "high": 2, "follows": "a"}}},
            "text: it follows 'a', which is no number",
        ),
        (
            {
                "columns": {
                    "a": {"type": "category", "values": ["x", "y"]},
                    "text": {"type": "subcategory", "of": "a", "values": {"x": ["z"]}},
                }
            },
            "text: it has nothing below 'y' of a",
        ),
        (
            {"columns": {"text": {"type": "structured", "prompt": "a", "schema": "{"}}},
            "the schema is not JSON",
        ),
        ({"columns": {"text": {"type": "sentence", "grammar": "a: b"}}}, "there is no rule 'start'"),
        (
            {"columns": {"text": {"type": "judge", "prompt": "a", "rubric": {9: "good"}}}},
            "9 is not on the scale",
        ),
        (
            {"columns": {"text": {"type": "compare", "prompt": "a", "of": ["a", "a"]}}},
            "a is compared with itself",
        ),
        ({"columns": {"text": {"type": "validate", "of": "a"}}}, "either `by` or `holds`"),
        ({"columns": {"text": {"type": "expression"}}}, "either a value or a template"),
        ({"columns": {"text": {"type": "txt"}}}, "does not match any of the expected tags"),
        (
            {"columns": {"a": A}, "onto_seed": True, "expected": "a"},
            "onto_seed writes a seed anew, and no column is of",
        ),
        (
            {"columns": {"a": {"type": "seed"}}, "onto_seed": True},
            "and nothing says what: give input, expected or",
        ),
        (
            {"preset": "pairs", "system": "a"},
            "with onto_seed the seed's system message stays: leave `system` out",
        ),
        ({"preset": "question"}, "does not match any of the expected tags"),
        (
            {"preset": "questions", "rows": 3, "per_row": 2},
            "rows and per_row are two ways to say how many: give one",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_when_it_is_read(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Generate.model_validate(
            {"rows": 1, **settings} if said.startswith("text") or "two ways" in said else settings
        )


def test_columns_are_filled_in_the_order_of_what_they_read() -> None:
    columns = {"text": {**TEXT, "prompt": "{{ b }}"}, "b": {"type": "expression", "value": "c"}, "c": A}
    assert notes(Generate(rows=1, columns=columns)) == (
        "Columns: c (expression), b (expression), text (text).",
    )


def test_who_is_asked_is_known_before() -> None:
    spec = Generate.model_validate(
        {
            "rows": 1,
            "teacher": "small",
            "columns": {
                "text": TEXT,
                "b": {**TEXT, "teacher": "big"},
                "c": {"type": "validate", "of": "b", "by": {"type": "regex", "pattern": "a"}},
            },
        }
    )
    assert teachers(spec) == {"teacher": "small", "columns.b.teacher": "big"}
    pairs = Generate.model_validate({"preset": {"type": "pairs", "second": "weak", "judge": "fair"}})
    assert teachers(pairs) == {"teacher": "base", "preset.second": "weak", "preset.judge": "fair"}
    assert graders(spec) == {"columns.c.by": {"type": "regex", "pattern": "a"}}


def test_a_schema_counts_with_the_order_of_its_properties() -> None:
    def dumped(*names: str) -> str:
        schema = {"type": "object", "properties": {name: {} for name in names}}
        columns = {"text": {"type": "structured", "prompt": "a", "schema": schema}}
        spec = Generate.model_validate({"rows": 1, "columns": columns})
        again = Generate.model_validate(spec.model_dump(mode="json", by_alias=True, exclude_unset=True))
        assert again == spec
        return spec.model_dump_json()

    assert dumped("a", "b") != dumped("b", "a")


SEEDED = {
    "columns": {
        "_said": {"type": "seed", "take": "input"},
        "input": {"type": "text", "prompt": "Anew: {{ _said }}"},
        "expected": {"type": "seed", "take": "expected"},
    }
}


def seeded(given: list[Example], **more: Any) -> Wrote:
    return wrote({**SEEDED, **more}, given, base=lambda asked, how: f"{asked} {how.seed % 97}")


def test_each_seed_is_written_from_and_goes_on() -> None:
    given = [row(n, kind="a") for n in range(1, 4)]
    done = seeded(given, per_row=2)
    assert done.rows[:3] == given
    assert [one.expected for one in done.new] == [f"answer {n}" for n in (1, 1, 2, 2, 3, 3)]
    assert len({one.input_text for one in done.new}) == 6, "two of one seed are two"
    first = done.new[0]
    assert first.origin is not None
    assert first.origin.model_dump() == {
        "source": "rows",
        "file": "rows.csv",
        "row": 1,
        "teacher": "base",
        "depth": 1,
    }
    assert first.fields == {"kind": "a"}
    assert (done.account.added, done.account.dropped) == (6, 0)


def test_so_many_rows_take_every_seed_before_one_comes_again() -> None:
    given = [row(n) for n in range(10)]
    done = seeded(given, rows=25)
    taken = [one.expected for one in done.new]
    assert sorted(taken[:10]) == sorted(taken[10:20]) == sorted(one.expected for one in given)
    assert taken[:10] != taken[10:20]


def test_another_row_among_the_seeds_leaves_the_others_as_they_were() -> None:
    given = [row(n) for n in range(5)]
    before = seeded(given).new
    after = seeded([row(9), *given]).new
    assert after[1:] == before


def test_which_rows_are_seeds_and_whether_they_stay() -> None:
    given = [row(n, kind="a" if n % 2 else "b") for n in range(4)]
    done = seeded(given, seeds='kind == "a"', keep_seeds=False)
    assert [one.place for one in done.rows] == ["rows.csv:0", "rows.csv:2", "rows.csv:1", "rows.csv:3"]
    assert done.dropped == [("rows.csv:1", "a seed of new rows"), ("rows.csv:3", "a seed of new rows")]
    with pytest.raises(DataError, match=r"of rows.csv:0 there is no value \('kin' is undefined\)"):
        seeded(given, seeds='kin == "a"')
    with pytest.raises(
        DataError, match="there are 0 seeds among the 4 rows that it takes, and a row is written from 1"
    ):
        seeded(given, seeds="false")


def test_documents_stay_behind_where_conversations_are_written_from_them() -> None:
    given = [document(1, "A long text."), row(2)]
    done = seeded(
        given,
        seeds="source == 'docs'",
        columns={**SEEDED["columns"], "_said": {"type": "seed", "take": "expected"}},
    )
    assert [one.place for one in done.rows] == ["rows.csv:2", "a.pdf:1"]
    texts = {"text": {"type": "seed", "take": "expected | upper"}}
    documents = wrote({"columns": texts}, [document(1, "A long text.", page=3)])
    assert [one.expected for one in documents.rows] == ["A long text.", "A LONG TEXT."]
    assert documents.new[0].is_document
    assert documents.new[0].fields == {"page": 3}
    assert documents.new[0].origin is not None
    assert (documents.new[0].origin.teacher, documents.new[0].origin.depth) == ("rules", 1)


def test_fields_go_along_as_far_as_they_are_to() -> None:
    given = [row(1, kind="a", customer=7)]
    assert seeded(given, carry=["customer", "other"]).new[0].fields == {"customer": 7}
    over = {**SEEDED["columns"], "kind": {"type": "category", "values": ["b"]}}
    assert seeded(given, columns=over).new[0].fields == {"kind": "b", "customer": 7}


def test_rows_that_are_shown_are_others_and_are_remembered() -> None:
    columns = {
        "_own": {"type": "seed"},
        "_like": {"type": "seed", "count": 3},
        "input": {"type": "text", "prompt": "Not {{ _own }} but like {{ _like | join(', ') }}"},
        "expected": A,
    }
    done = wrote({"rows": 30, "columns": columns}, [row(n) for n in range(6)], base=lambda asked, _: asked)
    for one in done.new:
        own, others = one.input_text.removeprefix("Not ").split(" but like ")
        assert own not in others.split(", ")
        assert len(set(others.split(", "))) == 3
        shown = [f"rows.csv:{other.removeprefix('question ')}" for other in others.split(", ")]
        assert one.fields["written_from"] == shown
    with pytest.raises(
        DataError, match="there are 3 seeds among the 3 rows that it takes, and a row is written from 4"
    ):
        wrote({"rows": 30, "columns": columns}, [row(n) for n in range(3)], base=lambda asked, _: asked)


def test_the_depth_is_that_of_the_deepest_row_behind_it() -> None:
    def depth(columns: dict[str, Any], given: list[Example]) -> int:
        (made,) = wrote({"rows": 1, "columns": columns}, given, base=lambda *_: "x").new
        assert made.origin is not None
        return made.origin.depth

    assert depth(SEEDED["columns"], [row(1, depth=1)]) == 2
    shown = {"_like": {"type": "seed", "count": 2}, "text": {"type": "text", "prompt": "{{ _like }}"}}
    assert depth(shown, [row(1, depth=2), row(2)]) == 3
    assert depth({"text": {"type": "seed", "take": "input | upper"}}, [row(1, depth=1)]) == 1
    assert depth({"text": TEXT}, [row(1, depth=1)]) == 1, "it was written from none of these"


def test_what_stands_behind_a_seed_stands_behind_the_new_row() -> None:
    seed = row(1, depth=1).model_copy(update={"fields": {"written_from": ["rows.csv:9"]}})
    shown = {"_like": {"type": "seed", "count": 1}, "text": {"type": "seed", "take": "input"}}
    done = wrote({"rows": 1, "columns": shown, "carry": [], "seed": 3}, [seed, row(2)])
    assert sorted(done.new[0].fields["written_from"]) in (
        ["rows.csv:1", "rows.csv:9"],
        ["rows.csv:2", "rows.csv:9"],
    )


def test_what_an_expression_makes_can_be_read_again() -> None:
    twice = {
        "_n": {"type": "expression", "value": "[1, -2] | map('abs')"},
        "text": {"type": "expression", "template": "{{ _n | join }}{{ _n | join }}"},
    }
    assert [one.expected for one in wrote({"rows": 1, "columns": twice}).new] == ["1212"]


def test_a_number_beyond_all_bounds_gives_its_row_up() -> None:
    huge = {
        "n": {"type": "number", "distribution": "log_normal", "mean": 1, "spread": 5000},
        "text": {"type": "expression", "template": "{{ n }}"},
    }
    done = wrote({"rows": 40, "columns": huge, "stop_after_failures": 1})
    assert len(done.new) < 40
    assert "new rows were given up" in " ".join(done.account.notes)


def test_parts_of_all_kinds() -> None:
    columns = {
        "question": {"type": "expression", "template": "q"},
        "answers": {"type": "expression", "value": '{"a": [1, none]}'},
        "system": {"type": "expression", "template": "Be kind."},
        "_score": {"type": "category", "values": [1, 5]},
    }
    more = {"expected": "answers", "rejected": "{{ question }} no", "desirable": "{{ _score > 3 }}"}
    done = wrote({"rows": 20, "columns": columns, "input": "question", **more})
    first = done.new[0]
    assert [(message.role, message.content) for message in first.messages] == [
        ("system", "Be kind."),
        ("user", "q"),
        ("assistant", '{"a": [1, null]}'),
    ]
    assert first.rejected == "q no"
    assert {one.desirable for one in done.new} == {True, False}
    assert all(one.rated for one in done.new)
    assert first.fields == {"question": "q", "answers": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("input_", "why"),
    [
        ("{{ x }}", "it prints a column that is null in this row"),
        ("{{ ' ' }}", "its input is blank"),
        ("x", "its input is not there"),
        ("{{ '\\0' }}", "a NUL character stands in its input"),
        ("{{ x.y }}", "'None' has no attribute 'y'"),
    ],
)
def test_a_row_that_says_nothing_is_given_up(input_: str, why: str) -> None:
    columns = {"x": {"type": "expression", "value": "none"}}
    with pytest.raises(DataError, match="could not be made") as caught:
        wrote({"rows": 1, "columns": columns, "input": input_, "expected": "-"})
    assert why in str(caught.value)


TALK = make_example(
    (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Is it late?"),
        Message(role="assistant", content="Yes.", weight=0),
        Message(role="user", content="How late?"),
        Message(role="assistant", content="Two days."),
    ),
    origin=Origin(source="rows", file="rows.csv", row=1),
)


def test_a_reply_answers_the_seeds_own_conversation_and_rows_are_written_onto_it() -> None:
    columns = {
        "_talk": {"type": "seed", "take": "talk"},
        "_new": {"type": "expression", "value": "_talk.split()[-1]"},
        "_said": {"type": "reply", "system": "Be kind."},
    }
    spec = {
        "columns": columns,
        "onto_seed": True,
        "expected": "_said",
        "input": "So: {{ _new }}",
        "rejected": "No.",
    }
    plain = row(2, "Where?")
    done = wrote(spec, [TALK, plain], base=lambda asked, _: f"To {asked}")
    assert [[m.content for m in one] for one in done.desk.teachers["base"].asked] == [
        ["Be brief.", "Is it late?", "Yes.", "How late?"],
        ["Be kind.", "Where?"],
    ]
    first, second = done.new
    assert [(m.role, m.content, m.weight) for m in first.messages] == [
        *((m.role, m.content, m.weight) for m in TALK.messages[:3]),
        ("user", "So: late?", None),
        ("assistant", "To How late?", None),
    ]
    assert first.rejected == "No."
    assert second.prompt == ask("So: Where?", "")[:1]
    with pytest.raises(DataError, match="there is no conversation to go on with"):
        wrote(
            {"columns": {"a": {"type": "reply"}}, "onto_seed": True, "expected": "a"}, [document(1, "text")]
        )


def test_onto_a_seed_that_has_no_question() -> None:
    spec = {
        "columns": {"_text": {"type": "seed", "take": "expected"}},
        "onto_seed": True,
        "expected": "_text",
    }
    assert [one.messages for one in wrote(spec, [TALK]).new] == [TALK.messages]
    with pytest.raises(DataError, match="a document has no question and no answer to write anew"):
        wrote(spec, [document(1, "text")])


def test_a_first_look_makes_few_rows_and_shows_what_fails() -> None:
    few = Generate(columns={"text": {"type": "seed"}}, per_row=9).previewed(5)
    assert (few.rows, few.per_row, few.stop_after_failures) == (5, None, 1.0)
    assert Generate(columns={"text": TEXT}, rows=3).previewed(5).rows == 3


def test_seeds_may_be_chosen_by_who_wrote_them_and_it_is_told() -> None:
    given = [row(1), row(2, depth=1)]
    assert len(seeded(given, seeds="depth == 0").new) == 1
    both = seeded(given, seeds="depth == 0 or teacher == 'other'")
    assert "1 of 2 seeds were themselves written by models or rules." in both.account.notes


def test_the_deepest_row_is_known_before_any_is_written() -> None:
    assert Generate.model_validate(SEEDED).written_depth(1) == 2
    assert Generate(columns={"text": TEXT}, rows=1).written_depth(3) == 1
    assert Generate(columns={"text": {"type": "seed"}}).written_depth(3) == 3
    assert Generate.model_validate({**SEEDED, "seeds": "depth == 0"}).written_depth(1) == 1
