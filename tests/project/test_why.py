"""A row's way from its file to its part, and a recipe on its first rows."""

import json
from pathlib import Path

import pytest
from two_sources import write_two_sources

import tunewright
from ends import ends
from tunewright.core.errors import IntegrityError, UserError
from tunewright.project.project import Project
from tunewright.project.why import Rejected, Trail


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return tunewright.open(write_two_sources(tmp_path))


def the_trail(project: Project, ref: str) -> Trail:
    (found,) = project.why(ref).found
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
    (found,) = project.why("own.csv:62").found
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
    with pytest.raises(UserError, match=r"no operation or source is named 'polit'.*english, polite"):
        project.preview("polit")


def write(project: Project, recipe: str) -> Project:
    """The project with another recipe, and both sources in it."""
    path = project.root / "tunewright.yaml"
    path.write_text(path.read_text().partition("recipe:")[0] + "recipe:\n" + recipe)
    return tunewright.open(project.root)


def test_a_row_that_comes_by_two_ways_and_stays_once_is_kept(project: Project) -> None:
    ways = """\
  - {op: filter, id: a, needs: [own], keep: turns}
  - {op: filter, id: b, needs: [own], keep: turns}
  - {op: drop_duplicates, needs: [a, b, other]}
"""
    found = the_trail(write(project, ways), "own.csv:2")
    assert [(touch.node, touch.fate) for touch in found.touches] == [
        ("a", "kept"),
        ("b", "kept"),
        ("drop_duplicates", "kept"),
    ]
    assert len(found.parts) == 1
    gone = the_trail(tunewright.open(project.root), "own.csv:53")
    assert (gone.touches[-1].fate, gone.parts) == ("dropped", ())


def test_a_document_in_pieces_of_which_one_is_dropped_is_kept(project: Project) -> None:
    words = [" ".join(f"word{n}{at}" for at in range(12)) for n in range(40)]
    texts = [{"text": ". ".join(words[n : n + 4])} for n in range(0, 40, 4)]
    (project.root / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    path = project.root / "tunewright.yaml"
    file = (
        path.read_text().partition("sources:")[0]
        + "sources: {texts: {path: texts.jsonl}}\ntrain: {method: cpt}\n"
    )
    path.write_text(file + "recipe: [{op: chunk, chars: 150}, {op: filter, keep: piece != 2}]\n")
    found = the_trail(tunewright.open(project.root), "texts.jsonl:3")
    assert [touch.fate for touch in found.touches] == ["changed", "kept"]
    pieces = [row.fields["piece"] for row in found.touches[0].rows]
    assert [row.fields["piece"] for row in found.touches[1].rows] == [piece for piece in pieces if piece != 2]
    assert len(found.parts) == len(pieces) - 1


def made_by(project: Project, op: str) -> list[str]:
    """What the recipe's operation made, by its question."""
    project.run("prepare")
    prepared = project.run("prepare").outcomes[-1].artifact
    (node,) = [
        row for row in json.loads(prepared.file("recipe.json").read_text()) if row["account"]["op"] == op
    ]
    folder = project.root / ".tunewright" / "artifacts" / node["artifact"]
    return [json.loads(line)["origin"]["source"] for line in (folder / "rows.jsonl").read_text().splitlines()]


def test_the_order_of_needs_and_of_sources_counts(project: Project) -> None:
    assert (
        made_by(write(project, "  - {op: drop_duplicates, needs: [own, other]}\n"), "drop_duplicates")[0]
        == "own"
    )
    assert (
        made_by(write(project, "  - {op: drop_duplicates, needs: [other, own]}\n"), "drop_duplicates")[0]
        == "other"
    )
    both = write(project, "  - {op: drop_duplicates}\n")
    assert made_by(both, "drop_duplicates")[0] == "own"
    path = project.root / "tunewright.yaml"
    lines = path.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith("  own:"))
    path.write_text("".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]))
    assert made_by(tunewright.open(project.root), "drop_duplicates")[0] == "other"


def test_a_renamed_operation_is_not_done_again_and_a_new_version_is(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run("prepare")
    before = set(project.store.names())
    path = project.root / "tunewright.yaml"
    path.write_text(path.read_text().replace("id: english", "id: first").replace("[english]", "[first]"))
    renamed = tunewright.open(project.root)
    renamed.run("prepare")
    assert {name.partition("-")[0] for name in set(renamed.store.names()) - before} == {"prepare"}
    before = set(renamed.store.names())
    monkeypatch.setattr("tunewright.data.ops.drop_duplicates.VERSION", "2", raising=False)
    renamed.run("prepare")
    assert {name.partition("-")[0] for name in set(renamed.store.names()) - before} == {
        "prepare",
        "recipe.drop_duplicates",
    }


def test_the_lineage_of_an_operation_is_sound(project: Project) -> None:
    project.run("prepare")
    for name in project.store.names():
        project.lineage(name).verify()


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


def test_a_document_of_very_many_pieces_is_read_once(project: Project) -> None:
    words = [f"word{n}" for n in range(12_000)]
    text = ". ".join(" ".join(words[n : n + 6]) for n in range(0, 12_000, 6))
    (project.root / "texts.jsonl").write_text(
        json.dumps({"text": text}) + "\n" + json.dumps({"text": "Hi."}) + "\n" * 2
    )
    path = project.root / "tunewright.yaml"
    file = path.read_text().partition("sources:")[0]
    file += "sources: {texts: {path: texts.jsonl}}\ntrain: {method: cpt}\n"
    path.write_text(file + "recipe: [{op: chunk, chars: 60}, {op: clean}, {op: drop_duplicates}]\n")
    opened = tunewright.open(project.root)
    opened.run("split")
    with ends(20):
        found = the_trail(opened, "texts.jsonl:1")
    pieces = len(found.touches[0].rows)
    assert pieces > 1500
    assert [len(touch.rows) for touch in found.touches] == [pieces] * 3
    assert len(found.parts) == pieces


def test_of_very_many_rows_some_are_told(project: Project) -> None:
    (project.root / "other.csv").write_text("text,kind,lang\n" + "Refund bill,billing,en\n" * 25)
    found = project.why("other.csv:3").found[0]
    assert isinstance(found, Trail)
    several = project.why(found.row.id)
    assert (len(several.found), several.more) == (20, 5)


def test_an_operation_whose_rows_were_changed_is_told(project: Project) -> None:
    made = {one.step: one.artifact for one in project.run("split").outcomes}
    names = [row["artifact"] for row in json.loads(made["prepare"].file("recipe.json").read_text())]
    rows = project.root / ".tunewright/artifacts" / names[0] / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"parcel 7", b"parcel 8"))
    with pytest.raises(IntegrityError, match=r"rows\.jsonl is missing or was changed after it was written"):
        project.why("own.csv:3")


def test_an_operation_under_another_name_leaves_what_follows_the_split_fresh(project: Project) -> None:
    before = project.run("split").outcomes[-1].artifact
    path = project.root / "tunewright.yaml"
    path.write_text(
        path.read_text().replace("id: english", "id: in_english").replace("[english]", "[in_english]")
    )
    after = tunewright.open(project.root).run("split").outcomes[-1].artifact
    assert after.manifest.content == before.manifest.content
