"""Splits that hold shares within strata, go by time, keep near rows together; rows in files."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.core.errors import DataError
from tunewright.core.example import Origin, ask, make_document, make_example
from tunewright.data.audit.audit import audit
from tunewright.data.examples import Examples, write_examples
from tunewright.data.freeze import freeze
from tunewright.data.spec import SplitSpec
from tunewright.data.split import PARTS, share, split


def row(question, answer="a", **fields):
    return make_example(ask(question, answer), fields=fields)


def placed(question, line, **fields):
    origin = Origin(source="s", file="f.csv", row=line)
    return make_example(ask(question, "a"), fields=fields, origin=origin)


def by_part(parts, of):
    return [Counter(map(of, part)) for part in parts]


@pytest.mark.parametrize("by", ["label", "kind"])
def test_shares_hold_within_each_stratum(by):
    rows = [row(f"q{at}", "rare" if at % 20 == 0 else "often", kind=int(at % 20 == 0)) for at in range(400)]
    found = share(rows, SplitSpec(stratify_by=by))
    assert by_part(found.parts, lambda one: one.expected) == [
        {"often": 304, "rare": 16},
        {"often": 38, "rare": 2},
        {"often": 38, "rare": 2},
    ]
    field = "the answer" if by == "label" else "'kind'"
    assert found.notes == (f"the shares hold within each of 2 strata by {field}",)


def test_strata_of_few_rows_share_what_is_left_over():
    rows = [row(f"q{at}", str(at // 3)) for at in range(300)]
    assert [len(part) for part in split(rows, SplitSpec(stratify_by="label"))] == [240, 30, 30]


def test_groups_stay_whole_in_strata():
    rows = [row(f"q{at // 4}", str(at), c=at // 8, even=at % 2) for at in range(400)]
    parts = split(rows, SplitSpec(stratify_by="even", group_by="c"))
    assert [len(part) for part in parts] == [320, 40, 40]
    assert sum(len(found) for found in by_part(parts, lambda one: one.fields["c"])) == 50


def test_a_field_named_label_goes_before_the_answer():
    rows = [row(f"q{at}", str(at), label="ab"[at % 2]) for at in range(100)]
    assert by_part(split(rows, SplitSpec(stratify_by="label")), lambda one: one.fields["label"]) == [
        {"a": 40, "b": 40},
        {"a": 5, "b": 5},
        {"a": 5, "b": 5},
    ]


DAYS = [f"2026-{month:02d}-{day:02d}" for month in range(1, 11) for day in range(1, 11)]


def test_the_oldest_are_trained_on_and_the_newest_are_the_test():
    rows = [row(f"q{at}", at=day) for at, day in enumerate(DAYS)]
    found = share(rows[::-1], SplitSpec(by_time="at"))
    days = [sorted(one.fields["at"] for one in part) for part in found.parts]
    assert days == [DAYS[:80], DAYS[80:90], DAYS[90:]]
    told = "by 'at': train to 2026-08-10 00:00, dev to 2026-09-10 00:00, test after that"
    assert found.notes == (told,)


def test_a_group_goes_by_its_newest_row_and_a_moment_stays_together():
    rows = [row(f"q{at}", at=day) for at, day in enumerate(DAYS)]
    again = row("Q0", "b", at="2026-10-10T23:00:00+02:00")  # as q0, of the first day
    parts = split([*rows, again], SplitSpec(by_time="at"))
    assert {rows[0].id, again.id} <= {one.id for one in parts.test}
    months = [row(f"q{at}", at=day[:7] + "-01") for at, day in enumerate(DAYS)]
    assert [
        len(part) for part in split(months, SplitSpec(by_time="at", train=0.72, dev=0.14, test=0.14))
    ] == [70, 20, 10]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40)), min_size=6, max_size=60))
def test_no_row_of_train_is_newer_than_the_groups_after_it(cells):
    rows = [
        row(f"q{question}", str(at), at=1_700_000_000 + time) for at, (question, time) in enumerate(cells)
    ]
    try:
        parts = split(rows, SplitSpec(by_time="at", train=0.6, dev=0.2, test=0.2))
    except DataError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert "moments at which groups of rows end" in refused or "need at least 3 groups" in refused
        return
    newest = {}
    for one in rows:
        newest[one.input_text] = max(newest.get(one.input_text, 0), one.fields["at"])
    ends = [[newest[one.input_text] for one in part] for part in parts]
    assert max(ends[0]) < min(ends[1]) <= max(ends[1]) < min(ends[2])


@pytest.mark.parametrize(
    ("rows", "spec", "message"),
    [
        ([placed("a", 2, at="2026-01-01"), placed("b", 3, at="soon")], {"by_time": "at"},
         "f.csv:3: split.by_time goes by the field 'at', and here it is 'soon': no date. Write dates as 2026-03-25 or"
         " 2026-03-25T10:00:00Z (ISO 8601), as mails do, or as Unix seconds."),
        ([placed("a", 2, at=None)], {"by_time": "at"}, "the field 'at', and here it is null: no date."),
        ([placed("a", 2, at=2026), placed("b", 3)], {"by_time": "at"}, "the row f.csv:3 has no field 'at'; its fields are"),
        ([row(f"q{at}", at="2026") for at in range(9)], {"by_time": "at"},
         "split.by_time: the field 'at' tells 1 moments at which groups of rows end; three parts need three."),
        ([row(f"q{at}", n=at) for at in range(9)], {"stratify_by": "n"},
         "split.stratify_by: 'n' has 9 values in 9 rows; strata are for values that many rows share."),
        ([row("q", Kind=1)], {"stratify_by": "kind"}, "no field 'kind'; its fields are Kind. Did you mean 'Kind'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_gone_by(rows, spec, message):
    with pytest.raises(DataError) as caught:
        split(rows, SplitSpec(**spec))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "ways", [("column", "by_time"), ("stratify_by", "by_time"), ("column", "stratify_by")]
)
def test_one_way_to_share_rows_out(ways):
    with pytest.raises(ValueError, match=f"{ways[0]} and {ways[1]} both say where a row goes"):
        SplitSpec(**dict.fromkeys(ways, "x"))
    with pytest.raises(ValueError, match="near moves rows and column forbids it"):
        SplitSpec(column="x", near=True)


@pytest.mark.parametrize("shares", [(0.2, 0.2, 0.6), (0.05, 0.05, 0.9), (0.1, 0.8, 0.1), (0.8, 0.1, 0.1)])
@pytest.mark.parametrize("rows", range(3, 9))
def test_few_rows_in_one_stratum_leave_no_part_empty(rows, shares):
    spec = SplitSpec(stratify_by="k", **dict(zip(PARTS, shares, strict=True)))
    found = share([row(f"q{at}", k="x") for at in range(rows)], spec)
    assert all(found.parts)
    assert found.notes == ("all rows are in one stratum by 'k'",)


def test_strata_that_are_one_group_are_told_of():
    rows = [row(f"q{at // 2}", str(at), k=at // 2) for at in range(100)]
    told = "the shares hold within each of 50 strata by 'k'; but 50 of them are one group of rows each, and in one part"
    assert share(rows, SplitSpec(stratify_by="k")).notes == (told,)


def test_strata_of_long_answers_keep_them_apart():
    rows = [row(f"q{at}", "x" * 100 + "ab"[at % 2]) for at in range(100)]
    assert by_part(split(rows, SplitSpec(stratify_by="label")), lambda one: one.expected[-1]) == [
        {"a": 40, "b": 40},
        {"a": 5, "b": 5},
        {"a": 5, "b": 5},
    ]


@pytest.mark.parametrize("spec", [{}, {"by_time": "at"}])
def test_a_group_of_most_rows_is_told_of(spec):
    rows = [row(f"q{at}", c="x" if at % 10 else at, at=f"{1900 + at}-01-01") for at in range(100)]
    told = share(rows, SplitSpec(group_by="c", **spec)).notes
    assert told[0] == "90 of 100 rows are one group, which stays whole"
    assert told[1:] == (
        ("by 'at': train to 1980-01-01 00:00, dev to 1990-01-01 00:00, test after that",) if spec else ()
    )


def test_near_rows_never_straddle():
    words = [f"word{number}" for number in range(17)]
    rows = []
    for at in range(60):
        said = [f"{word}{at}" for word in words]
        rows += [
            row(" ".join(said)),
            row(" ".join([*said[:-1], "mail"])),
            make_document(" ".join([*said, "now"])),
        ]
    near = share(rows, SplitSpec(near=True))
    assert [len(part) for part in near.parts] == [144, 18, 18]
    assert near.notes == ("120 groups of rows were joined to others that are nearly alike",)
    assert share(rows[::3], SplitSpec(near=True)).notes == ("no groups of rows are nearly alike",)
    parts = by_part(near.parts, lambda one: (one.input_text or one.expected).split()[0])
    assert sum(map(len, parts)) == 60
    apart = by_part(split(rows, SplitSpec()), lambda one: (one.input_text or one.expected).split()[0])
    assert sum(map(len, apart)) > 60


def test_rows_in_a_file_are_shared_out_as_rows_at_hand(tmp_path):
    rows = [row(f"q{at % 70} é\u2028", str(at), c=at // 5, x=1e16) for at in range(300)]
    write_examples(tmp_path / "rows.jsonl", rows)
    spec = SplitSpec(group_by="c")
    lazy, there = split(Examples(tmp_path / "rows.jsonl"), spec), split(rows, spec)
    assert [list(part) for part in lazy] == list(there)
    assert [lazy.train[3], lazy.train[-1], *lazy.train[5:7]] == [there.train[at] for at in (3, -1, 5, 6)]
    assert freeze(lazy, tmp_path / "one") == freeze(there, tmp_path / "two")
    files = {part: Examples(tmp_path / "one" / f"{part}.jsonl") for part in PARTS}
    assert audit(files) == audit(dict(zip(PARTS, there, strict=True)))


def test_an_audit_tells_how_rows_were_shared_out():
    found = audit({"all": [row("q")]}, split=("by 'at': train to 2026",))
    assert [(one.kind, one.severity, one.message) for one in found.findings] == [
        ("split", "info", "the split: by 'at': train to 2026.")
    ]
