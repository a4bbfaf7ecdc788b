"""Written rows on their way through a project: marked, kept out of dev and test, capped, and told."""

from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import ProjectFileError, UserError
from tunewright.core.example import Example
from tunewright.data.examples import read_examples
from tunewright.project.stages.data import audit_of

PROJECT = """\
name: written
task: {system: Say the kind.}
sources:
  own: {path: own.csv, columns: {input: text, expected: kind}}
  bought: {path: bought.csv, columns: {input: text, expected: kind}, written_by: gpt}
recipe:
  - op: generate
    needs: [own]
    columns: {_q: {type: seed, take: "'Again: ' ~ input"}}
    input: _q
    expected: "{{ 'delivery' }}"
  - {op: drop_duplicates, needs: [generate, bought]}
"""
HOW = PROJECT[PROJECT.index("    columns:") : PROJECT.index("  - {op: drop")]
"""What is written there."""
LOOSE = PROJECT + "data: {synthetic_share: 0.7}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = [f"Where is parcel {n}?,delivery\n" for n in range(40)]
    bought = [f"What of bill {n}?,billing\n" for n in range(20)]
    (tmp_path / "own.csv").write_text("text,kind\n" + "".join(own))
    (tmp_path / "bought.csv").write_text("text,kind\n" + "".join(bought))
    (tmp_path / "tunewright.yaml").write_text(LOOSE)
    return tmp_path


def rows(folder: Path, part: str) -> list[Example]:
    return read_examples(tunewright.open(folder).run("split").outcomes[-1].artifact.file(f"{part}.jsonl"))


def test_what_models_wrote_is_trained_on_and_judges_nothing(folder: Path) -> None:
    train = rows(folder, "train")
    by = {row.origin.teacher: row.origin.depth for row in train if row.origin}
    assert by == {"": 0, "gpt": 1, "rules": 1}
    held = [row for part in ("dev", "test") for row in rows(folder, part)]
    assert {row.origin.depth for row in held if row.origin} == {0}
    assert not {f"Again: {row.input_text}" for row in held} & {row.input_text for row in train}


def test_it_is_told_in_the_audit(folder: Path) -> None:
    made = {one.step: one.artifact for one in tunewright.open(folder).run("split").outcomes}
    found = [one.message for one in audit_of(made).findings]
    written = "52 of 84 rows to train on (62%) were written by models or rules (rules 32, gpt 20)"
    assert f"the split: {written}." in found
    assert any(one.startswith("the split: 8 written rows stand in no part, since") for one in found)
    begin = "generate wrote 40 rows. Columns: _q (seed). Variety of the new rows: "
    assert any(one.startswith(begin) for one in found)


def test_so_it_is_where_the_audit_is_asked_for(folder: Path) -> None:
    found = tunewright.open(folder).audit().findings
    assert [one.kind for one in found].count("written") == 1


def test_too_many_of_them_are_refused_before_training(folder: Path) -> None:
    (folder / "tunewright.yaml").write_text(PROJECT)
    with pytest.raises(UserError) as caught:
        tunewright.open(folder).run("split")
    assert "52 of 84 rows to train on (62%) were written by models or rules" in str(caught.value)
    assert "Write 32 at most, add rows of people's, or raise data.synthetic_share." in str(caught.value)


def test_writing_from_what_was_written_is_refused_when_it_is_read(folder: Path) -> None:
    again = PROJECT.replace(HOW, "    preset: rephrase\n").replace("[generate, bought]", "[generate, own]")
    again = again.replace("needs: [own]", "needs: [bought]")
    (folder / "tunewright.yaml").write_text(again)
    with pytest.raises(
        ProjectFileError, match=r"tunewright.yaml:7: generate writes from rows that a model wrote"
    ):
        tunewright.open(folder)
    (folder / "tunewright.yaml").write_text(again + "data: {max_depth: 2}\n")
    tunewright.open(folder)


def test_the_guards_settings_make_nothing_stale_but_the_split(folder: Path) -> None:
    tunewright.open(folder).run("split")
    (folder / "tunewright.yaml").write_text(LOOSE.replace("0.7", "0.8"))
    assert [one.made for one in tunewright.open(folder).run("split").outcomes] == [False, False, True]


def test_why_tells_what_was_written_from_a_row(folder: Path) -> None:
    train = rows(folder, "train")
    new = next(row for row in train if row.origin and row.origin.teacher == "rules")
    (trail,) = tunewright.open(folder).why(new.place).found
    assert trail.row.input_text == new.input_text.removeprefix("Again: ")
    assert new.id in [row.id for row in trail.touches[0].rows]
    assert ("train", new.id) in trail.parts


def test_why_tells_of_a_row_that_was_written_from_nothing(folder: Path) -> None:
    columns = (
        "    rows: 9\n    columns: {input: {type: uuid}, expected: {type: category, values: [delivery]}}\n"
    )
    (folder / "tunewright.yaml").write_text(LOOSE.replace(HOW, columns))
    train = rows(folder, "train")
    new = next(row for row in train if row.origin and row.origin.source == "generate")
    for ref in (new.place, new.id):
        (trail,) = tunewright.open(folder).why(ref).found
        assert (trail.source, trail.row) == ("generate", new)
        assert [touch.node for touch in trail.touches] == ["drop_duplicates"]
        assert trail.parts == (("train", new.id),)


def test_new_rows_are_counted_apart_from_those_that_were_changed(folder: Path) -> None:
    done = tunewright.open(folder).preview("generate").account
    assert (done.rows_in, done.rows_out, done.dropped, done.changed, done.added) == (40, 45, 0, 0, 5)
