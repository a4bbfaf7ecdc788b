"""`against: [suites]` of decontaminate: the files of all the project's suites."""

import json
from pathlib import Path

import pytest

from tunewright.core.errors import ProjectFileError
from tunewright.data.ops.decontaminate import Decontaminate
from tunewright.project.reading import read

HEAD = "name: p\ntask: {output: {type: text}}\nsources: {s: {path: rows.csv}}\n"


def project(folder: Path, rest: str) -> Path:
    path = folder / "tunewright.yaml"
    path.write_text(HEAD + rest)
    (folder / "rows.csv").write_text("input,expected\nq,a\n")
    for name in ("one", "two"):
        turns = [{"role": "user", "content": f"What is {name}?"}, {"role": "assistant", "content": "x"}]
        (folder / f"{name}.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    return path


def test_the_files_of_suites_stand_in_the_place_of_the_word(tmp_path: Path) -> None:
    suites = (
        "suites: {one: {examples: one.jsonl}, target: {examples: two.jsonl}, more: {examples: one.jsonl}}\n"
    )
    recipe = "recipe: [{op: decontaminate, against: [more.csv, suites, two.jsonl]}]\n"
    file = read(project(tmp_path, suites + recipe))
    assert file.recipe == (Decontaminate(against=("more.csv", "one.jsonl", "two.jsonl")),)


def test_a_project_whose_suites_have_no_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProjectFileError) as refused:
        read(project(tmp_path, "recipe:\n  - {op: decontaminate, against: [suites]}\n"))
    (problem,) = refused.value.problems
    assert problem.message.startswith("no suite has a file: the test part is drawn after the recipe")
    assert str(problem.where).endswith("tunewright.yaml:5: recipe.0.against")
