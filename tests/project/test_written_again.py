"""Rows that a project wrote are another one's source: the guard counts them as written."""

import json
from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import UserError
from tunewright.data import ops
from tunewright.data.examples import read_examples

PROJECT = """\
name: again
task: {system: Say the kind.}
sources:
  own: {path: own.csv, columns: {input: text, expected: kind}}
  again: {path: rows.jsonl}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = [f"Where is parcel {n}?,delivery\n" for n in range(40)]
    (tmp_path / "own.csv").write_text("text,kind\n" + "".join(own))
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tmp_path


def rows(folder: Path, count: int, depth: int = 1) -> None:
    lines = []
    for n in range(count):
        asked = {"role": "user", "content": f"What of bill {n}?"}
        talk = [{"role": "system", "content": "Say the kind."}, asked]
        talk.append({"role": "assistant", "content": "billing"})
        origin = {"source": "s", "file": "s.csv", "row": n + 1, "teacher": "big", "depth": depth}
        lines.append(json.dumps({"messages": talk, "origin": origin}) + "\n")
    (folder / "rows.jsonl").write_text("".join(lines))


def test_none_of_them_stands_in_test(folder: Path) -> None:
    rows(folder, 20)
    split = tunewright.open(folder).run("split").outcomes[-1].artifact
    parts = {part: read_examples(split.file(f"{part}.jsonl")) for part in ("train", "dev", "test")}
    assert {part: {one.origin.teacher for one in some if one.origin} for part, some in parts.items()} == {
        "train": {"", "big"},
        "dev": {""},
        "test": {""},
    }


def test_they_count_against_the_cap(folder: Path) -> None:
    rows(folder, 60)
    with pytest.raises(UserError, match="were written by models or rules"):
        tunewright.open(folder).run("split")


def test_they_are_as_deep_as_they_were(folder: Path) -> None:
    rows(folder, 20, depth=2)
    with pytest.raises(UserError, match=r"was written by big at depth 2, and data.max_depth is 1"):
        tunewright.open(folder).run("split")


def test_a_recipe_of_operations_as_objects_is_laid_over_the_file(folder: Path) -> None:
    (folder / "tunewright.yaml").write_text(PROJECT.replace("  again: {path: rows.jsonl}\n", ""))
    project = tunewright.open(folder, settings={"recipe": [ops.DropDuplicates(), ops.MaxChars(chars=50)]})
    assert [op.op for op in project.file.recipe] == ["drop_duplicates", "max_chars"]
    assert len(project.preview(None).rows) > 0


def test_a_sources_rows_are_previewed_by_its_name(folder: Path) -> None:
    rows(folder, 20)
    project = tunewright.open(folder)
    found = project.preview("again", shown=2)
    assert [row.input_text for row in found.rows] == ["What of bill 0?", "What of bill 1?"]
    assert (found.account.id, found.account.rows_in, found.account.rows_out) == ("again", 20, 20)
    with pytest.raises(UserError, match=r"has no operation, and there are several sources.*own, again"):
        tunewright.open(folder, settings={"recipe": []}).preview()
    (folder / "tunewright.yaml").write_text(PROJECT.replace("  again: {path: rows.jsonl}\n", ""))
    alone = tunewright.open(folder, settings={"recipe": []}).preview(shown=1)
    assert [row.input_text for row in alone.rows] == ["Where is parcel 0?"]
