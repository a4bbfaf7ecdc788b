"""A row's way from its file to its part, and a recipe on its first rows."""

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
  own: {path: own.csv, columns: {input: text, expected: kind}}
  other: {path: other.csv, columns: {input: text, expected: kind}}
data: {reject_budget: 0.1}
recipe:
  - {op: filter, id: english, needs: [own], keep: 'lang == "en"'}
  - {op: map, id: polite, needs: [english], set: {input: "Please: {{ input }}"}}
  - {op: drop_duplicates, needs: [polite, other]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    own = [f"Where is parcel {n % 50}?,delivery,{'en' if n % 5 else 'de'}" for n in range(60)]
    other = [f"Refund bill {n},billing,en" for n in range(40)]
    (tmp_path / "own.csv").write_text("\n".join(["text,kind,lang", *own, ",delivery,en"]) + "\n")
    (tmp_path / "other.csv").write_text("\n".join(["text,kind,lang", *other]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tunewright.open(tmp_path)


def the_trail(project: Project, ref: str) -> Trail:
    (found,) = project.why(ref)
    assert isinstance(found, Trail)
    return found


def test_a_row_that_was_changed_is_told_by_its_place_and_by_its_id(project: Project) -> None:
    found = the_trail(project, "own.csv:3")
    assert (found.source, found.row.input_text) == ("own", "Where is parcel 1?")
    assert [(touch.node, touch.fate) for touch in found.touches] == [
        ("english", "kept"),
        ("polite", "changed"),
        ("drop_duplicates", "kept"),
    ]
    ((part, name),) = found.parts
    assert found.touches[1].rows[0].input_text == "Please: Where is parcel 1?"
    assert found.touches[1].rows[0].id == name
    split = project.run("split").outcomes[-1].artifact
    rows = [json.loads(line) for line in split.file(f"{part}.jsonl").read_text().splitlines()]
    assert [row["origin"]["row"] for row in rows if row["id"] == name] == [3]
    assert the_trail(project, name) == found
    assert the_trail(project, name[:8]) == found


def test_a_row_of_another_source_comes_in_where_it_is_needed(project: Project) -> None:
    found = the_trail(project, "other.csv:7")
    assert [(touch.node, touch.fate) for touch in found.touches] == [("drop_duplicates", "kept")]


@pytest.mark.parametrize(
    ("place", "node", "reason"),
    [
        ("own.csv:2", "english", 'not: lang == "en"'),
        ("own.csv:53", "drop_duplicates", "the same as own.csv:3"),
    ],
)
def test_a_row_that_was_dropped_is_told_with_the_reason(
    project: Project, place: str, node: str, reason: str
) -> None:
    found = the_trail(project, place)
    last = found.touches[-1]
    assert (last.node, last.fate, last.reason, last.rows, found.parts) == (node, "dropped", reason, (), ())


def test_a_raw_row_that_became_no_example_is_told_with_the_reason(project: Project) -> None:
    (found,) = project.why("own.csv:62")
    assert isinstance(found, Rejected)
    assert (found.source, found.reason) == ("own", "empty input: the user's message is blank")


@pytest.mark.parametrize("ref", ["nope", "own.csv:99", "own.csv", "", "zzzzzz"])
def test_a_row_that_is_not_there_is_said(project: Project, ref: str) -> None:
    with pytest.raises(UserError, match="no row is"):
        project.why(ref)


def test_a_preview_works_the_recipe_on_the_first_rows(project: Project) -> None:
    found = project.preview("polite", shown=2, rows=10)
    assert [row.input_text for row in found.rows] == [f"Please: Where is parcel {n}?" for n in (1, 2)]
    assert (found.account.rows_in, found.account.changed) == (8, 8)
    whole = project.preview(shown=3, rows=60)
    assert (whole.account.id, whole.account.rows_in, whole.account.dropped) == ("drop_duplicates", 88, 8)
    assert whole.dropped[0] == ("own.csv:53", "the same as own.csv:3")
    with pytest.raises(UserError, match=r"no operation is named 'polit'.*english, polite"):
        project.preview("polit")


def test_an_operation_that_changed_is_done_anew_and_those_before_it_are_not(project: Project) -> None:
    project.run("prepare")
    before = set(project.store.names())
    file = (project.root / "tunewright.yaml").read_text()
    (project.root / "tunewright.yaml").write_text(
        file.replace("Please: {{", "Kindly: {{")
        .replace("id: english", "id: first")
        .replace("[english]", "[first]")
    )
    changed = tunewright.open(project.root)
    changed.run("prepare")
    new = {name.partition("-")[0] for name in set(changed.store.names()) - before}
    assert new == {"recipe.map", "recipe.drop_duplicates", "prepare"}
    assert [touch.node for touch in the_trail(changed, "own.csv:3").touches] == [
        "first",
        "polite",
        "drop_duplicates",
    ]


def test_a_recipe_that_hangs_together_badly_is_refused_with_its_line(project: Project) -> None:
    path = project.root / "tunewright.yaml"
    path.write_text(path.read_text().replace("needs: [english]", "needs: [englsh]"))
    with pytest.raises(UserError) as caught:
        tunewright.open(project.root)
    assert "tunewright.yaml:9: 'englsh' is neither a source nor an operation before this one" in str(
        caught.value
    )
    assert "Did you mean 'english'?" in str(caught.value)
