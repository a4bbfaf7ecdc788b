"""A row's way where the recipe or the split stops, and the names that a place goes by."""

import json
from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import UserError
from tunewright.project.project import Project
from tunewright.project.why import Rejected, Trail

PROJECT = """\
name: why
task: {system: Say the kind.}
sources:
  mails: {path: ../mails.csv, columns: {input: text, expected: kind}}
  chats: {path: "day/*/chats.csv", columns: {input: text, expected: kind}}
recipe:
  - {op: filter, id: english, keep: 'lang == "en"'}
  - {op: map, id: polite, set: {input: "Please: {{ input }}"}}
  - {op: drop_duplicates}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project beside its mails, with chats of two days."""
    root = tmp_path / "project"
    for file, what in (("../mails.csv", "mail"), ("day/1/chats.csv", "chat"), ("day/2/chats.csv", "talk")):
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"Where is {what} {n}?,{what},{'en' if n % 3 else 'de'}" for n in range(20)]
        path.write_text("\n".join(["text,kind,lang", *lines]) + "\n")
    (root / "tunewright.yaml").write_text(PROJECT)
    return root


def ways(project: Project, ref: str) -> tuple[list[tuple[str, str]], str]:
    found = project.why(ref)
    (one,) = found.found
    assert isinstance(one, Trail)
    assert one.parts == ()
    return [(touch.node, touch.fate) for touch in one.touches], str(found.stopped)


def test_where_the_split_stops_the_whole_recipe_is_told(root: Path) -> None:
    path = root / "tunewright.yaml"
    path.write_text(path.read_text() + "split: {column: nope}\n")
    told, stopped = ways(tunewright.open(root), "../mails.csv:3")
    assert told == [("english", "kept"), ("polite", "changed"), ("drop_duplicates", "kept")]
    assert (
        "tunewright.yaml:10: split.column: rows were followed up to drop_duplicates and no further: the row "
        "../mails.csv:3 has no field 'nope'"
    ) in stopped


def test_where_an_operation_stops_those_before_it_are_told(root: Path) -> None:
    path = root / "tunewright.yaml"
    path.write_text(path.read_text().replace("{{ input }}", "{{ input + 1 }}"))
    project = tunewright.open(root)
    told, stopped = ways(project, "mails.csv:3")
    assert told == [("english", "kept")]
    assert "rows were followed up to english and no further: " in stopped
    assert ways(project, "mails.csv:2") == ([("english", "dropped")], "None")
    found = project.why("mails.csv:3").found[0]
    assert isinstance(found, Trail)
    assert project.why(found.row.id).found[0] == found
    with pytest.raises(UserError, match=r"no row is 'mails\.csv:77'.* Rows were followed up to english"):
        project.why("mails.csv:77")


def test_where_the_first_operation_stops_what_was_read_is_told(root: Path) -> None:
    path = root / "tunewright.yaml"
    path.write_text(path.read_text().replace("lang ==", "input / 2 =="))
    told, stopped = ways(tunewright.open(root), "mails.csv:3")
    assert told == []
    assert "rows were followed up to the rows as they were read and no further: " in stopped


def test_where_the_budget_for_rejects_stops_the_reading_they_are_told(root: Path) -> None:
    path = root / "../mails.csv"
    path.write_text(path.read_text() + ",mail,en\n,mail,de\n")
    project = tunewright.open(root)
    raw = json.dumps({"text": "", "kind": "mail", "lang": "en"})
    reason = "empty input: the user's message is blank"
    for ref in ("../mails.csv:22", "mails.csv:22"):
        found = project.why(ref)
        assert found == ((Rejected("../mails.csv:22", "mails", reason, raw),), 0, None)
    with pytest.raises(UserError) as caught:
        project.why("mails.csv:3")
    said = str(caught.value)
    assert said.startswith(
        f"{root / 'tunewright.yaml'}:4: sources.mails: 'mails.csv:3' is no row that was set aside, and others are"
        " not kept where the sources cannot be used: 2 of 22 rows (9.09%) cannot be used, more than the budget of 1.00%."
    )
    (rejects,) = (root / ".tunewright/work").rglob("rejects.jsonl")
    assert said.endswith(
        f"Mend the rows (each stands in {rejects} with its reason), or raise data.reject_budget."
    )


def test_where_a_source_is_empty_that_is_the_answer(root: Path) -> None:
    (root / "../mails.csv").write_text("text,kind,lang\n")
    with pytest.raises(UserError) as caught:
        tunewright.open(root).why("mails.csv:2")
    assert str(caught.value) == (
        f"{root / 'tunewright.yaml'}:4: sources.mails: 'mails.csv:2' is no row that was set aside, and others are not kept"
        " where the sources cannot be used: the source has no rows (../mails.csv has a header and no rows). Put rows into"
        " it, or leave it out."
    )


def test_a_source_that_is_not_there_is_the_answer(root: Path) -> None:
    (root / "../mails.csv").unlink()
    with pytest.raises(UserError, match=r"mails\.csv"):
        tunewright.open(root).why("mails.csv:3")


def test_what_stands_is_told_while_a_run_is_at_work(root: Path) -> None:
    project = tunewright.open(root)
    project.run("split")
    with project.store.lock():
        found = tunewright.open(root).why("mails.csv:3")
    assert (len(found.found), found.stopped) == (1, None)


@pytest.mark.parametrize(
    "ref", ["mails.csv:3", "./mails.csv:3", "project/../mails.csv:3", "../mails.csv:3", "../mails.csv:03"]
)
def test_a_place_goes_by_several_names(root: Path, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    assert [one.place for one in tunewright.open(root).why(ref).found] == ["../mails.csv:3"]
    assert [one.place for one in tunewright.open(root).why(f"{root.parent}/mails.csv:3").found] == [
        "../mails.csv:3"
    ]


def test_of_several_places_of_one_name_all_are_named(root: Path) -> None:
    project = tunewright.open(root)
    with pytest.raises(UserError) as caught:
        project.why("chats.csv:4")
    assert str(caught.value) == (
        "chats.csv:4 may be day/1/chats.csv:4, day/2/chats.csv:4. Name one of these."
    )
    assert [one.place for one in project.why("1/chats.csv:4").found] == ["day/1/chats.csv:4"]


def test_a_row_that_quotes_a_place_is_not_taken_for_it(root: Path) -> None:
    quoted = {"source": "mails", "file": "mails.csv", "row": 3}
    rows = [
        {"text": f"Is {json.dumps(quoted)} it, {n}?", "kind": "mail", "lang": "en", "origin": quoted}
        for n in range(20)
    ]
    (root / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = root / "tunewright.yaml"
    more = "sources:\n  more: {path: more.jsonl, columns: {input: text, expected: kind}}"
    path.write_text(path.read_text().replace("sources:", more))
    project = tunewright.open(root)
    assert [one.place for one in project.why("mails.csv:3").found] == ["../mails.csv:3"]
    assert [one.place for one in project.why("more.jsonl:3").found] == ["more.jsonl:3"]


BRANCHES = """\
recipe:
  - {op: filter, id: all, needs: [mails], keep: turns}
  - {op: filter, id: english, needs: [mails, chats], keep: 'lang == "en"'}
  - {op: map, needs: [all, english], set: {input: "{{ input + 1 }}"}}
"""


def test_a_row_that_one_way_dropped_goes_on_by_another(root: Path) -> None:
    path = root / "tunewright.yaml"
    path.write_text(path.read_text().partition("recipe:")[0] + BRANCHES)
    told, stopped = ways(tunewright.open(root), "mails.csv:2")
    assert told == [("all", "kept"), ("english", "dropped")]
    assert "rows were followed up to english and no further: " in stopped
    assert ways(tunewright.open(root), "day/1/chats.csv:2") == ([("english", "dropped")], "None")


@pytest.mark.parametrize("ref", ["mails.csv:" + "9" * 5000, "m\udcff.csv:3", "\udcffabcdef", "mails.csv:٣٣٣"])
def test_a_name_that_can_be_no_row_is_said(root: Path, ref: str) -> None:
    with pytest.raises(UserError, match="no row is"):
        tunewright.open(root).why(ref)
