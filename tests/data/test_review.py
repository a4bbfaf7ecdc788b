"""Decisions on rows: their file, which of them counts, and the operation that puts them in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from reviewed_rows import row, said

from tunewright.core.errors import DataError
from tunewright.core.example import Origin, ask, make_document, make_example
from tunewright.core.message import Message
from tunewright.data.ops.op import Dropped, FilesOnly, Kept, Note, Rows
from tunewright.data.ops.review import Review, apply
from tunewright.data.review.decision import Decision
from tunewright.data.review.edit import Edit, edit_of, edited
from tunewright.data.review.estimate import Tally, quality
from tunewright.data.review.file import LONGEST, append, read
from tunewright.data.review.standing import Reviews

ROWS = [row(number) for number in range(10)]


def test_an_edit_names_what_changed_and_makes_the_row_anew() -> None:
    old = make_example(
        ROWS[1].messages, fields={"a": 1, "b": 2}, origin=ROWS[1].origin, rejected="no", desirable=True
    )
    new = make_example(row(1, "sure").messages, fields={"a": 1.0, "c": [3]}, origin=old.origin)
    edit = edit_of(old, new)
    assert edit is not None
    assert edit.model_dump(exclude_unset=True, exclude={"messages"}) == {
        "rejected": None,
        "desirable": None,
        "fields": {"c": [3]},
        "without": ("b",),
    }
    assert edited(old, edit) == new.model_copy(update={"fields": {"a": 1, "c": [3]}})
    assert edit_of(old, old) is None
    document = make_document("text", fields={"p": 1}, origin=old.origin)
    better = make_document("Text.", fields={"p": 1}, origin=old.origin)
    assert edited(document, edit_of(document, better) or Edit()) == better


def test_decisions_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    new = make_example(
        row(3, "no").messages, rejected="a\u2028b", fields={"ü": {"x": None}}, origin=ROWS[3].origin
    )
    decisions = [
        said(ROWS[1], "accept", drawn="random"),
        said(ROWS[2], "reject", reason="wrong läbel"),
        said(ROWS[3], "edit", new=new),
    ]
    append(path, *decisions[:1])
    append(path, *decisions[1:])
    assert read(path) == decisions
    assert edited(ROWS[3], read(path)[2].edit or Edit()) == new
    assert json.loads(path.read_text("utf-8").splitlines()[0]) == {
        "id": ROWS[1].id,
        "place": "f.csv:1",
        "source": "s",
        "verdict": "accept",
        "drawn": "random",
        "by": "ann",
        "at": "2026-03-01T12:00:00Z",
    }
    assert read(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("cut", [1, 20, 110])
def test_a_line_that_was_cut_off_is_left_out_and_taken_off(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "reviews.jsonl"
    append(path, said(ROWS[1], "accept"), said(ROWS[2], "accept"))
    path.write_bytes(path.read_bytes()[:-cut])
    whole = 2 if cut == 1 else 1  # only the line's end is gone
    assert len(read(path)) == whole
    append(path, said(ROWS[3], "accept"))
    assert [one.place for one in read(path)] == [*["f.csv:1", "f.csv:2"][:whole], "f.csv:3"]


CALL = [
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": "no"}}]},
]
GOOD = said(ROWS[1], "accept").plain()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "the line is not JSON (Expecting property name enclosed in double quotes at the end)"),
        ("[]", "the line is not a JSON object"),
        ("<<<<<<< HEAD", "this is the mark of a merge that was not finished. Keep the lines of both sides"),
        (
            json.dumps(GOOD | {"verdict": "maybe"}),
            "this is no decision (verdict: input should be 'accept', 'reject'",
        ),
        (
            json.dumps(GOOD | {"at": "2026-03-01T12:00:00"}),
            "this is no decision (at: input should have timezone info)",
        ),
        (
            json.dumps(GOOD | {"verdict": "edit"}),
            "this is no decision (an `edit` stands with the verdict edit",
        ),
        (json.dumps(GOOD | {"colour": 1}), "this is no decision (colour: extra inputs are not permitted)"),
        (
            json.dumps(GOOD | {"verdict": "edit", "edit": {"messages": []}}),
            "(edit: the edited messages do not end",
        ),
        (
            json.dumps(GOOD | {"verdict": "edit", "edit": {"rejected": "a\0"}}),
            "(edit: a NUL character stands",
        ),
        (
            json.dumps(
                GOOD | {"verdict": "edit", "edit": {"messages": [{"role": "assistant", "content": " "}]}}
            ),
            "(edit: the edited answer is blank",
        ),
        (
            json.dumps(
                GOOD
                | {
                    "verdict": "edit",
                    "edit": {"messages": [turn.model_dump() for turn in ask("q", "a", system="s")][::2]},
                }
                | {"becomes": "x" * 65}
            ),
            "(becomes: string should have at most 64",
        ),
        (
            json.dumps(GOOD | {"verdict": "edit", "edit": {"messages": CALL}}),
            "is not JSON: Expecting value at",
        ),
        (
            json.dumps(GOOD | {"verdict": "edit", "edit": {"rejected": " "}}),
            "(edit: the worse answer is blank",
        ),
        (json.dumps(GOOD | {"reason": "\ud800"}), "this is no decision (invalid JSON"),
    ],
)
def test_a_line_that_is_no_decision_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "reviews.jsonl"
    append(path, said(ROWS[1], "accept"))
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith("reviews.jsonl:3: ")
    assert told in str(caught.value)


def test_a_line_without_end_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    with path.open("wb") as stream:
        stream.truncate(LONGEST * 3)
    with pytest.raises(DataError, match="the line is longer than"):
        read(path)


def test_a_decision_that_no_line_holds_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    with pytest.raises(
        DataError, match=r"f\.csv:1: the decision takes 16,777,\d+ bytes, and a line of reviews at most"
    ):
        append(path, said(ROWS[2], "accept"), said(ROWS[1], "edit", new=row(1, "x" * LONGEST)))
    assert not path.exists()


def test_the_latest_decision_counts_and_can_be_taken_back() -> None:
    reviews = Reviews(
        [
            said(ROWS[1], "reject", minute=2),
            said(ROWS[1], "accept", minute=1),
            said(ROWS[1], "accept", "bob", minute=0),
            said(ROWS[2], "reject"),
            said(ROWS[2], "withdraw", minute=1),
        ]
    )
    standing = reviews.on(ROWS[1])
    assert standing.decision is not None
    assert (standing.decision.verdict, standing.disagreed) == ("reject", True)
    assert {by: one.verdict for by, one in standing.by.items()} == {"ann": "reject", "bob": "accept"}
    assert reviews.on(ROWS[2]).decision is None
    assert [key.place for key in reviews.keys] == ["f.csv:1"]


def test_a_row_that_moved_keeps_its_decision_and_one_that_changed_loses_it() -> None:
    moved = ROWS[1].model_copy(update={"origin": Origin(source="s", file="f.csv", row=77)})
    reviews = Reviews([said(ROWS[1], "accept"), said(ROWS[2], "reject")])
    assert reviews.on(moved).decision == said(ROWS[1], "accept")
    assert reviews.on(row(2, "no")).decision is None
    torn = Reviews([said(ROWS[1], "accept"), said(moved, "reject")])
    again = ROWS[1].model_copy(update={"origin": Origin(source="s", file="f.csv", row=99)})
    assert torn.on(again) == (None, {}, True)
    assert torn.on(moved).decision == said(moved, "reject")


def worked(folder: Path, rows: list, **spec: str) -> tuple[list[str], list[str]]:
    """What became of each row, and the notes."""
    fates, notes = [], []
    for one in apply(Review(**spec), Rows({"s": rows}), FilesOnly(folder)):
        if isinstance(one, Note):
            notes.append(one.text)
        elif isinstance(one, Dropped):
            fates.append(one.reason)
        else:
            assert isinstance(one, Kept)
            fates.append("kept" if one.was is None else f"now {one.example.expected}")
    return fates, notes


def test_rejects_go_edits_replace_and_the_rest_stays(tmp_path: Path) -> None:
    append(
        tmp_path / "reviews.jsonl",
        said(ROWS[1], "accept"),
        said(ROWS[2], "reject", reason="wrong label"),
        said(ROWS[3], "reject"),
        said(ROWS[4], "edit", new=row(4, "better")),
    )
    fates, notes = worked(tmp_path, ROWS[:6])
    assert fates == [
        "kept",
        "kept",
        "rejected in review: wrong label",
        "rejected in review",
        "now better",
        "kept",
    ]
    assert notes == [
        "4 of 6 rows are reviewed: 1 accepted, 1 edited, 2 rejected; they were chosen, and say nothing of the others"
    ]
    assert worked(tmp_path, ROWS[:2], unreviewed="drop")[0] == ["not reviewed", "kept"]
    assert worked(tmp_path, ROWS[:2], file="none.jsonl") == (["kept", "kept"], ["0 of 2 rows are reviewed"])


def test_decisions_that_do_not_count_any_more_are_told(tmp_path: Path) -> None:
    append(
        tmp_path / "reviews.jsonl",
        said(ROWS[1], "reject"),
        said(ROWS[1], "accept", "bob", minute=1),
        said(ROWS[2], "reject"),
        said(ROWS[3], "reject"),
        said(ROWS[4], "edit", new=row(4, "better")),
    )
    fates, notes = worked(tmp_path, [ROWS[1], row(2, "changed"), row(4, "better")])
    assert fates == ["kept", "kept", "kept"]
    assert notes[1:] == [
        "judged differently by two people, the later judgement counts: 1 row (f.csv:1)",
        "reviewed before, and no longer there: 1 row (f.csv:3)",
        "reviewed when they said something else, which counts for nothing: 1 row (f.csv:2)",
    ]


def test_several_files_are_as_one_and_a_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "reviews").mkdir()
    append(tmp_path / "reviews" / "ann.jsonl", said(ROWS[0], "accept", minute=5))
    append(tmp_path / "reviews" / "bob.jsonl", said(ROWS[0], "reject", "bob"), said(ROWS[1], "reject", "bob"))
    assert worked(tmp_path, ROWS[:2], file="reviews/*.jsonl")[0] == ["kept", "rejected in review"]
    with pytest.raises(DataError, match=r"reviews: this is a folder. Name its files: reviews/\*.jsonl."):
        worked(tmp_path, ROWS[:2], file="reviews")


def test_what_drawn_rows_say_of_the_others() -> None:
    tally = Tally()
    for number in range(1000):
        verdict = None if number >= 60 else "accept" if number >= 6 else "reject"
        one = row(number)
        tally.take(one, said(one, verdict, drawn="random") if verdict else None)
    assert tally.good == pytest.approx((0.9, 0.8046, 0.9502), abs=1e-4)
    assert quality(tally) == (
        "60 of 1,000 rows are reviewed: 54 accepted, 0 edited, 6 rejected; as 60 of them were drawn at random, about 90.0%"
        " of all rows are right as they are (95 % interval 80.5% to 95.0%)"
    )
    twin = ROWS[1].model_copy(update={"origin": Origin(source="s", file="f.csv", row=50)})
    tally.take(twin, said(ROWS[1], "accept", drawn="random"))
    assert (tally.judged["accept"], tally.drawn["accept"]) == (55, 54)


def test_a_decision_on_messages_with_weights_and_calls_comes_back(tmp_path: Path) -> None:
    turns = (
        Message(role="user", content="a"),
        Message(role="assistant", content="b", weight=0),
        Message(role="user", content="c"),
        Message(role="assistant", content="d", weight=0.5),
    )
    new = make_example(turns, origin=ROWS[5].origin)
    append(tmp_path / "r.jsonl", said(ROWS[5], "edit", new=new))
    (decision,) = read(tmp_path / "r.jsonl")
    assert isinstance(decision, Decision)
    assert edited(ROWS[5], decision.edit or Edit()) == new
    assert decision.becomes == new.id


@pytest.mark.parametrize("last", [">>>>>>> theirs", '{"id": "x", "verdict": reject by hand}', "[1"])
def test_what_a_person_left_unfinished_is_told_and_not_taken_off(tmp_path: Path, last: str) -> None:
    path = tmp_path / "reviews.jsonl"
    append(path, said(ROWS[1], "accept"))
    path.write_text(path.read_text("utf-8") + last, "utf-8")
    with pytest.raises(DataError, match=r"reviews\.jsonl:2: "):
        read(path)
    append(path, said(ROWS[2], "accept"))
    assert path.read_text("utf-8").splitlines()[1] == last


def test_every_cut_of_a_line_is_known_as_one(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    edit = said(
        ROWS[3], "edit", new=make_example(row(3, 'läbel "\\ \x01').messages, fields={"a": [True, None, 1.5]})
    )
    append(path, edit)
    whole = path.read_bytes()
    for length in range(1, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read(path) == []
        append(path, edit)
        assert path.read_bytes() == whole


def test_several_append_to_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    code = (
        "import sys; from pathlib import Path; from reviewed_rows import row, said\n"
        "from tunewright.data.review.file import append\n"
        "for n in range(30): append(Path(sys.argv[1]), said(row(n), 'reject', sys.argv[2], reason='x' * 9000))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    names = ("ann", "bob", "eve")
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), name], env=env) for name in names]
    assert [one.wait() for one in started] == [0, 0, 0]
    decisions = read(path)
    for name in names:
        assert [one.place for one in decisions if one.by == name] == [f"f.csv:{n}" for n in range(30)]


def test_an_edit_of_another_kind_of_row_stops_the_run_in_one_sentence(tmp_path: Path) -> None:
    document = make_document("a text", origin=ROWS[1].origin)
    line = said(document, "accept").plain() | {
        "verdict": "edit",
        "edit": {"messages": [turn.model_dump() for turn in ROWS[1].messages]},
    }
    (tmp_path / "reviews.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(DataError) as caught:
        worked(tmp_path, [document])
    assert str(caught.value) == (
        "reviews.jsonl: the edit of f.csv:1 by ann does not fit the row (a document stays a document, and a conversation"
        " keeps what it asks). Take its line out."
    )


def test_rows_chosen_after_the_draw_are_not_taken_out_of_what_it_speaks_for() -> None:
    """Of 1,000 rows 200 are bad; whoever drew 100 and then looks for the bad ones must not make the estimate worse."""

    def tally(chosen_at: int) -> Tally:
        found = Tally()
        for number in range(1000):
            one, bad = row(number), number % 5 == 0
            drawn = number < 100
            verdict = "reject" if bad else "accept" if drawn else None
            how = {"drawn": "random" if drawn else "chosen", "minute": 5 if drawn else chosen_at}
            found.take(one, said(one, verdict, **how) if verdict else None)  # type: ignore[arg-type]
        return found

    after, before = tally(9).good, tally(1).good
    assert after is not None
    assert before is not None
    assert after.value == pytest.approx(0.8)
    # drawn from what was left, they speak for that alone
    assert before.value == pytest.approx((80 + 720 * 0.8) / 1000)
    all_but_one = Tally()
    for number in range(100):
        one = row(number)
        made = said(one, "reject", drawn="random" if number < 5 else "chosen", minute=number)
        all_but_one.take(one, made if number < 99 else None)
    assert all_but_one.good == (0, 0, 0.01)


def test_two_edits_agree_where_they_change_the_same() -> None:
    old = row(1, n=1)
    edits = [said(old, "edit", new=row(1, n=n), by=by) for n, by in ((2, "ann"), (2, "bob"), (3, "eve"))]
    assert not Reviews(edits[:2]).on(old).disagreed
    assert Reviews(edits).on(old).disagreed
