"""Columns that are drawn, and what follows from them."""

from datetime import date, datetime
from statistics import fmean, stdev
from uuid import UUID

import pytest
from pydantic import ValidationError
from scipy.stats import spearmanr
from writing_desk import sampled, wrote

from tunewright.core.errors import DataError
from tunewright.data.ops.generate import Generate
from tunewright.data.synthetic.columns.date import DateColumn
from tunewright.data.synthetic.columns.number import NumberColumn
from tunewright.data.synthetic.columns.person import People, people_of

ENDS = {"q": {"type": "expression", "template": "?"}, "a": {"type": "expression", "template": "!"}}


def values(column: dict, rows: int = 200, **more) -> list:
    return sampled({"x": column, **ENDS, **more}, rows).values("x")


def test_a_category_is_drawn_by_its_weights() -> None:
    found = values({"type": "category", "values": {"a": 3, "b": 1, "never": 0}}, 1000)
    assert set(found) == {"a", "b"}
    assert 700 < found.count("a") < 800
    turned = values({"type": "category", "values": {"never": 0, "b": 1, "a": 3}}, 1000)
    assert turned == found, "the order in which values are written plays no part"
    found = values({"type": "category", "values": [1, True, None, "x"]})
    assert set(map(repr, found)) == {"1", "True", "None", "'x'"}


def test_a_subcategory_goes_by_its_category() -> None:
    below = {"bill": ["twice", "wrong"], "parcel": {"late": 1}}
    done = sampled(
        {
            "kind": {"type": "category", "values": ["bill", "parcel"]},
            "x": {"type": "subcategory", "of": "kind", "values": below},
            **ENDS,
        }
    )
    assert set(zip(done.values("kind"), done.values("x"), strict=True)) == {
        ("bill", "twice"),
        ("bill", "wrong"),
        ("parcel", "late"),
    }


def test_numbers_keep_to_their_distribution_and_bounds() -> None:
    uniform = values({"type": "number", "low": 10, "high": 20}, 500)
    assert set(uniform) == set(range(10, 21))
    normal = values(
        {"type": "number", "distribution": "normal", "mean": 50, "spread": 10, "decimals": 3}, 2000
    )
    assert abs(fmean(normal) - 50) < 1
    assert abs(stdev(normal) - 10) < 1
    within = {"type": "number", "distribution": "normal", "mean": 0, "spread": 9, "low": -1, "high": 0}
    assert set(values(within)) <= {-1, 0}
    log = values(
        {"type": "number", "distribution": "log_normal", "mean": 40, "spread": 0.5, "decimals": 2}, 999
    )
    assert 37 < sorted(log)[499] < 43
    assert min(log) > 0


def test_whole_numbers_come_equally_often_those_at_the_ends_too() -> None:
    found = values({"type": "number", "low": 1, "high": 6}, 6000)
    assert all(900 < found.count(one) < 1100 for one in range(1, 7))
    found = values({"type": "number", "low": 0.15, "high": 0.31, "decimals": 1}, 200)
    assert set(found) == {0.2, 0.3}
    within = {"type": "number", "distribution": "normal", "mean": 0, "spread": 9, "low": 0.6, "high": 2.4}
    assert set(values(within)) == {1, 2}


def test_a_number_that_follows_another_keeps_its_own_distribution() -> None:
    columns = {
        "age": {"type": "number", "low": 18, "high": 90},
        "pay": {
            "type": "number",
            "distribution": "normal",
            "mean": 9,
            "spread": 2,
            "decimals": 4,
            "follows": "age",
        },
        "less": {"type": "number", "low": 0, "high": 1, "decimals": 4, "follows": "pay", "correlation": -1},
        **ENDS,
    }
    done = sampled(columns, 1500)
    assert 0.72 < spearmanr(done.values("age"), done.values("pay")).statistic < 0.84
    assert spearmanr(done.values("pay"), done.values("less")).statistic == pytest.approx(-1, abs=1e-3)
    assert abs(fmean(done.values("pay")) - 9) < 0.2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "a uniform number needs low"),
        ({"low": 3, "high": 1}, "low (3) is above high (1)"),
        ({"distribution": "normal", "mean": 1}, "a normal number needs spread"),
        ({"distribution": "log_normal", "mean": -1, "spread": 1}, "is above 0"),
        ({"low": 1, "high": 2, "mean": 1}, "neither mean nor spread"),
        ({"low": 1, "high": float("nan")}, "finite"),
        ({"low": 1.2, "high": 1.4}, "there is no whole number from 1.2 to 1.4"),
    ],
)
def test_a_number_that_cannot_be_drawn_is_refused(settings: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(").replace(")", r"\)")):
        NumberColumn(**settings)


@pytest.mark.parametrize("to", ["day", "hour", "minute", "second"])
@pytest.mark.parametrize("first", ["day", "second"])
def test_a_date_comes_after_another(first: str, to: str) -> None:
    columns = {
        "sent": {"type": "date", "first": "2025-03-01", "last": "2025-03-31", "to": first},
        "there": {"type": "date", "after": "sent", "days": [0, 4], "to": to, "workdays": True},
        **ENDS,
    }
    done = sampled(columns, 300, stop_after_failures=1)
    assert len(done.new) > 290
    for begin, end in zip(done.values("sent"), done.values("there"), strict=True):
        sent, there = datetime.fromisoformat(begin), datetime.fromisoformat(end)
        assert sent <= there or (to == "day" and sent.date() == there.date())
        assert (there.date() - sent.date()).days <= 4 + (first == "second")
        assert there.weekday() < 5
        assert to != "hour" or there.minute == there.second == 0
    assert len(set(done.values("there"))) > 20


def test_a_date_after_what_is_none_gives_its_row_up() -> None:
    columns = {
        "sent": {"type": "category", "values": ["soon"]},
        "x": {"type": "date", "after": "sent"},
        **ENDS,
    }
    with pytest.raises(DataError, match="sent is 'soon', no date that it could come after"):
        sampled(columns, 3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"first": "2025-01-01"}, "a date needs first and last, or another column that it comes after"),
        ({"after": "a", "last": "2025-01-01"}, "give one of both"),
        ({"after": "a", "days": [3, 1]}, r"days \(3 to 1\) are no days after"),
        ({"first": "2025-03-01", "last": "2025-03-02", "workdays": True}, "there is no workday from"),
    ],
)
def test_a_date_that_cannot_be_drawn_is_refused(settings: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DateColumn.model_validate(settings)


def test_dates_lie_between_two_days() -> None:
    found = [
        date.fromisoformat(day)
        for day in values({"type": "date", "first": "2025-02-27", "last": "2025-03-02"})
    ]
    assert {(day.month, day.day) for day in found} == {(2, 27), (2, 28), (3, 1), (3, 2)}
    work = {"type": "date", "first": "2025-03-01", "last": "2025-03-03", "workdays": True, "to": "minute"}
    moments = [datetime.fromisoformat(moment) for moment in values(work)]
    assert {moment.date() for moment in moments} == {date(2025, 3, 3)}
    assert {moment.second for moment in moments} == {0}
    assert len({moment.hour for moment in moments}) > 20
    with pytest.raises(ValidationError, match="there is no workday"):
        Generate(columns={"x": {**work, "last": "2025-03-02"}, **ENDS}, input="q", expected="a", rows=1)


def test_people_are_of_their_locale_and_have_nobodys_address() -> None:
    found = values(
        {"type": "person", "locales": ["tr", "de"], "gender": "female", "least_age": 30, "most_age": 31}
    )
    assert {one["locale"] for one in found} == {"tr", "de"}
    for one in found:
        lists = people_of(one["locale"])
        assert one["first_name"] in lists.female
        assert one["city"] in lists.cities
        assert one["age"] in (30, 31)
        assert one["name"] == f"{one['first_name']} {one['last_name']}"
        assert one["email"].isascii()
        assert one["email"].endswith("@example.com")


@pytest.mark.parametrize("locale", ["de", "en_GB", "en_US", "es", "fr", "it", "nl", "pl", "pt", "sv", "tr"])
def test_every_locale_has_its_lists(locale: str) -> None:
    lists: People = people_of(locale)
    for words in lists:
        assert len(words) == len(set(words)) >= 20


def test_identifiers_are_uuids_or_begin_as_told() -> None:
    assert all(UUID(one).version == 4 for one in values({"type": "uuid"}))
    short = values({"type": "uuid", "prefix": "T-", "digits": 6}, 50)
    assert len(set(short)) == 50
    assert all(len(one) == 8 and one.startswith("T-") for one in short)


def test_a_column_that_is_not_due_is_something_else() -> None:
    done = sampled(
        {
            "plan": {"type": "category", "values": ["free", "pro"]},
            "x": {"type": "number", "low": 5, "high": 9, "when": 'plan == "pro"', "otherwise": 0},
            "y": {"type": "expression", "value": "x * 2", "when": "x"},
            **ENDS,
        }
    )
    for plan, x, y in zip(done.values("plan"), done.values("x"), done.values("y"), strict=True):
        assert (x == 0) == (plan == "free")
        assert y == (x * 2 if x else None)


def test_the_same_file_makes_the_same_rows_and_other_columns_change_nothing() -> None:
    number = {"type": "number", "low": 0, "high": 10**9}
    first = sampled({"x": number, **ENDS})
    assert sampled({"x": number, **ENDS}).new == first.new
    more = sampled({"early": {"type": "uuid"}, **ENDS, "x": number})
    assert more.values("x") == first.values("x")
    assert sampled({"x": number, **ENDS}, rows=300).values("x")[:200] == first.values("x")
    assert sampled({"x": number, **ENDS}, seed=1).values("x") != first.values("x")


def test_rules_alone_count_as_written() -> None:
    (row,) = wrote({"rows": 1, "columns": ENDS, "input": "q", "expected": "a", "id": "made"}).new
    assert row.origin is not None
    assert row.origin.model_dump() == {
        "source": "made",
        "file": "made",
        "row": 1,
        "teacher": "rules",
        "depth": 1,
    }
