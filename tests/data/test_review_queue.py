"""Which rows come to be reviewed, why, and in what order."""

import pytest
from pydantic import ValidationError
from reviewed_rows import row, said

from tunewright.core.errors import DataError, UserError
from tunewright.core.example import ask, make_example
from tunewright.data.ops.op import Rows
from tunewright.data.review.found import find, kinds
from tunewright.data.review.queue import Chosen, Selection, choose
from tunewright.data.review.standing import Reviews
from tunewright.data.review.status import status

ROWS = [row(number, quality=str(number / 100), big=number > 5) for number in range(20)]


def chosen(*decisions: object, by: str = "ann", **selection: object) -> Chosen:
    return choose(ROWS, Reviews(decisions), Selection(**selection), by=by)  # type: ignore[arg-type]


def test_rows_are_drawn_at_random_and_the_same_ones_again() -> None:
    found = chosen(rows=5)
    assert (len(found.numbers), found.drawn, found.rows, dict(found.why)) == (5, "random", 20, {})
    assert list(chosen(rows=5).numbers) == list(found.numbers)
    assert list(chosen(rows=7).numbers)[:5] == list(found.numbers)
    assert list(chosen(rows=5, seed=1).numbers) != list(found.numbers)
    assert sorted(chosen().numbers) == list(range(20))
    assert list(chosen(in_order=True, rows=3).numbers) == [0, 1, 2]


def test_reviewed_rows_are_left_out_or_come_last() -> None:
    first, second, third = list(chosen(rows=3).numbers)
    done = said(ROWS[first], "accept")
    found = chosen(done, rows=2)
    assert list(found.numbers) == [second, third]
    assert found.reviewed == 1
    again = chosen(done, again=True)
    assert (again.numbers[-1], again.why[first]) == (first, "reviewed before")


def test_rows_by_an_expression_and_by_the_lowest_number() -> None:
    found = chosen(where="big", lowest="quality", rows=2)
    assert (list(found.numbers), found.drawn) == ([6, 7], "chosen")
    assert found.why == {6: "where big; quality 0.06", 7: "where big; quality 0.07"}
    with pytest.raises(
        UserError, match=r"no row .* in the field 'qualty'; its fields are quality, big. Did you mean"
    ):
        chosen(lowest="qualty")
    with pytest.raises(UserError, match="no row"):
        chosen(lowest="big")
    with pytest.raises(DataError, match=r"'expected' is the text 'yes' for f.csv:0, neither true nor false"):
        chosen(where="expected")
    with pytest.raises(ValidationError, match="cannot be read"):
        Selection(where="big ==")


def test_rows_by_their_place_or_id_whether_reviewed_or_not() -> None:
    found = chosen(said(ROWS[3], "accept"), row=("f.csv:3", ROWS[5].id))
    assert (sorted(found.numbers), found.drawn, found.why[3]) == ([3, 5], "chosen", "named")
    with pytest.raises(UserError, match=r"--row: no row to review is g.csv:1. Name its file and line"):
        chosen(row=("g.csv:1",))


def test_second_judgements_and_disagreements() -> None:
    decisions = [
        said(ROWS[1], "accept", "ann"),
        said(ROWS[1], "reject", "bob", minute=1),
        said(ROWS[2], "accept", "ann"),
    ]
    assert list(chosen(*decisions, by="bob", second=True).numbers) == [2]
    assert list(chosen(*decisions, by="ann", second=True).numbers) == []
    found = chosen(*decisions, disagreed=True)
    assert found.why == {1: "judged differently (ann: accept, bob: reject)"}


def rows_with(*pairs: tuple[str, str]) -> Rows:
    return Rows({"s": [make_example(ask(*pair)) for pair in pairs]})


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("contradiction", {1: "its prompt has 2 different answers", 2: "its prompt has 2 different answers"}),
        ("duplicate", {3: "the same as example "}),
        ("secret", {4: "holds secret"}),
        ("placeholder_answer", {5: "answers that stand for another"}),
    ],
)
def test_rows_that_the_audit_finds_odd(kind: str, reasons: dict[int, str]) -> None:
    rows = rows_with(
        ("Is it a lamp?", "It is."),
        ("Where is it?", "Here."),
        ("where is IT?", "There."),
        ("Is it a lamp?", "It is."),
        ("My key is hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "Keep it."),
        ("What is this?", "see above"),
    )
    why = find(rows, kind)
    told = {number: said for number, one in enumerate(rows) if (said := why(number, one))}
    assert told.keys() == reasons.keys()
    assert all(told[number].startswith(reason) for number, reason in reasons.items())
    every = find(rows, "any")
    assert all(reason in (every(number, rows[number]) or "") for number, reason in told.items())


def test_a_finding_that_there_is_not() -> None:
    with pytest.raises(
        UserError, match=r"there is no finding 'secrets' about single rows\. Did you mean 'secret'\?"
    ):
        find(rows_with(("a", "b")), "secrets")
    assert "leak" not in kinds()


def test_the_status_counts_by_reviewer_and_tells_how_they_agree() -> None:
    decisions = [
        *(said(ROWS[number], "accept", "ann") for number in range(8)),
        *(said(ROWS[number], "reject", "ann", reason="off topic") for number in (8, 9)),
        *(said(ROWS[number], "accept", "bob", minute=1) for number in (0, 1, 2)),
        said(ROWS[8], "reject", "bob", minute=1, reason="rude"),
        said(ROWS[3], "reject", "bob", minute=1),
        said(row(77), "accept"),
    ]
    found = status(ROWS, Reviews(decisions))
    assert (found.rows, found.reviewed, found.left) == (20, 10, 10)
    assert (found.accept.count, found.reject.count, found.edit.count) == (7, 3, 0)
    assert (found.accept.model_dump(), found.drawn_accept) == ({"count": 7, "value": 0.7}, None)
    assert [(one.by, one.rows, one.reject.count) for one in found.reviewers] == [
        ("ann", 11, 2),
        ("bob", 5, 2),
    ]
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.rows, pair.alike.count, pair.alike.value) == (
        "ann",
        "bob",
        5,
        4,
        0.8,
    )
    assert (pair.by_chance, pair.kappa) == pytest.approx((0.56, 0.5455), abs=1e-4)
    assert (pair.kappa_low, pair.kappa_high) == pytest.approx((-0.4192, 0.9177), abs=1e-4)
    assert (found.disagreed, found.gone, found.older) == (("f.csv:3",), ("f.csv:77",), ())
    assert found.reasons == {"off topic": 2, "rude": 1}
    assert found.good is None
    assert found.words.endswith("they were chosen, and say nothing of the others")


def test_only_rows_that_were_drawn_have_an_interval() -> None:
    decisions = [
        *(said(ROWS[number], "accept", "ann", drawn="random") for number in range(8)),
        *(said(ROWS[number], "reject", "ann", drawn="random") for number in (8, 9)),
        *(said(ROWS[number], "reject", "bob", minute=1) for number in (10, 11)),
    ]
    found = status(ROWS, Reviews(decisions))
    ann, bob = found.reviewers
    assert found.drawn_accept == ann.drawn_accept
    assert ann.drawn_accept is not None
    assert ann.drawn_accept.model_dump() == pytest.approx(
        {"count": 8, "of": 10, "value": 0.8, "low": 0.4902, "high": 0.9433}, abs=1e-4
    )
    assert (found.accept.value, bob.drawn_accept) == (8 / 12, None)


def test_what_is_no_number_has_no_place_in_an_order() -> None:
    rows = [row(1, quality="nan"), row(2, quality=2), row(3, quality="1")]
    found = choose(rows, Reviews(), Selection(lowest="quality"), by="ann")
    assert list(found.numbers) == [2, 1]
