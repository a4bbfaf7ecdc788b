"""Rows drawn and repeated to a number: balance, and mix with upsample; the split keeps repetitions out of dev and test."""

from collections import Counter

import pytest
from pydantic import ValidationError
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Origin, ask, make_example
from tunewright.data.ops._drawn import times_each
from tunewright.data.ops.balance import Balance
from tunewright.data.ops.mix import Mix
from tunewright.data.ops.redact import Redact
from tunewright.data.repeats import REPEAT, is_repeat, repetition
from tunewright.data.spec import SplitSpec
from tunewright.data.split import split


def rows(source="rows", **labels):
    number = iter(range(1, 10_000))
    return [
        make_example(
            ask(f"{source} {label} {at}?", label),
            fields={"kind": {"of": label}},
            origin=Origin(source=source, file=f"{source}.csv", row=next(number)),
        )
        for label, count in labels.items()
        for at in range(count)
    ]


def spread(found):
    return dict(Counter(row.expected for row in found.kept))


def test_frequent_answers_are_drawn_from():
    found = worked([Balance(ratio=2)], rows(a=50, b=8, c=20))
    assert spread(found) == {"a": 16, "b": 8, "c": 16}
    assert {reason for _, reason in found.dropped} == {
        "a has more than its share",
        "c has more than its share",
    }
    assert spread(worked([Balance(most=10)], rows(a=50, b=8))) == {"a": 10, "b": 8}


def test_rare_ones_are_repeated_so_often_and_no_more():
    found = worked([Balance(least=10)], rows(a=50, b=4, c=1))
    assert spread(found) == {"a": 50, "b": 10, "c": 4}
    assert found.steps[0].added == 9
    assert found.steps[0].notes == ("one value has fewer than 10 rows even so: c 4.",)
    marks = [row.fields.get(REPEAT) for row in found.kept if row.expected == "c"]
    assert [mark and mark["time"] for mark in marks] == [None, 1, 2, 3]
    assert [is_repeat(row) for row in found.kept if row.expected == "c"] == [False, True, True, True]


def test_all_equal_and_by_a_field():
    found = worked([Balance(least=8, ratio=1, field="kind")], rows(a=50, b=4))
    assert spread(found) == {"a": 8, "b": 8}
    assert found.dropped[0][1] == '{"of":"a"} has more than its share'


def test_the_draw_is_the_same_in_any_order():
    given = rows(a=50, b=8)
    one, other = (worked([Balance(most=10, seed=3)], some).kept for some in (given, given[::-1]))
    assert {row.id for row in one} == {row.id for row in other}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "it has nothing to do: give most, ratio or least"),
        ({"most": 3, "least": 4}, "least .4. is above most .3."),
    ],
)
def test_settings_that_do_not_go_together(settings, said):
    with pytest.raises(ValidationError, match=said):
        Balance(**settings)


def test_no_such_field_and_answers_that_are_no_labels():
    with pytest.raises(DataError) as caught:
        worked([Balance(most=3, field="sort")], rows(a=3))
    assert str(caught.value) == (
        "recipe.balance.field: the row rows.csv:1 has no field 'sort'; its fields are kind."
        " Name a field of every row, or leave it out: then answers are balanced."
    )
    many = [make_example(ask("?", f"answer {at}")) for at in range(1001)]
    with pytest.raises(DataError, match="there are more than 1,000 different answers"):
        worked([Balance(most=3)], many)
    assert worked([Balance(most=3)], []).kept == []


def test_a_mix_repeats_what_is_too_little():
    given = {"tickets": rows("tickets", a=80), "general": rows("general", b=10)}
    mix = Mix(needs=("tickets", "general"), shares={"tickets": 4, "general": 1}, upsample=True)
    assert spread(worked([mix], given)) == {"a": 80, "b": 20}
    few = {"tickets": rows("tickets", a=80), "general": rows("general", b=2)}
    assert spread(worked([mix], few)) == {"a": 32, "b": 8}
    assert spread(worked([mix.model_copy(update={"rows": 50})], given)) == {"a": 40, "b": 10}
    assert spread(worked([mix.model_copy(update={"upsample": False})], given)) == {"a": 40, "b": 10}


def test_repetitions_are_in_train_alone():
    found = worked([Balance(least=80)], rows(a=80, b=30)).kept
    parts = split(found, SplitSpec())
    assert sum(map(is_repeat, parts.train)) > 20
    for part in (parts.dev, parts.test):
        assert not any(map(is_repeat, part))
        assert len({row.id for row in part}) == len(part)


@pytest.mark.parametrize(
    "own", [{"repeat": 1}, {"repeat": True}, {REPEAT: 1}, {REPEAT: {"time": 1, "of": ""}}]
)
def test_a_column_of_the_source_is_no_repetition(own):
    some = [row.model_copy(update={"fields": own}) for row in rows(a=40, b=8)]
    assert not any(map(is_repeat, some))
    found = worked([Balance(least=16)], some).kept
    assert sum(map(is_repeat, found)) == 8
    assert {row.fields.get("repeat") for row in found} == {own.get("repeat")}


def test_a_repetition_stays_one_whatever_is_made_of_it():
    (row,) = rows(a=1)
    again = repetition(row.model_copy(update={"fields": {"of": "anna@mail.example"}}), 1)
    (redacted,) = worked([Redact(fields="redact")], [again]).kept
    assert redacted.fields == {"of": "[EMAIL_1]", REPEAT: again.fields[REPEAT]}
    assert is_repeat(redacted)
    another = make_example(ask("?", "!"), fields=again.fields, origin=Origin(source="x", file="y", row=1))
    assert not is_repeat(another)


def test_times_are_as_even_as_can_be():
    assert sorted(times_each(["a", "b", "c"], 7, 0)) == [2, 2, 3]
    assert times_each([], 7, 0) == []
    assert sum(times_each(["a", "a", "a"], 1, 0)) == 1
