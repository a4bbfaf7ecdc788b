"""check and run: nothing is dropped, left out or measured on training rows in silence."""

import json
import time
from pathlib import Path

import pytest

import tunewright
from tunewright.core.files import read_json, read_jsonl
from tunewright.project.stages.data import audit_of

PROJECT = """\
name: sums
base: {base}
task: {{system: Add.}}
sources: {{rows: {{path: sums.csv, columns: {{input: text, expected: answer}}}}}}
suites:
  target: {{examples: test, graders: [{{type: exact_match}}]}}
  general: {{examples: general, limit: 4}}
baselines: {{few_shot: [1, 100], dev_limit: 4}}
decoding: {{max_new_tokens: 4}}
train: {{epochs: 1, batch_tokens: 256, adapter: {{rank: 2}}}}
prices: {{output_per_million: 2, machine_per_hour: 1, currency: EUR}}
"""
LEFT_OUT = "few-shot with 100 is left out: only 32 of the training rows can be shown"


@pytest.fixture
def project(tmp_path, tiny_folder):
    """A folder with 40 rows on a tiny base, the first row 160 times more."""
    rows = [f"sum {at},{at % 3}" for at in range(40)] + ["sum 0,0"] * 160
    (tmp_path / "sums.csv").write_text("\n".join(["text,answer", *rows]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT.format(base=tiny_folder))
    return tmp_path


def write_questions(folder: Path, *questions: str) -> None:
    talks = [[{"role": "user", "content": q}, {"role": "assistant", "content": "1"}] for q in questions]
    lines = [json.dumps({"messages": talk}) for talk in talks]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n")


def asked_in(folder: Path, part: str) -> dict[str, str]:
    """The inputs of a part, each with its place."""
    split = tunewright.open(folder).run("split").outcomes[-1].artifact
    rows = [json.loads(line) for line in split.file(f"{part}.jsonl").read_text().splitlines()]
    return {row["messages"][0]["content"]: f"sums.csv:{row['origin']['row']}" for row in rows}


def test_status_tells_what_another_run_is_at(cli, project):
    opened = tunewright.open(project)
    event = {"kind": "step.start", "step": "train", "title": "fine-tune", "number": 7, "of": 11}
    with opened.store.lock():
        opened.store.run_log(1).write_text(json.dumps(event | {"time": time.time()}) + "\n")
        assert cli("status").out.endswith("At work now: fine-tune (train, step 7 of 11).")
        assert opened.at_work() == tunewright.AtWork("train", "fine-tune", 7, 11)
    assert "At work" not in cli("status").out


def test_what_is_dropped_or_left_out_is_said(cli, project):
    dropped = (
        "drop_duplicates dropped 160 of 200 rows (80.0%) and kept 40; the first is sums.csv:42: the same as"
        " sums.csv:2."
    )
    checked = cli("check", "--no-rows")
    assert checked.code == 0
    assert "200 examples, 0 rejects" in checked.err
    assert "drop_duplicates dropped 160 of 200; 40 rows after 1 operation" in checked.err
    assert f"info: {dropped}" in checked.out
    assert f"baselines.few_shot: {LEFT_OUT}" in checked.err

    made = {one.step: one.artifact for one in tunewright.open(project).run("split").outcomes}
    (finding,) = audit_of(made).findings
    assert (finding.severity, finding.count, finding.message) == ("info", 160, dropped)
    (step,) = read_json(tunewright.open(project).run("prepare").outcomes[-1].artifact.file("recipe.json"))
    account = step["account"]
    assert (account["rows_in"], account["rows_out"], account["dropped"]) == (200, 40, 160)
    rows = list(read_jsonl(project / ".tunewright" / "artifacts" / step["artifact"] / "dropped.jsonl"))
    assert (len(rows), rows[-1]["place"], rows[-1]["reason"]) == (
        160,
        "sums.csv:201",
        "the same as sums.csv:2",
    )

    ran = cli("run")
    assert ran.code == 0
    assert LEFT_OUT in ran.err
    assert "1,000 requests: fine-tune " in ran.out
    page = tunewright.open(project).report().read_text()
    assert dropped in page
    assert all(f"sums.csv:{row}" in page for row in (42, 43, 44))


def test_a_target_from_a_file_that_asks_what_is_trained_is_refused(cli, project):
    question, place = next(iter(asked_in(project, "train").items()))
    write_questions(project, "a new one", question.upper(), "another")
    own = ("--set", "suites.target.examples=questions.jsonl")
    said = cli("check", "--no-rows", *own)
    assert said.code == 2
    leak = (
        "suites.target, questions.jsonl:2: of its 3 examples, 1 ask what training rows ask, and scores on them"
        f" flatter the fine-tune. The first asks what {place} asks. Take such rows out of the suite's file, or out of"
        " the sources."
    )
    assert said.err.count("error: ") == 1
    assert said.err.endswith(leak)
    assert cli("run", "baselines", *own).err.endswith(leak)
    write_questions(project, "a new one", "another")
    assert cli("check", "--no-rows", *own).code == 0


def test_another_suite_that_asks_what_is_trained_is_a_warning(cli, project):
    first, second, *_ = asked_in(project, "train")
    write_questions(project, first, "a new one", second)
    said = cli("check", "--no-rows", "--set", "suites.mine.examples=questions.jsonl")
    assert said.code == 0
    assert said.err.count("warning: ") == 2  # this one, and that few-shot has too few rows
    assert "suites.mine, questions.jsonl:1: of its 3 examples, 2 ask what training rows ask" in said.err
    assert "comparing 32 training rows with the suites' files (mine) …" in said.err


def test_a_target_that_asks_what_dev_asks_is_a_warning(cli, project):
    question, place = next(iter(asked_in(project, "dev").items()))
    write_questions(project, "a new one", question)
    said = cli("check", "--no-rows", "--set", "suites.target.examples=questions.jsonl")
    assert said.code == 0
    assert "warning: " in said.err
    assert "suites.target, questions.jsonl:2: of its 2 examples, 1 ask what dev rows ask" in said.err
    assert f"The first asks what {place} asks" in said.err


def held_inside_rows(project) -> str:
    """A question of a suite that training rows hold inside longer texts."""
    asked = "how many apples has Mara when she buys nine more at the market"
    rows = (project / "sums.csv").read_text().splitlines()
    longer = [f"read this number {at}: {asked} and answer,7" for at in range(10)]
    (project / "sums.csv").write_text("\n".join([*rows, *longer]) + "\n")
    write_questions(project, "a new one", asked)
    return asked


def test_a_suite_that_training_holds_inside_longer_texts_is_a_warning(cli, project):
    held_inside_rows(project)
    said = cli("check", "--no-rows", "--set", "suites.mine.examples=questions.jsonl")
    assert said.code == 0
    near = "suites.mine, questions.jsonl:2: of 2 of its examples, 1 are nearly what training rows say"
    assert near in said.err


def test_near_leaks_are_looked_for_again_only_where_something_changed(cli, project):
    asked = held_inside_rows(project)
    check = ("check", "--no-rows", "--set", "suites.mine.examples=questions.jsonl")
    first, again = cli(*check), cli(*check)
    assert "comparing 40 training rows" in first.err
    assert "comparing" not in again.err
    warnings = [said.err[said.err.index("warning:") :] for said in (first, again)]
    assert "1 are nearly what training rows say" in warnings[0]
    assert warnings[0] == warnings[1]
    write_questions(project, "a new one", "another", asked)
    said = cli(*check)
    assert "comparing 40 training rows" in said.err
    assert "questions.jsonl:3: of 3 of its examples, 1 are nearly what training rows say" in said.err
