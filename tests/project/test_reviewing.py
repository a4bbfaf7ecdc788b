"""A project's rows under review: from the queue through the file of decisions into the recipe."""

import json
from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import UserError
from tunewright.core.example import ask, make_example
from tunewright.core.files import read_json
from tunewright.project.project import Project
from tunewright.project.reviewing import ReviewQueue

PROJECT = """\
name: look
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe:
  - {op: redact, kinds: [email]}
  - {op: drop_duplicates}
  - {op: review}
  - {op: max_chars, chars: 1000}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    rows = [
        f"Where is parcel {n}?{f' Write to me{n}@mail.example' if n % 2 else ''},delivery" for n in range(40)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *rows]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tunewright.open(tmp_path)


def account(project: Project) -> dict[str, object]:
    made = project.run("prepare").outcomes[-1].artifact
    (found,) = [
        one["account"] for one in read_json(made.file("recipe.json")) if one["account"]["op"] == "review"
    ]
    return found


def test_decisions_go_into_the_recipe_and_only_what_comes_after_is_done_anew(project: Project) -> None:
    assert (account(project)["dropped"], account(project)["changed"]) == (0, 0)
    before = {one.name for one in (project.root / ".tunewright" / "artifacts").iterdir()}
    queue = project.review({"rows": 3}, by="ann")
    first, second, third = queue
    queue.decide(first, "accept")
    queue.decide(second, "reject", reason="wrong kind")
    better = second.row.model_copy(update={"fields": {"checked": True}})
    queue.decide(third, "edit", new=third.row.model_copy(update={"fields": better.fields}))
    found = account(project)
    assert (found["rows_in"], found["rows_out"], found["dropped"], found["changed"]) == (40, 39, 1, 1)
    assert found["first"] == [[second.row.place, "rejected in review: wrong kind"]]
    made = {one.name for one in (project.root / ".tunewright" / "artifacts").iterdir()} - before
    assert {name.partition("-")[0] for name in made} <= {"recipe.review", "recipe.max_chars", "prepare"}
    assert not project.run("prepare").outcomes[-1].made
    (finding,) = [one for one in project.audit().findings if one.kind == "reviewed"]
    assert finding.message.startswith(
        "review: 3 of 40 rows are reviewed: 1 accepted, 1 edited, 1 rejected; as 3 of them"
    )


def test_rows_that_an_operation_changed_are_shown_with_what_they_were(project: Project) -> None:
    queue = project.review({"of": "redact"}, by="ann")
    assert len(queue) == 20
    item = queue[0]
    assert item.why == "redact changed it"
    (was,) = item.before
    assert "@mail.example" in was.input_text
    assert item.row.input_text == was.input_text.partition("me")[0] + "[EMAIL_1]"
    assert was.place == item.row.place
    with pytest.raises(
        UserError, match=r"no operation before the review is 'max_chars'; there are redact, drop_dupl"
    ):
        project.review({"of": "max_chars"})


def test_undo_takes_back_and_a_second_judge_sees_no_first(project: Project) -> None:
    queue = project.review({"rows": 2}, by="ann")
    queue.decide(queue[0], "accept")
    queue.decide(queue[0], "reject", reason="no")
    queue.skip(queue[1])
    assert [(step.item.number, step.decision is None) for step in (queue.undo(), queue.undo()) if step] == [
        (1, True),
        (0, False),
    ]
    again = project.review({"second": True}, by="bob")
    (item,) = again
    assert item.standing.decision is None
    again.decide(item, "reject")
    status = project.review(by="bob").status()
    assert [(one.by, one.accept.count, one.reject.count) for one in status.reviewers] == [
        ("ann", 1, 0),
        ("bob", 0, 1),
    ]
    assert status.disagreed == (item.row.place,)
    assert queue.undo() is not None
    assert queue.undo() is None
    assert [one.by for one in project.review(by="bob").status().reviewers] == ["bob"]


def test_only_what_was_judged_blindly_tells_how_two_agree(project: Project) -> None:
    for one in project.review({"rows": 10}, by="ann"):
        project.review({"row": [one.row.place]}, by="ann").decide(one, "accept")
    second = project.review({"second": True}, by="bob")
    for one in second:
        second.decide(one, "reject" if one.number < 4 else "accept")
    (pair,) = project.review(by="ann").status().pairs
    assert (pair.rows, pair.alike.count) == (10, 6)
    torn = project.review({"disagreed": True}, by="bob")
    for one in torn:
        assert torn.decide(one, "accept").seen
    status = project.review(by="ann").status()
    assert status.pairs == (pair,)
    assert (status.shown, status.disagreed) == (4, ())
    again = project.review({"again": True}, by="cy")
    for one in again:
        again.decide(one, "accept")
    assert project.review(by="ann").status().pairs == (pair,)


def test_a_third_judge_of_what_two_see_differently_is_not_told_what_they_say(project: Project) -> None:
    for by, verdict in (("ann", "accept"), ("bob", "reject")):
        queue = project.review({"in_order": True, "rows": 1, "second": by == "bob"}, by=by)
        queue.decide(queue[0], verdict)
    blind = project.review({"disagreed": True, "second": True}, by="cy")
    assert [(one.why, one.standing.decision) for one in blind] == [("reviewed by others, differently", None)]
    assert not blind.decide(blind[0], "accept").seen
    assert not len(project.review({"disagreed": True, "second": True}, by="cy"))
    assert len(project.review(by="ann").status().pairs) == 3


def test_what_is_taken_back_was_not_judged(project: Project) -> None:
    project.review({"in_order": True}, by="ann").decide(
        project.review({"in_order": True}, by="ann")[0], "accept"
    )
    second = project.review({"second": True}, by="bob")
    second.decide(second[0], "accept")
    second.undo()
    assert project.review(by="ann").status().pairs == ()


def test_an_exported_queue_comes_back_and_is_taken_in_once(project: Project, tmp_path: Path) -> None:
    queue, path = project.review({"rows": 3}, by="ann"), tmp_path / "queue.jsonl"
    assert queue.export(path) == 3
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines[0]["verdict"] = "accept"
    lines[1] |= {"verdict": "edit", "by": "bob", "at": "2026-01-01T00:00:00Z"}
    lines[1]["messages"][-1]["content"] = "billing"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert project.review(by="ann").take(path) == (2, 0, 1, [])
    copy = tmp_path / "theirs.jsonl"
    copy.write_bytes((project.root / "reviews.jsonl").read_bytes())
    assert project.review(by="ann").take(copy) == (0, 2, 0, [])
    theirs = json.loads(copy.read_text("utf-8").splitlines()[1]) | {"verdict": "reject", "by": "eve"}
    del theirs["edit"], theirs["becomes"]
    copy.write_text(json.dumps(theirs) + "\n" + json.dumps(theirs | {"verdict": "maybe"}) + "\n")
    with pytest.raises(UserError, match=r"theirs\.jsonl:2: the verdict is 'maybe'"):
        project.review(by="ann").take(copy)
    assert len((project.root / "reviews.jsonl").read_text("utf-8").splitlines()) == 2
    copy.write_text(json.dumps(theirs) + "\n")
    assert project.review(by="ann").take(copy) == (1, 0, 0, [theirs["place"]])
    assert account(project)["dropped"] == 1  # of equal times the later line


def test_an_older_decision_that_comes_later_does_not_count(project: Project, tmp_path: Path) -> None:
    queue = project.review({"rows": 1}, by="ann")
    queue.decide(queue[0], "accept")
    older = json.loads(queue.path.read_text("utf-8")) | {
        "verdict": "reject",
        "by": "bob",
        "at": "2020-01-01T00:00:00Z",
    }
    (tmp_path / "bob.jsonl").write_text(json.dumps(older) + "\n")
    queue.take(tmp_path / "bob.jsonl")
    standing = queue[0].standing
    assert (standing.decision and standing.decision.by, standing.disagreed) == ("ann", True)
    assert account(project)["dropped"] == 0


def queue_of(project: Project, recipe: str, **more: object) -> ReviewQueue:
    text = PROJECT.partition("recipe:")[0] + recipe
    (project.root / "tunewright.yaml").write_text(text)
    return tunewright.open(project.root).review(**more)  # type: ignore[arg-type]


def test_where_in_the_recipe_rows_are_reviewed(project: Project) -> None:
    assert not queue_of(project, "recipe: [{op: max_chars, chars: 50}]", by="ann").counts
    several = "recipe: [{op: review, id: one}, {op: review, id: two, file: 'reviews/*.jsonl'}]"
    with pytest.raises(UserError, match=r"the recipe has several reviews: one, two\. Say which: --at one\."):
        queue_of(project, several)
    with pytest.raises(
        UserError, match=r"no review is named 'tow'; there are one, two\. Did you mean 'two'\?"
    ):
        queue_of(project, several, at="tow")
    queue = queue_of(project, several, at="two", by="../ann lee")
    assert queue.path == project.root / "reviews" / "ann-lee.jsonl"
    queue.decide(queue[0], "accept")
    assert queue.path.read_text("utf-8").count("\n") == 1
    with pytest.raises(UserError, match=r"the file to write to is not told by '\*/\*.jsonl'"):
        queue_of(project, "recipe: [{op: review, file: '*/*.jsonl'}]", by="ann")


@pytest.mark.parametrize("pattern", ["*.jsonl", "**/*.jsonl", "re*.json[l]"])
def test_decisions_do_not_go_where_a_source_reads_rows(project: Project, pattern: str) -> None:
    (project.root / "tunewright.yaml").write_text(
        PROJECT.replace("path: rows.csv, columns: {input: text, expected: kind}", f"path: '{pattern}'")
    )
    with pytest.raises(
        UserError, match=r"decisions would go to reviews.jsonl, which the source 'rows' takes for rows"
    ):
        tunewright.open(project.root).review()


def test_a_broken_file_of_reviews_stops_the_run_with_its_line(project: Project) -> None:
    (project.root / "reviews.jsonl").write_text('{"verdict": "accept"}\n')
    with pytest.raises(UserError, match=r"reviews.jsonl:1: this is no decision \(id: field required\)"):
        project.run("prepare")


def test_an_edit_that_changes_nothing_is_none(project: Project) -> None:
    queue = project.review(by="ann")
    with pytest.raises(UserError, match=r"says what it said before\. Accept it as it is\."):
        queue.decide(queue[0], "edit", new=queue[0].row)
    assert not queue.path.exists()


def test_what_others_decide_meanwhile_is_seen(project: Project) -> None:
    ann, bob = project.review(by="ann"), project.review(by="bob")
    assert ann[0].row == bob[0].row
    bob.decide(bob[0], "reject", reason="off topic")
    assert not ann.judged_since(ann[0])
    ann.refresh()
    assert (ann.judged_since(ann[0]), ann.judged_since(ann[1])) == (True, False)
    assert ann.reviews.reasons == ["off topic"]
    ann.decide(ann[1], "accept")
    bob.decide(bob[1], "reject")
    ann.refresh()
    assert ann[1].standing.disagreed
    assert len(ann.path.read_text("utf-8").splitlines()) == 3


def test_a_clock_that_is_behind_makes_no_older_decision(project: Project) -> None:
    queue = project.review(by="ann")
    queue.decide(queue[0], "reject")
    line = json.loads(queue.path.read_text("utf-8")) | {"by": "bob", "at": "2199-01-01T00:00:00Z"}
    queue.path.write_text(json.dumps(line) + "\n")
    late = project.review({"again": True}, by="ann")
    (item,) = [one for one in late if one.row == queue[0].row]
    late.decide(item, "accept")
    standing = project.review(by="ann").reviews.on(item.row)
    assert standing.decision is not None
    assert (standing.decision.by, standing.decision.verdict) == ("ann", "accept")
    late.undo()
    standing = project.review(by="ann").reviews.on(item.row)
    assert standing.decision is not None
    assert standing.decision.by == "bob"


def test_a_filled_in_queue_is_taken_in_once(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "queue.jsonl"
    project.review({"rows": 3}, by="ann").export(path)
    lines = [
        json.loads(line) | {"verdict": "reject", "reason": "no"}
        for line in path.read_text("utf-8").splitlines()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert project.review(by="ann").take(path) == (3, 0, 0, [])
    assert project.review(by="ann").take(path) == (0, 3, 0, [])
    assert project.review(by="bob").take(path) == (3, 0, 0, [])
    path.write_text(json.dumps(lines[0] | {"reason": "worse"}) + "\n")
    assert project.review(by="ann").take(path) == (1, 0, 0, [])


def test_what_cannot_be_written_down_is_one_sentence(project: Project) -> None:
    queue = project.review(by="ann")
    with pytest.raises(
        UserError, match=r"rows\.csv:\d+: reason: string should have at most 10000 characters"
    ):
        queue.decide(queue[0], "reject", reason="x" * 10_001)
    blank = make_example(ask("q", " "), origin=queue[0].row.origin)
    with pytest.raises(UserError, match=r"rows\.csv:\d+: the edited answer is blank"):
        queue.decide(queue[0], "edit", new=blank)
    assert not queue.path.exists()
    for name, said in (
        ("a\udcff", "the name is no text"),
        ("a" * 201, "the name has more than 200 characters"),
    ):
        with pytest.raises(UserError, match=said):
            project.review(by=name)


def test_two_reviewers_have_forms_of_their_own(project: Project) -> None:
    ann, bob = project.review(by="ann"), project.review(by="bob")
    assert ann.form_path(ann[0]) != bob.form_path(bob[0])


def test_rows_that_moved_and_equal_ones_are_shown_as_they_were(project: Project) -> None:
    rows = (project.root / "rows.csv").read_text().splitlines()
    (project.root / "rows.csv").write_text("\n".join([*rows, rows[2], rows[4]]) + "\n")
    recipe = "recipe: [{op: redact, kinds: [email]}, {op: sample, rows: 42}, {op: review}]"
    queue = queue_of(project, recipe, selection={"of": "redact", "in_order": True}, by="ann")
    assert [one.before[0].place for one in queue] == [one.row.place for one in queue]
    assert {len(one.before) for one in queue} == {1}
    assert all("@mail.example" in one.before[0].input_text for one in queue)


def test_where_neither_queues_nor_decisions_go(project: Project) -> None:
    with pytest.raises(UserError, match=r"this is a folder\. Name a file: .*queue\.jsonl"):
        project.review(by="ann").export(project.root)
    for file in ("../reviews.jsonl", str(project.root / "reviews.jsonl")):
        with pytest.raises(UserError, match="it lies outside the project's folder; name a file below it"):
            queue_of(project, f"recipe: [{{op: review, file: '{file}'}}]")
