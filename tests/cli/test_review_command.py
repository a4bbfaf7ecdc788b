"""`tunewright data review` in a real terminal, with a real editor; and without either."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from terminal import Terminal

PROJECT = """\
name: look
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe: [{op: review}]
"""
KEYS = "q quit"
"""What a row ends with."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"Where is parcel {n}?,delivery" for n in range(5)]
    (tmp_path / "rows.csv").write_text(
        "\n".join(["text,kind", *rows, "Where is \x1b[2J it?,delivery"]) + "\n"
    )
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def editor(folder: Path, script: str) -> dict[str, str]:
    path = folder / "my editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"EDITOR": f"'{path}'", "VISUAL": ""}


def decisions(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "reviews.jsonl").read_text("utf-8").splitlines()]


def test_rows_are_judged_by_single_keys(project: Path) -> None:
    env = editor(project, "sed -i 's/^delivery$/Delivery, please./' \"$1\"")
    with Terminal(["data", "review", "--in-order", "--by", "ann"], project, env) as terminal:
        assert "1 of 6 rows.csv:2 (rows)" in (shown := terminal.until(KEYS))
        assert "user Where is parcel 0? expected delivery" in shown
        terminal.type("a")
        assert shown != terminal.until(KEYS)
        terminal.type("r")
        terminal.until("Esc goes back.")
        terminal.type("wrpng\x7f\x7f\x7fong läbel\n")
        assert "wrong läbel rejected 3 of 6" in terminal.until(KEYS)
        terminal.type("\x1b[A")  # an arrow says nothing
        terminal.type("u")
        assert "taken back 2 of 6" in terminal.until(KEYS)
        terminal.type("r")
        assert "1 wrong läbel" in terminal.until("Esc goes back.")
        terminal.type("1")
        terminal.until(KEYS)
        terminal.type("r")
        terminal.until("Esc goes back.")
        terminal.type("\x1b")
        terminal.until("not rejected")
        terminal.until(KEYS)
        terminal.type("e")
        assert "edited 4 of 6" in terminal.until(KEYS)
        terminal.type("s")
        assert "skipped 5 of 6" in terminal.until(KEYS)
        terminal.type("a")
        assert "⟨001B⟩[2J" in terminal.until(KEYS)
        terminal.type("?")
        terminal.until("what was decided is kept")
        terminal.type("q")
        terminal.until("2 accepted, 1 rejected, 1 edited.")
        assert terminal.end() == 0
        assert terminal.now == terminal.before
    assert [(one["place"], one["verdict"], one.get("reason")) for one in decisions(project)] == [
        ("rows.csv:2", "accept", None),
        ("rows.csv:3", "reject", "wrong läbel"),
        ("rows.csv:3", "withdraw", None),
        ("rows.csv:3", "reject", "wrong läbel"),
        ("rows.csv:4", "edit", None),
        ("rows.csv:6", "accept", None),
    ]
    assert decisions(project)[4]["edit"]["messages"][-1]["content"] == "Delivery, please."
    assert {one["by"] for one in decisions(project)} == {"ann"}


def test_a_broken_form_is_told_and_nothing_of_it_is_lost(project: Path) -> None:
    env = editor(project, "sed -i -e 's/^=== user/=== usr/' -e 's/^delivery$/my new answer/' \"$1\"")
    with Terminal(["data", "review", "--in-order"], project, env) as terminal:
        terminal.until(KEYS)
        terminal.type("e")
        assert "line 5: there is no part 'usr'. Did you mean 'user'?" in terminal.until("for the next time.")
        terminal.type("x")
        terminal.until(KEYS)
        editor(project, "sed -i 's/^=== usr/=== user/' \"$1\"")
        terminal.type("e")
        terminal.until("what was left of your last edit")
        terminal.until("edited 2 of 6")
        terminal.type("q")
        assert terminal.end() == 0
    (decision,) = decisions(project)
    assert decision["edit"]["messages"][-1]["content"] == "my new answer"
    assert list((project / ".tunewright" / "forms").iterdir()) == []


def test_an_editor_that_is_not_there_or_fails(project: Path) -> None:
    with Terminal(["data", "review"], project, {"EDITOR": "no-such-editor -w", "VISUAL": ""}) as terminal:
        terminal.until(KEYS)
        terminal.type("e")
        terminal.until(
            "the editor 'no-such-editor -w' cannot be started (No such file or directory): name yours in EDITOR"
        )
        terminal.type("q")
        assert terminal.end() == 0
    with Terminal(["data", "review"], project, editor(project, "exit 3")) as terminal:
        terminal.until(KEYS)
        terminal.type("e")
        terminal.until("ended with 3: the row is as it was, the form is kept")
        terminal.type("q")
        assert terminal.end() == 0
    assert not (project / "reviews.jsonl").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_what_was_decided_outlives_a_stop(project: Path, stop: signal.Signals) -> None:
    with Terminal(["data", "review", "--in-order"], project) as terminal:
        terminal.until(KEYS)
        terminal.type("a")
        terminal.until(KEYS)
        if stop == signal.SIGINT:
            terminal.type("\x03")
            terminal.until("1 accepted, 0 rejected, 0 edited.")
            assert terminal.end() == 130
            assert terminal.now == terminal.before
        else:
            os.kill(terminal.pid, stop)
            assert terminal.end() == -stop
    assert [one["place"] for one in decisions(project)] == ["rows.csv:2"]


def test_without_a_terminal_there_are_files(cli, project: Path) -> None:
    said = cli("data", "review")
    assert (said.code, said.err) == (
        2,
        "error: a review asks for keys, and here is no terminal. Write the queue to a file (--export queue.jsonl), fill in"
        " the verdicts, take it in (--decisions queue.jsonl).",
    )
    assert cli("data", "review", "--export", "q.jsonl", "--rows", "2").out == "2 rows to review: q.jsonl"
    lines = [
        json.loads(line) | {"verdict": "accept"} for line in Path("q.jsonl").read_text("utf-8").splitlines()
    ]
    Path("q.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    taken = cli("data", "review", "--decisions", "q.jsonl", "--by", "ann")
    assert taken.out == "q.jsonl: 2 new decisions, 0 known ones → reviews.jsonl"
    status = cli("data", "review", "--status")
    assert status.out.startswith(
        "2 of 6 rows are reviewed: 2 accepted, 0 edited, 0 rejected; as 2 of them were drawn at"
    )
    assert "ann" in status.out
    assert json.loads(cli("data", "review", "--status", "--json").out)["reviewed"] == 2


def test_a_queue_of_nothing_and_a_wrong_choice(cli, project: Path) -> None:
    with Terminal(["data", "review", "--where", "chars > 1000"], project) as terminal:
        terminal.until("No row that is asked for is left to review: 0 of 6 rows are reviewed.")
        assert terminal.end() == 0
    said = cli("data", "review", "--status", "--finding", "secrets")
    assert (
        said.err
        == "error: --finding: there is no finding 'secrets' about single rows. Did you mean 'secret'?"
    )
    assert cli("data", "review", "--decisions", "none.jsonl").err == (
        "error: none.jsonl: there is no such file or folder. What was finished stands; mend it and run again."
    )


def test_nothing_from_a_file_of_reviews_steers_the_terminal(project: Path) -> None:
    with Terminal(["data", "review", "--in-order", "--by", "ann"], project) as terminal:
        terminal.until(KEYS)
        terminal.type("r")
        terminal.until("Esc goes back.")
        terminal.type("no\n")
        terminal.until(KEYS)
        terminal.type("q")
        assert terminal.end() == 0
    (line,) = decisions(project)
    wild = line | {"by": "eve\x1b]0;owned\x07", "reason": "bad\x1b[2J\n  2 worse" + "x" * 500}
    (project / "reviews.jsonl").write_text(json.dumps(wild) + "\n")
    with Terminal(["data", "review", "--again", "--in-order", "--row", "rows.csv:2"], project) as terminal:
        shown = terminal.until(KEYS)
        assert "rejected by eve⟨001B⟩]0;owned⟨0007⟩: bad⟨001B⟩[2J 2 worsex" in shown
        terminal.type("r")
        assert "1 bad⟨001B⟩[2J 2 worsex" in (shown := terminal.until("Esc goes back."))
        assert "x" * 100 not in shown
        terminal.type("1")
        terminal.until("rejected")
        assert terminal.end() == 0
    assert "\x1b]0" not in terminal.raw
    assert "\x1b[2J" not in terminal.raw


def test_a_long_reason_stays_in_its_line_and_a_long_talk_is_cut(project: Path) -> None:
    turns = [{"role": ("user", "assistant")[at % 2], "content": f"turn {at}"} for at in range(100)]
    (project / "talk.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    (project / "tunewright.yaml").write_text(
        PROJECT.replace("rows.csv, columns: {input: text, expected: kind}", "talk.jsonl")
    )
    with Terminal(["data", "review"], project) as terminal:
        shown = terminal.until(KEYS)
        assert "turn 3 … 84 more parts, v shows them user turn 88" in shown.replace(" (not learnt)", "")
        assert "turn 99" in shown
        terminal.type("r")
        terminal.until("Esc goes back.")
        terminal.type("a" * 150 + "end\n")
        terminal.until("aend")
        terminal.until("rejected")
        assert terminal.end() == 0
    assert decisions(project)[0]["reason"] == "a" * 150 + "end"


def test_a_row_that_somebody_else_reviewed_meanwhile_is_passed_over(project: Path) -> None:
    with Terminal(["data", "review", "--in-order", "--by", "ann"], project) as terminal:
        terminal.until(KEYS)
        with Terminal(["data", "review", "--row", "rows.csv:3", "--by", "bob"], project) as other:
            other.until(KEYS)
            other.type("a")
            assert other.end() == 0
        terminal.type("a")
        assert "rows.csv:3 was reviewed meanwhile" in (shown := terminal.until(KEYS))
        assert "3 of 6" in shown
        terminal.type("q")
        assert terminal.end() == 0
    assert [(one["place"], one["by"]) for one in decisions(project)] == [
        ("rows.csv:3", "bob"),
        ("rows.csv:2", "ann"),
    ]


def test_the_status_tells_how_two_agree(cli, project: Path) -> None:
    for name, verdicts in (("ann", ["accept"] * 4 + ["reject"] * 2), ("bob", ["accept"] * 5 + ["reject"])):
        which = ("--second", "--by", name) if name == "bob" else ("--again",)
        cli("data", "review", "--export", "q.jsonl", "--in-order", *which)
        lines = [json.loads(line) for line in Path("q.jsonl").read_text("utf-8").splitlines()]
        lines.sort(key=lambda line: line["place"])
        told = [
            json.dumps(line | {"verdict": verdict}) for line, verdict in zip(lines, verdicts, strict=True)
        ]
        Path("q.jsonl").write_text("\n".join(told))
        cli("data", "review", "--decisions", "q.jsonl", "--by", name)
    said = cli("data", "review", "--status").out
    assert (
        "ann and bob both judged 6 rows, 83.3% alike, where chance would make 61.1%: Cohen's κ 0.57 (95 %"
        in said
    )
    assert "none drawn" in said
    assert "decision shown" not in said
    cli("data", "review", "--export", "q.jsonl", "--disagreed", "--by", "bob")
    (line,) = [json.loads(line) for line in Path("q.jsonl").read_text("utf-8").splitlines()]
    assert (line["before"]["by"], line["judged_by"]) == ("bob", ["ann", "bob"])
    Path("q.jsonl").write_text(json.dumps(line | {"verdict": "accept"}))
    cli("data", "review", "--decisions", "q.jsonl", "--by", "ann")
    again = cli("data", "review", "--status").out
    assert "ann and bob both judged 6 rows, 83.3% alike" in again
    assert (
        "1 row was judged with another's decision shown (--again, --disagreed, --row): that says nothing"
        in again
    )
