"""Samples: a number or a share, of all rows or of each stratum, in their order or a drawn one."""

from collections import Counter

import pytest
from pydantic import ValidationError
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Example, ask, make_example
from tunewright.data.ops.sample import Sample, counts
from tunewright.data.recipe import graph
from tunewright.data.recipe_fields import FieldsError, check_fields


def rows(**kinds: int) -> list[Example]:
    found = [(kind, at) for kind, number in kinds.items() for at in range(number)]
    return [make_example(ask(f"{kind} {at}", kind[0]), fields={"kind": kind}) for kind, at in found]


def kinds(kept: list[Example]) -> dict[str, int]:
    return dict(Counter(row.fields["kind"] for row in kept))


def test_a_share_is_rounded_and_never_nothing() -> None:
    assert [len(worked([Sample(share=share)], rows(a=30)).kept) for share in (0.1, 0.25, 0.001)] == [3, 8, 1]
    assert worked([Sample(share=0.2)], rows(a=30)).kept == worked([Sample(rows=6)], rows(a=30)).kept


def test_strata_keep_their_shares_and_a_rare_one_a_row() -> None:
    given = rows(often=80, seldom=19, once=1)
    done = worked([Sample(rows=10, stratify_by="kind")], given)
    assert kinds(done.kept) == {"often": 7, "seldom": 2, "once": 1}
    assert [row for row in given if row in done.kept] == done.kept
    assert {reason for _, reason in done.dropped} == {"not drawn"}
    assert kinds(worked([Sample(share=0.5, stratify_by="kind")], given).kept) == {
        "often": 40,
        "seldom": 9,
        "once": 1,
    }
    backwards = worked([Sample(rows=10, stratify_by="kind")], given[::-1])
    assert sorted(row.id for row in backwards.kept) == sorted(row.id for row in done.kept)


def test_label_is_the_answer_where_no_row_has_such_a_field() -> None:
    done = worked([Sample(rows=4, stratify_by="label")], rows(often=30, seldom=10))
    assert kinds(done.kept) == {"often": 3, "seldom": 1}
    given = {"rows": rows(often=3)}
    check_fields(graph([Sample(rows=4, stratify_by="label")], given), given)
    with pytest.raises(FieldsError, match="has a field 'kin'; they have kind"):
        check_fields(graph([Sample(rows=4, stratify_by="kin")], given), given)


@pytest.mark.parametrize(
    ("there", "total", "wanted"),
    [
        ({"a": 10, "b": 10}, 3, {"a": 2, "b": 1}),
        ({"b": 10, "a": 10}, 3, {"a": 2, "b": 1}),
        ({"a": 3, "b": 1}, 2, {"a": 1, "b": 1}),
        ({"a": 3, "b": 5}, 4, {"a": 1, "b": 3}),
        ({"a": 49, "b": 49, "c": 1, "d": 1}, 5, {"a": 2, "b": 1, "c": 1, "d": 1}),
        ({"a": 1, "b": 1, "c": 1}, 2, {"a": 1, "b": 1, "c": 0}),
        ({"a": 97, "b": 1, "c": 1, "d": 1}, 4, {"a": 1, "b": 1, "c": 1, "d": 1}),
        ({"a": 97, "b": 1, "c": 1, "d": 1}, 3, {"a": 3, "b": 0, "c": 0, "d": 0}),
        ({"a": 2, "b": 3}, 9, {"a": 2, "b": 3}),
        ({"a": 60, "b": 30, "c": 10}, 10, {"a": 6, "b": 3, "c": 1}),
    ],
)
def test_how_many_of_each_stratum(there: dict[str, int], total: int, wanted: dict[str, int]) -> None:
    found = counts(there, total)
    assert found == wanted
    assert sum(found.values()) == min(total, sum(there.values()))


def test_an_order_is_drawn_and_does_not_hang_on_the_one_before() -> None:
    given = rows(a=40, b=40)
    shuffled = worked([Sample(shuffle=True)], given).kept
    assert shuffled != given
    assert sorted(shuffled, key=given.index) == given
    assert worked([Sample(shuffle=True)], given[::-1]).kept == shuffled
    assert worked([Sample(shuffle=True, seed=1)], given).kept != shuffled
    few = worked([Sample(rows=10, shuffle=True)], given).kept
    assert few == [row for row in shuffled if row in few]
    assert sorted(few, key=given.index) == worked([Sample(rows=10)], given).kept
    same = [given[0]] * 3
    assert worked([Sample(shuffle=True)], same).kept == same


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "it has nothing to do: give rows, share or shuffle"),
        ({"rows": 3, "share": 0.5}, "rows and share are two ways to say how many"),
        ({"shuffle": True, "stratify_by": "kind"}, "give rows or share, too"),
        ({"share": 1}, "less than 1"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Sample.model_validate(settings)


def test_rows_without_a_stratum_and_too_many_strata_are_told() -> None:
    with pytest.raises(DataError, match="has no field 'kind', by which rows are drawn"):
        worked([Sample(rows=1, stratify_by="kind")], [*rows(a=2), make_example(ask("q", "a"))])
    many = rows(**{f"k{at}": 1 for at in range(1001)})
    with pytest.raises(DataError, match="more than 1,000 different values"):
        worked([Sample(rows=1, stratify_by="kind")], many)
