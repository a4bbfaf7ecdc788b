import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.core.errors import DataError, IntegrityError
from tunewright.core.example import Origin, ask, make_example
from tunewright.data.freeze import freeze, load_info, load_part
from tunewright.data.normal import input_key
from tunewright.data.spec import SplitSpec
from tunewright.data.split import PARTS, split


def row(question, answer="a", **fields):
    return make_example(ask(question, answer), fields=fields)


def names(parts):
    return [{example.id for example in part} for part in parts]


def test_shares_are_exact_where_every_row_is_its_own_group():
    rows = [row(f"q{at}") for at in range(1000)]
    parts = split(rows, SplitSpec())
    assert [len(part) for part in parts] == [800, 100, 100]
    assert sorted(e.id for part in parts for e in part) == sorted(e.id for e in rows)
    assert split(rows[::-1], SplitSpec()) == parts
    assert split(rows, SplitSpec(seed=1)) != parts


def test_a_few_rows_more_move_few_others():
    rows = [row(f"q{at}") for at in range(1000)]
    more = rows + [row(f"new{at}") for at in range(10)]
    before, after = names(split(rows, SplitSpec())), names(split(more, SplitSpec()))
    assert sum(len(old - new) for old, new in zip(before, after, strict=True)) <= 10


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=60), st.integers(0, 3))
def test_groups_never_straddle_and_no_row_is_lost(cells, seed):
    rows = [row(f"Q {question}", str(at), customer=customer) for at, (question, customer) in enumerate(cells)]
    try:
        parts = split(rows, SplitSpec(group_by="customer", seed=seed))
    except DataError as error:
        refused = str(error)
    else:
        assert sorted(e.id for part in parts for e in part) == sorted(e.id for e in rows)
        for key in (input_key, lambda example: example.fields["customer"]):
            seen = [{key(example) for example in part} for part in parts]
            assert all(seen)
            assert sum(map(len, seen)) == len(set.union(*seen))
        return
    assert "need at least 3 groups of rows" in refused


def test_equal_inputs_stay_together_whatever_their_case():
    rows = [row(f"{'Q' if at % 2 else 'q'} {at // 4}", str(at)) for at in range(400)]
    parts = split(rows, SplitSpec())
    assert [len(part) for part in parts] == [320, 40, 40]
    keys = [{input_key(example) for example in part} for part in parts]
    assert sum(map(len, keys)) == 100


def test_a_question_with_and_without_its_system_prompt_stays_together():
    """A table and a file of chats with the same questions: the task's prompt stands in the chats alone."""
    rows = [
        make_example(ask(f"q{at}", str(at), system=system))
        for at in range(60)
        for system in (None, "Answer with the label.")
    ]
    parts = split(rows, SplitSpec())
    assert [len(part) for part in parts] == [96, 12, 12]
    asked = [{example.input_text for example in part} for part in parts]
    assert sum(map(len, asked)) == 60


TOO_FEW = "split: train, dev and test need at least 3 groups of rows; "
PARTED = [row("a", part="train"), row("b", part="test")]
ONE_CUSTOMER = [row(str(at), c=1) for at in range(9)]


@pytest.mark.parametrize(
    ("rows", "spec", "message"),
    [
        ([row("a"), row("A ", "b")], {}, f"{TOO_FEW}by equal inputs these 2 rows make 1."),
        (ONE_CUSTOMER, {"group_by": "c"}, f"{TOO_FEW}by equal inputs and the field 'c' these 9 rows make 1."),
        ([row("a", Lang=1)], {"group_by": "lang"}, "no field 'lang'; its fields are Lang. Did you mean 'Lang'?"),
        ([row("a", part="x")], {"column": "part"}, "the column 'part' says 'x'; a part is train, dev"),
        (PARTED, {"column": "part"}, "split.column: the column 'part' puts no row into dev."),
    ],
)  # fmt: skip
def test_splits_that_cannot_be(rows, spec, message):
    with pytest.raises(DataError) as caught:
        split(rows, SplitSpec(**spec))
    assert message in str(caught.value)


def test_shares_must_add_up():
    with pytest.raises(ValueError, match=r"add up to 1\.1; they are shares of 1"):
        SplitSpec(train=0.9)


def test_a_column_that_says_the_part():
    rows = [row(f"q{at}", part=part) for at, part in enumerate(["Train", "train", "validation", "test"])]
    assert names(split(rows, SplitSpec(column="part"))) == [
        {rows[0].id, rows[1].id},
        {rows[2].id},
        {rows[3].id},
    ]


def test_a_column_that_parts_equal_inputs_is_refused():
    marks = ["train", "train", "dev", "test", "val", "test"]
    texts = ["one", "two", "three", "four", "ONE ", "three"]
    rows = [
        make_example(
            ask(text, str(at)), fields={"part": mark}, origin=Origin(source="s", file="f.csv", row=at + 2)
        )
        for at, (text, mark) in enumerate(zip(texts, marks, strict=True))
    ]
    with pytest.raises(DataError) as caught:
        split(rows, SplitSpec(column="part"))
    assert str(caught.value) == (
        "split.column: the column 'part' puts equal inputs into different parts, 2 times: "
        "f.csv:6 (dev) asks what f.csv:2 (train) asks; f.csv:7 (test) asks what f.csv:4 (dev) asks. "
        "Mark equal inputs for one part, drop them from the others, or leave split.column out and split by shares."
    )
    assert [len(part) for part in split(rows[:4], SplitSpec(column="part"))] == [2, 1, 1]
    told = make_example(ask("Ｏne", "a", system="Answer."), fields={"part": "dev"})
    with pytest.raises(DataError, match=rf"{told.place} \(dev\) asks what f\.csv:2 \(train\) asks"):
        split([*rows[:4], told], SplitSpec(column="part"))


@pytest.mark.parametrize("part", ["dev", "test"])
def test_a_row_twice_in_a_part_that_is_scored_is_refused(part):
    rows = [
        row("one", part="train"),
        row("one", part="train"),
        row("two", part="dev"),
        row("three", part="test"),
    ]
    assert [len(part) for part in split(rows, SplitSpec(column="part"))] == [2, 1, 1]
    (again,) = (example for example in rows if example.fields["part"] == part)
    with pytest.raises(DataError) as caught:
        split([*rows, *[again.model_copy() for _ in range(4)]], SplitSpec(column="part"))
    repeat = f"example {again.id} repeats example {again.id}"
    assert str(caught.value) == (
        f"split: {part} would hold the same row more than once, 4 times: {repeat}; {repeat}; {repeat}; and 1 more. "
        "Add drop_duplicates to the recipe."
    )


def test_rows_without_a_group_stand_alone():
    rows = [row(f"q{at}", customer=None if at % 2 else "") for at in range(28)]
    rows += [row("known", customer="x"), row("not said")]
    assert [len(part) for part in split(rows, SplitSpec(group_by="customer"))] == [24, 3, 3]


def test_three_rows_are_enough():
    assert [len(part) for part in split([row("a"), row("b"), row("c")], SplitSpec())] == [1, 1, 1]


def test_frozen_parts_come_back(tmp_path):
    rows = [row(f"q{at} é\u2028", "a\nb", n=at, x=None) for at in range(30)]
    rows.append(make_example(ask("o", "a"), origin=Origin(source="s", file="f.csv", row=3)))
    parts = split(rows, SplitSpec())
    info = freeze(parts, tmp_path / "one")
    assert info == load_info(tmp_path / "one") == freeze(split(rows[::-1], SplitSpec()), tmp_path / "two")
    assert info.rows == {"train": 25, "dev": 3, "test": 3}
    assert [load_part(tmp_path / "one", part) for part in PARTS] == list(parts)


def test_a_frozen_file_that_was_touched(tmp_path):
    freeze(split([row(f"q{at}") for at in range(9)], SplitSpec()), tmp_path)
    (tmp_path / "dev.jsonl").write_bytes((tmp_path / "dev.jsonl").read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=r"dev\.jsonl: the file is not the one that was frozen"):
        load_part(tmp_path, "dev")
    (tmp_path / "test.jsonl").unlink()
    with pytest.raises(IntegrityError, match=r"test\.jsonl"):
        load_part(tmp_path, "test")
    with pytest.raises(IntegrityError, match="there is no frozen dataset here"):
        load_info(tmp_path / "elsewhere")
