"""The commands that need no run: init, schema, doctor, status, release, chat."""

import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from tunewright.core.generation import Reply
from tunewright.generate.variant import Variant
from tunewright.project import serving
from tunewright.project.reading import read

TICKETS = 'text,answer\nIt broke.,"{""kind"": ""bug""}"\nI love it.,"{""kind"": ""praise""}"\n'


def test_init_writes_a_project_that_opens(cli, tmp_path):
    (tmp_path / "tickets.csv").write_text(TICKETS)
    said = cli("init", "mine", "--data", "tickets.csv")
    assert said.code == 0
    assert said.out.startswith("The input is text: its name says so. The answer is answer")
    file = read(tmp_path / "mine/tunewright.yaml")
    assert (file.name, file.sources["data"].path) == ("mine", "../tickets.csv")


def test_init_names_a_base_as_seen_from_the_project(cli, tmp_path):
    (tmp_path / "tickets.csv").write_text(TICKETS)
    (tmp_path / "bases" / "mine").mkdir(parents=True)
    assert cli("init", "a", "--data", "tickets.csv", "--base", "bases/mine").code == 0
    file = read(tmp_path / "a/tunewright.yaml")
    assert (file.base, file.train.learning_rate) == ("../bases/mine", 2e-4)  # the rate of a real base
    (tmp_path / "c" / "own").mkdir(parents=True)
    assert cli("init", "c", "--data", "tickets.csv", "--base", "c/own").code == 0
    assert read(tmp_path / "c/tunewright.yaml").base == "./own"
    assert cli("init", "b", "--data", "tickets.csv", "--base", "Qwen/Qwen3-0.6B").code == 0
    assert read(tmp_path / "b/tunewright.yaml").base == "Qwen/Qwen3-0.6B"


def test_init_shows_its_recipes_and_refuses_another(cli):
    assert "structured-output JSON from text" in cli("init", "--recipes").out
    assert cli("init", "mine", "--recipe", "magic").err.startswith(
        "error: --recipe: there is no recipe 'magic'. The"
    )


def test_projects_below_are_named_where_there_is_none(cli, tmp_path):
    for name in ("my-tickets", "other one"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tunewright.yaml").write_text("")
    (tmp_path / "rows").mkdir()
    below = "Name one below: `-p my-tickets` or `-p 'other one'`."
    assert cli("check") == (2, "", f"error: tunewright.yaml: there is no project file. {below}")
    assert cli("run", "-p", "my-ticket").err == f"error: my-ticket: there is no project file. {below}"
    assert f"There is no project here. {below}" in cli("doctor").out
    for name in "bcd":
        (tmp_path / name).mkdir()
        (tmp_path / name / "tunewright.yaml").write_text("")
    assert cli("status").err.endswith(
        "Name one below: `-p b` or `-p c` or `-p d` (there are 5 such folders)."
    )


def test_schema_is_for_editors(cli):
    assert json.loads(cli("schema").out)["title"] == "ProjectFile"


def test_doctor_speaks_of_the_project_at_hand(cli, tmp_path):
    nothing = "There is no project here. Make one with `tunewright init NAME --data FILE`."
    assert nothing in cli("doctor").out
    (tmp_path / "tickets.csv").write_text(TICKETS)
    cli("init", "mine", "--data", "tickets.csv")
    assert "mine starts from the embedded base" in cli("doctor", "-p", "mine").out
    facts = json.loads(cli("doctor", "--json").out)["facts"]
    assert facts["cores_free"] >= 1


def test_check_warns_of_expected_answers_that_fail_their_grader(cli, tmp_path):
    rows = "".join(f"sum {i},{i} or {i + 1}\n" for i in range(39)) + "sum 39,n/a\n"
    (tmp_path / "sums.csv").write_text("text,answer\n" + rows)
    (tmp_path / "tunewright.yaml").write_text(
        "name: sums\ntask: {system: Add.}\n"
        "sources: {rows: {path: sums.csv, columns: {input: text, expected: answer}}}\n"
        "suites: {target: {examples: test, graders: [{type: regex, pattern: '^[0-9]+$'}]}, general: {examples: general}}\n"
    )
    said = cli("check")
    assert said.code == 0
    assert "answer nothing ('n/a'). Mend it: source: answer these rows, or remove them." in said.out
    assert "tunewright.yaml:4: suites.target, sums.csv:" in said.err
    assert "of the 4 expected answers, 4 score below 1 with regex themselves" in said.err


def test_check_says_what_an_engine_would_not_load_whatever_else_is_wrong(cli, tmp_path):
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    settings = ("--set", "train.adapter.kind=dora", "--set", "train.adapter.rank=24")
    said = cli("check", *settings)
    assert said.code == 2
    assert "sums.jsonl" in said.err
    assert "warning: --set train.adapter.kind: vLLM loads no DoRA adapters" in said.err
    assert "warning: --set train.adapter.rank: vLLM loads an adapter of rank 24 only where" in said.err
    said = cli("check", "--set", "train.adapter.kind=dora")
    assert said.code == 2
    assert "of rank" not in said.err


PROJECT = (
    "name: sums\ntask: {system: Add.}\nsources: {rows: {path: sums.jsonl}}\n"
    "suites: {target: {examples: test, graders: [{type: exact_match}]}, general: {examples: general}}\n"
)


def write_talks(folder, long=(0,)):
    """40 conversations of one turn, those numbered in `long` with a long turn before it."""
    lines = []
    for number in range(40):
        turns = [("user", f"sum {number}"), ("assistant", f"{number} or {number + 1}")]
        if number in long:
            turns = [("user", f"count to {number} " * 40), ("assistant", "no"), *turns]
        lines.append(json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]}))
    (folder / "sums.jsonl").write_text("\n".join(lines))
    (folder / "tunewright.yaml").write_text(PROJECT)


def test_check_tells_what_is_chosen_and_why(cli, tmp_path):
    write_talks(tmp_path)
    said = cli("check", "--no-rows")
    assert said.code == 0
    assert "train.adapter.rank 8: " in said.out
    assert "train.epochs 4: 32 examples, and fewer want more passes; training stops" in said.out
    assert (
        "train.learning_rate 0.002: 0.002 for a base 256 wide, as measured on the embedded base. train."
        in said.out
    )
    assert "train.batch_tokens 2048: the task's " in said.out
    said = cli("check", "--no-rows", "--set", "train.adapter.rank=24", "--set", "train.epochs=1")
    assert "train.adapter.rank" not in said.out
    assert "train.epochs" not in said.out
    assert (
        "warning: --set train.adapter.rank: vLLM loads an adapter of rank 24 only where it is started with"
        in said.err
    )


def test_check_tells_which_rows_were_too_long(cli, tmp_path):
    write_talks(tmp_path, long=range(20))
    short = ("check", "--no-rows", "--set", "train.max_length=60", "--set")
    said = cli(*short, "train.over_long=cut")
    assert said.code == 0
    assert (
        "rows are longer than train.max_length (60 tokens) and lost their oldest turns: sums.jsonl:"
        in said.out
    )
    said = cli(*short, "train.over_long=drop")
    assert said.code == 0
    assert "rows are longer than train.max_length (60 tokens) and are left out: sums.jsonl:" in said.out
    said = cli(*short, "train.over_long=fail")
    assert re.search(r"error: (sums\.jsonl:\d+, ){2}sums\.jsonl:\d+: \d+ rows are longer than", said.err)
    assert "Raise train.max_length, or set train.over_long to drop or cut." in said.err
    assert cli("run", "gate", *short[2:], "train.over_long=fail").err.endswith(said.err[-200:])


def test_check_refuses_to_drop_a_whole_part(cli, tmp_path):
    write_talks(tmp_path, long=range(40))
    said = cli("check", "--set", "train.max_length=60", "--set", "train.over_long=drop")
    assert said.code == 2
    assert (
        "dev rows are longer than train.max_length (60 tokens), and dropping them leaves none. Raise"
        in said.err
    )
    said = cli("check", "--set", "train.max_length=10", "--set", "train.over_long=cut")
    assert said.code == 2
    assert "even with their last turn alone" in said.err
    assert "Raise train.max_length, or set train.over_long to drop. " in f"{said.err} "


def test_nothing_is_there_yet(cli, tmp_path):
    (tmp_path / "tickets.csv").write_text(TICKETS)
    cli("init", "mine", "--data", "tickets.csv")
    assert "ingest stale" in cli("status", "-p", "mine").out
    assert cli("report", "-p", "mine") == (
        2,
        "",
        "error: mine: there is no report yet. `tunewright run` makes it.",
    )
    assert "Nothing is released yet" in cli("release", "-p", "mine").out
    assert "production names no release yet" in cli("chat", "hello", "-p", "mine").err
    assert "names no alias, step or artifact here" in cli("lineage", "-p", "mine").err


class Hostile:
    """Answers with what would clear a screen; asked to fail, fails with it."""

    def generate(self, conversations, decoding):
        failed = "fail" in conversations[0][-1].content
        return [Reply("" if failed else "a\x1b[2Jb", 0, 0, 0.0, "stop", "c\x1b[2Jd" if failed else None)]


def test_a_reply_does_not_steer_the_terminal(cli, tmp_path, monkeypatch):
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    variant = Variant(name="v", base_hash="")
    monkeypatch.setattr(serving, "load_release", lambda *_: serving.Served(None, Hostile(), variant))
    monkeypatch.setattr(sys, "stdin", StringIO("hello\nfail\n"))
    assert cli("chat", "hello").out == "a⟨001B⟩[2Jb"
    assert cli("chat", "fail").err == "error: c⟨001B⟩[2Jd"
    assert cli("chat").out == "you> a⟨001B⟩[2Jb you> c⟨001B⟩[2Jd you>"


def test_init_does_not_repeat_what_steers_a_terminal(cli, tmp_path):
    (tmp_path / "rows.csv").write_text("text,\x1b[2Jlabel\nq,a\nr,b\n")
    assert cli("init", "mine", "--recipe", "classification", "--data", "rows.csv").out.startswith(
        "The input is text: its name says so. The answer is ⟨001B⟩[2Jlabel: "
    )


def test_both_names_are_one_command():
    for name in ("tunewright", "tw"):
        done = subprocess.run(
            [Path(sys.executable).with_name(name), "--version"], capture_output=True, text=True, check=True
        )
        assert done.stdout == "tunewright 0.1.0\n"
