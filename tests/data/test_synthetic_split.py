"""Written rows beside people's own: trained on, and nothing of dev or test given away."""

from pathlib import Path

import pytest

from tunewright.core.errors import DataError
from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.data.examples import Examples, write_examples
from tunewright.data.repeats import repetition
from tunewright.data.spec import DataSpec, SplitSpec
from tunewright.data.split import split
from tunewright.data.synthetic.beside import Beside, any_written, share_beside

LOOSE = DataSpec(synthetic_share=1)


def own(number: int, **fields: object) -> Example:
    origin = Origin(source="s", file="s.csv", row=number)
    return make_example(ask(f"question {number}", "a"), origin=origin, fields=fields)


def written(number: int, text: str, shown: list[str] | None = None, **fields: object) -> Example:
    origin = Origin(source="s", file="s.csv", row=number, teacher="big", depth=1)
    more = {"written_from": shown} if shown else {}
    return make_example(ask(text, "a"), origin=origin, fields={**fields, **more})


OWN = [own(n) for n in range(60)]
PARTS = split(OWN, SplitSpec())


def anew(row: Example, text: str) -> Example:
    assert row.origin is not None
    return written(row.origin.row, text)


def beside(rows: list[Example], data: DataSpec = LOOSE, **settings: object) -> Beside:
    return share_beside([*OWN, *rows], SplitSpec.model_validate(settings), data)


def test_without_written_rows_nothing_changes() -> None:
    assert share_beside(OWN, SplitSpec(), DataSpec())[:3] == (PARTS, (), [])


def test_rows_of_a_file_stay_there_where_none_is_written(tmp_path: Path) -> None:
    write_examples(tmp_path / "own.jsonl", OWN)
    found = share_beside(Examples(tmp_path / "own.jsonl"), SplitSpec(), DataSpec()).parts
    assert [list(part) for part in found] == [list(part) for part in PARTS]
    assert not isinstance(found.train, list)


def test_a_field_called_depth_is_no_depth(tmp_path: Path) -> None:
    deep = [own(n, depth=3, origin={"depth": 2}) for n in range(60)]
    write_examples(tmp_path / "own.jsonl", deep)
    assert not any_written(Examples(tmp_path / "own.jsonl"))
    write_examples(tmp_path / "own.jsonl", [*deep, written(99, "new")])
    assert any_written(Examples(tmp_path / "own.jsonl"))


@pytest.mark.parametrize("data", [LOOSE, DataSpec(synthetic_share=1, synthetic_dev=True)])
@pytest.mark.parametrize("spec", [{}, {"group_by": "customer"}, {"stratify_by": "label"}, {"near": True}])
def test_rows_of_a_file_are_shared_out_as_rows_at_hand_and_stay_there(
    tmp_path: Path, spec: dict[str, object], data: DataSpec
) -> None:
    rows = [own(n, customer=n % 23) for n in range(150)]
    rows += [written(n, f"new {n}", [OWN[n % 60].place] * (n % 2), customer=n % 40) for n in range(90)]
    rows += [repetition(row, again) for row in rows[:20] for again in (1, 2)]
    write_examples(tmp_path / "rows.jsonl", rows)
    settings = SplitSpec.model_validate(spec)
    there = share_beside(rows, settings, data)
    lies = share_beside(Examples(tmp_path / "rows.jsonl"), settings, data)
    assert [list(part) for part in lies.parts] == [list(part) for part in there.parts]
    assert (list(lies.left_out), lies.notes) == (there.left_out, there.notes)
    assert not any(isinstance(part, list) for part in (*lies.parts, lies.left_out))


def test_written_rows_are_trained_on_and_peoples_rows_stay_where_they_were() -> None:
    rows = [written(900 + n, f"new {n}") for n in range(20)]
    found = beside(rows, DataSpec()).parts
    assert beside(rows, DataSpec()).notes == (
        "20 of 68 rows to train on (29%) were written by models or rules (big 20)",
    )
    assert (found.dev, found.test) == (PARTS.dev, PARTS.test)
    assert {row.id for row in found.train} == {row.id for row in (*PARTS.train, *rows)}
    firsts = [row.id for row in found.train[:34]]
    assert 3 <= sum(row.id in firsts for row in rows) <= 17, "the first N are a fair sample"
    assert beside(rows[::-1], DataSpec()).parts == found


def test_what_gives_rows_of_dev_or_test_away_is_left_out() -> None:
    tested, looked_at, trained = PARTS.test[0], PARTS.dev[0], PARTS.train[0]
    rows = [
        anew(tested, "in other words"),
        anew(looked_at, "in other words, too"),
        written(900, tested.input_text.upper()),
        written(901, "like that one", shown=[trained.place, tested.place]),
        anew(trained, "fine"),
    ]
    found = beside(rows)
    assert found.left_out == rows[:4]
    assert found.notes[1].startswith(
        "4 written rows stand in no part, since they are tied to rows of dev or test (the first: "
    )
    assert rows[4] in found.parts.train
    assert (found.parts.dev, found.parts.test) == (PARTS.dev, PARTS.test)


def test_in_dev_they_stand_where_they_may() -> None:
    looked_at, trained = PARTS.dev[0], PARTS.train[0]
    astride = written(900, "like both", shown=[looked_at.place, trained.place])
    good, same = anew(looked_at, "in other words"), anew(trained, "IN other words")
    found = beside([good, astride, same], DataSpec(synthetic_dev=True, synthetic_share=1))
    assert good in found.parts.dev
    assert found.left_out == [astride, same]
    assert found.parts.test == PARTS.test


def test_groups_are_kept_together() -> None:
    rows = [own(n, customer=n % 20) for n in range(60)]
    spec = SplitSpec(group_by="customer")
    parts = split(rows, spec)
    tested = parts.test[0].fields["customer"]
    new = [written(900 + n, f"new {n}", customer=n) for n in range(20)]
    found = share_beside([*rows, *new], spec, LOOSE)
    assert tested in {row.fields["customer"] for row in found.left_out}
    assert {row.fields["customer"] for row in found.left_out} == {
        row.fields["customer"] for row in (*parts.dev, *parts.test)
    }


def test_a_column_that_says_test_of_what_was_written_from_it_is_no_matter() -> None:
    rows = [own(n, part=("train", "train", "dev", "test")[n % 4]) for n in range(40)]
    new = [written(n, f"new {n}", **rows[n].fields) for n in range(40)]
    found = share_beside([*rows, *new], SplitSpec(column="part"), DataSpec())
    assert [len(part) for part in found.parts] == [40, 10, 10]
    assert len(found.left_out) == 20


def test_people_wrote_too_few_to_judge_by() -> None:
    rows = [written(n, f"new {n}") for n in range(50)]
    with pytest.raises(
        DataError, match="50 of 52 rows were written by models or rules, and dev and test are of people's"
    ):
        share_beside([*OWN[:2], *rows], SplitSpec(), LOOSE)
    with pytest.raises(DataError, match=r"data.synthetic_share: 50 of 98 rows to train on \(51%\)"):
        share_beside([*OWN, *(written(900 + n, f"new {n}") for n in range(50))], SplitSpec(), DataSpec())


def test_a_row_that_is_too_deep_is_refused_where_it_would_be_trained_on() -> None:
    origin = Origin(source="s", file="s.csv", row=4, teacher="big", depth=2)
    deep = make_example(ask("a deep one", "a"), origin=origin)
    rows = [row for row in OWN if row.place != PARTS.test[0].place]
    with pytest.raises(DataError, match=r"s.csv:4 was written by big at depth 2, and data.max_depth is 1"):
        share_beside([*rows, deep], SplitSpec(), LOOSE)
    told = make_example(ask(PARTS.test[0].input_text, "a"), origin=origin)
    assert share_beside([*OWN, told], SplitSpec(), LOOSE).left_out == [told]


def test_a_written_row_that_is_nearly_like_one_of_test_is_left_out() -> None:
    words = [f"word{number}" for number in range(17)]
    own_rows = [
        make_example(ask(" ".join(f"{word}{n}" for word in words), "a"), origin=own(n).origin)
        for n in range(60)
    ]
    test = split(own_rows, SplitSpec()).test[0]
    near = written(900, " ".join([*test.input_text.split()[:-1], "mail"]))
    assert near in share_beside([*own_rows, near], SplitSpec(), LOOSE).parts.train
    found = share_beside([*own_rows, near], SplitSpec(near=True), LOOSE)
    assert (found.left_out, found.parts.test) == ([near], split(own_rows, SplitSpec()).test)
