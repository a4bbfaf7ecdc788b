"""Rows written by the embedded base: a first look, a run that is killed and goes on, and where the rows come from."""

import multiprocessing
import time
from pathlib import Path

import pytest

import tunewright
from tunewright.core.example import Example
from tunewright.core.files import read_json, read_jsonl
from tunewright.data.examples import read_examples
from tunewright.data.recipe import ROWS
from tunewright.project.stages.data import RECIPE

PROJECT = """\
name: writing
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe:
  - op: generate
    id: more
    rows: 24
    columns:
      kind: {type: category, values: {delivery: 2, billing: 1}}
      _like: {type: seed, count: 2}
      _who: {type: person}
      _text:
        type: text
        prompt: "{{ _who.first_name }} asks about {{ kind }}, as in: {{ _like | join(' / ') }} Write one more question."
        max_new_tokens: 12
        retries: 4
    input: _text
    expected: kind
    stop_after_failures: 1
"""


def project(folder: Path, text: str = PROJECT) -> Path:
    folder.mkdir()
    asked = [f"Where is parcel {n}?,delivery\nWhy is bill {n} so high?,billing\n" for n in range(20)]
    (folder / "rows.csv").write_text("text,kind\n" + "".join(asked))
    (folder / "tunewright.yaml").write_text(text)
    return folder


def prepare(folder: str) -> None:
    """The child: everything up to the recipe."""
    tunewright.open(Path(folder)).run("prepare")


def made(folder: Path) -> list[Example]:
    return read_examples(tunewright.open(folder).run("prepare").outcomes[-1].artifact.file(ROWS))


def answers(folder: Path) -> list[str]:
    files = (folder / ".tunewright" / "answers").glob("*.jsonl")
    return [row["key"] for file in files for row in read_jsonl(file)]


@pytest.mark.usefixtures("one_thread")
def test_a_killed_run_asks_nothing_twice_and_ends_with_the_same_rows(tmp_path: Path) -> None:
    calm = made(project(tmp_path / "calm"))
    new = [row for row in calm if row.origin is not None and row.origin.depth]
    assert len(calm) - len(new) == 40
    assert len(new) > 12
    for row in new:
        assert row.origin is not None
        assert (row.origin.source, row.origin.teacher, row.origin.depth) == ("more", "base", 1)
        assert row.fields["kind"] == row.expected
        assert len(row.fields["written_from"]) == 2

    harried = project(tmp_path / "harried")
    child = multiprocessing.get_context("forkserver").Process(target=prepare, args=(str(harried),))
    child.start()
    while child.is_alive() and not list((harried / ".tunewright").glob("answers/*.jsonl")):
        time.sleep(0.01)
    child.kill()
    child.join()
    before = answers(harried)
    assert made(harried) == calm
    assert answers(harried)[: len(before)] == before
    assert sorted(answers(harried)) == sorted(answers(tmp_path / "calm"))


@pytest.mark.usefixtures("one_thread")
def test_a_first_look_shows_five_new_rows_and_keeps_their_answers(tmp_path: Path) -> None:
    folder = project(tmp_path / "writing")
    found = tunewright.open(folder).preview("more")
    assert (found.account.rows_in, found.account.added) == (40, len(found.rows))
    assert 0 < len(found.rows) <= 5
    assert all(row.origin is not None and row.origin.teacher == "base" for row in found.rows)
    asked = len(answers(folder))
    assert 5 <= asked <= 25
    again = tunewright.open(folder).preview("more")
    assert again == found
    assert len(answers(folder)) == asked, "a second look asks nobody"


def test_the_account_tells_of_columns_and_variety(tmp_path: Path) -> None:
    begin, end = PROJECT.index("      _text:"), PROJECT.index("    input: _text")
    ruled = "      _text: {type: expression, template: '{{ _who.name }} asks about {{ kind }}'}\n"
    rules = PROJECT[:begin].replace("rows: 24", "rows: 40") + ruled + PROJECT[end:]
    folder = project(tmp_path / "rules", rules)
    made_of = tunewright.open(folder).run("prepare").outcomes[-1].artifact
    (account,) = (row["account"] for row in read_json(made_of.file(RECIPE)))
    assert (account["rows_in"], account["added"], account["rows_out"]) == (40, 40, 80)
    assert account["notes"][0] == "Columns: kind (category), _like (seed), _who (person), _text (expression)."
    assert account["notes"][1].startswith("Variety of the new rows: distinct words ")
    assert "; of the seeds: distinct words " in account["notes"][1]
