"""`tunewright lineage`: what an artifact was made from, the recipe's operations among it."""

import shutil
from pathlib import Path

import pytest

import tunewright

PROJECT = """\
name: lines
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe:
  - {op: sample, id: some, rows: 50, seed: 7}
  - {op: filter, id: short, keep: chars < 200}
  - {op: drop_duplicates}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    rows = [f"Where is parcel {n}?,{'delivery' if n % 2 else 'billing'}" for n in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *rows]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    tunewright.open(tmp_path).run("split")
    return tmp_path


def test_the_operations_stand_behind_what_was_prepared(cli, project):
    found = tunewright.open(project).lineage("split")
    steps = [one.artifact.manifest.derivation.step for one in found.ancestors]
    assert steps == ["split", "prepare", "recipe.drop_duplicates", "recipe.filter", "recipe.sample", "ingest"]
    assert [(one.depth, one.done) for one in found.ancestors[2:5]] == [
        (2, "drop_duplicates of short: keeps 50 of 50 rows"),
        (3, "short (filter) of some: keeps 50 of 50 rows"),
        (4, "some (sample) of rows: keeps 50 of 60 rows"),
    ]
    said = cli("lineage", "split", "--verify")
    assert said.code == 0
    assert "some (sample) of rows: keeps 50 of 60 rows seed = 7" in said.out
    assert "every file of 6 artifacts is as it was written" in said.out


def test_an_operation_that_was_changed_or_is_gone_is_told(cli, project):
    sampled = tunewright.open(project).lineage("recipe.sample").ancestors[0].artifact
    rows = sampled.path / "rows.jsonl"
    rows.write_bytes(rows.read_bytes().replace(b"parcel", b"packet"))
    said = cli("lineage", "split", "--verify")
    assert said.code == 2
    assert "rows.jsonl is missing or was changed after it was written" in said.err
    shutil.rmtree(sampled.path)
    assert f"{sampled.id} is no longer in the store" in cli("lineage", "split").out


def test_a_recipe_that_was_changed_is_told_and_no_bug(cli, project):
    prepared = tunewright.open(project).lineage("prepare").ancestors[0].artifact
    (prepared.path / "recipe.json").write_text("[{}]")
    said = cli("lineage", "prepare", "--verify")
    assert said.code == 2
    assert "recipe.json is missing or was changed after it was written" in said.err
