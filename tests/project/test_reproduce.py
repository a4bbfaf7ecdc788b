"""How to get a result again: the file as it was used reads back as the same, the commands mean the same settings."""

import json
import os
import re
import shlex
import shutil
import subprocess
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tunewright.project import reproduce, run
from tunewright.project.plan import Outside, derive
from tunewright.project.reading import read
from tunewright.project.reproduce import Checkout, checkout_at, commands, effective_file, laid_over, seeds
from tunewright.project.steps import BY_NAME
from tunewright.project.writing import flow, to_yaml
from tunewright.project.written import parse_setting

PROJECT = """\
name: tickets
task:
  system: "Answer.\\n  Keep blanks at an end: \\n\\u2028 and what is hidden.\\u200b"
  output: {type: json, schema: schema.json}
sources: {rows: {path: rows.csv}}
recipe: [{op: drop_duplicates}, {op: sample, rows: 10, seed: 5}]
suites:
  target: {examples: test, graders: [{type: json_schema, schema: other.json}]}
train: {learning_rate: 0.00001}
"""
SCHEMA = {
    "type": "object",
    "properties": {"z": {"type": "string"}, "seed": {"const": 1}, "a": {"enum": ["no"]}},
}
SETTINGS = {
    "train.epochs": 2,
    "task.input": "{{ it's }} > $HOME",
    "baselines.few_shot": [1, 3],
    "train.learning_rate": 1e-5,
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "other.json").write_text('{"type": "object", "title": "off: x"}')
    (tmp_path / "rows.csv").write_text("input,expected\nq,{}\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tmp_path / "tunewright.yaml"


def test_the_file_as_used_gives_the_same_steps_without_its_settings_and_schema_files(path):
    used = read(path, SETTINGS)
    text = effective_file(used)
    assert "  epochs: 2\n" in text
    path.write_text(text)
    for schema in ("schema.json", "other.json"):
        (path.parent / schema).unlink()
    again = read(path)
    assert again.model_dump() == used.model_dump()
    assert list(again.task.output.schema_["properties"]) == ["z", "seed", "a"]
    ingest = BY_NAME["ingest"]
    ids = {derive(ingest, file, Outside(file, path.parent), {}).id for file in (used, again)}
    assert len(ids) == 1


def test_seeds_are_found_wherever_they_stand_and_in_no_schema(path):
    file = read(path, {"train.seed": 7})
    assert seeds(file) == {
        "recipe.1.seed": 5,
        "split.seed": 0,
        "baselines.seed": 0,
        "decoding.seed": 0,
        "train.seed": 7,
    }


def test_the_commands_lay_the_same_settings_over(path):
    file = read(path, SETTINGS)
    install, then, check, steps, report = commands(file, {"tunewright": "1.2"})
    assert then == "# then in the project's folder:"
    assert install == "pip install -c constraints.txt -e .  # in a checkout of Tunewright 1.2"
    assert report == "tunewright report --open"
    for command, name in ((check, "check"), (steps, "run")):
        words = shlex.split(command)
        assert words[:2] == ["tunewright", name]
        assert words[2::2] == ["--set"] * len(SETTINGS)
        assert dict(map(parse_setting, words[3::2])) == SETTINGS
    assert laid_over(file)[0] == "train.epochs=2"
    assert commands(read(path), {"tunewright": "1.2"})[3] == "tunewright run"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_the_commit_of_a_clone_and_whether_it_was_changed(tmp_path, monkeypatch):
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*words):
        name = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *name, *words], cwd=tmp_path, check=True, capture_output=True, env=own)

    assert checkout_at(tmp_path) is None
    git("init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "of-a-hook"))
    assert checkout_at(tmp_path) is None  # nothing is committed yet
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a = 1")
    git("add", "src/a.py")
    git("commit", "-qm", "a")
    (tmp_path / "notes.txt").write_text("no part of the package")
    found = checkout_at(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", found.words())
    assert checkout_at(tmp_path / "src") is None
    for name in ("src/b.py", "constraints.txt", "src/a.py"):
        before = (tmp_path / name).read_text() if (tmp_path / name).exists() else None
        (tmp_path / name).write_text("a = 2")
        assert checkout_at(tmp_path).words() == f"{found.commit}, changed", name
        (tmp_path / name).unlink() if before is None else (tmp_path / name).write_text(before)


def test_the_commands_name_the_commit_that_trained(path):
    way = "git checkout abc && pip install -c constraints.txt -e .  # in a clone of Tunewright 1.2"
    versions = {"tunewright": "1.2", "commit": "abc"}
    assert commands(read(path), versions)[0] == way
    changed = commands(read(path), versions | {"commit": "abc, changed"})[0]
    assert changed == f"{way}, some of whose files were changed"


def test_the_manifest_of_training_has_the_commit_that_it_began_with(monkeypatch):
    monkeypatch.setattr(run, "_checkout", lambda: Checkout("abc", True))
    made = run._code(BY_NAME["train"])
    assert made == run.library_versions() | {"commit": "abc, changed"}
    assert run._code(BY_NAME["report"]) == run.library_versions()


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ({"url": "file:///my%20code/tw", "dir_info": {"editable": True}}, ["/my code/tw"]),
        ({"url": "file:///my%20code/tw", "dir_info": {}}, []),
        ({"url": "https://a/tw.whl", "archive_info": {}}, []),
        (None, []),
    ],
)
def test_only_an_editable_install_is_looked_at(told, asked, monkeypatch, tmp_path):
    folder = tmp_path / "tunewright-9.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tunewright\nVersion: 9.9\n")
    if told:
        (folder / "direct_url.json").write_text(json.dumps(told))
    monkeypatch.syspath_prepend(tmp_path)
    looked: list[str] = []
    monkeypatch.setattr(reproduce, "checkout_at", lambda place: looked.append(place.as_posix()))
    assert reproduce.checkout() is None
    assert looked == asked


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.none(), st.lists))
def test_what_is_written_on_a_line_reads_back(value):
    assert YAML(typ="safe", pure=True).load(StringIO(f"a: {flow(value)}\n")) == {"a": value}


@given(st.text())
def test_a_text_reads_back_however_it_is_written(text):
    assert YAML(typ="safe", pure=True).load(StringIO(to_yaml({"task": {"system": text}}))) == {
        "task": {"system": text}
    }
