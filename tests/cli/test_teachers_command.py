"""`tunewright teachers`: the list, and a question to each."""

import json
from pathlib import Path

import pytest

from wire_server import error, ok, serving, whole

PROJECT = """\
name: taught
task: {system: Say the kind.}
sources: {rows: {path: rows.csv}}
teachers:
  big: {url: "%s", model: gpt-x, key_env: BIG_KEY, price_in: 1000, price_out: 1000, max_calls: 5000}
"""
RECIPE = """\
recipe:
  - op: generate
    teacher: big
    rows: 4
    columns:
      input: {type: text, prompt: "Ask something."}
      expected: {type: expression, value: "1 + 1"}
"""


def test_a_run_tells_what_was_asked_for(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("BIG_KEY", "sk-secret-of-ours")
    uncounted = whole({"choices": [{"message": {"content": "Why?"}, "finish_reason": "stop"}]})
    with serving(uncounted) as server:
        (tmp_path / "tunewright.yaml").write_text(PROJECT % server.url + RECIPE)
        (tmp_path / "rows.csv").write_text("input,expected\na,b\n")
        said = cli("run", "prepare")
    assert said.code == 0
    assert "warning: gpt-x does not count tokens here: four characters are taken for one" in said.err
    assert f"big: asking gpt-x at {server.url}, with the key in BIG_KEY" in said.err
    assert "big: 4 answers (16 + 4 tokens, 0.0200 USD)" in said.err


def test_check_asks_nobody_that_costs_unless_told_to(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("BIG_KEY", "sk-secret-of-ours")
    with serving(ok("Why?")) as server:
        (tmp_path / "tunewright.yaml").write_text(PROJECT % server.url + RECIPE)
        (tmp_path / "rows.csv").write_text("input,expected\na,b\n")
        for command in (["check"], ["data", "preview"]):
            said = cli(*command)
            assert said.code == 2
            assert (
                f"gpt-x at {server.url} has yet to answer, and a look asks nobody that costs or is elsewhere"
                in said.err
            )
        assert server.seen == []
        said = cli("data", "preview", "--ask")
        assert said.code == 0
        assert "Why?" in said.err + said.out
        assert len(server.seen) == 4


def test_a_first_look_tells_whom_it_asks_what_is_not_taken_what_it_cost_and_what_was_given_up(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("BIG_KEY", "sk-secret-of-ours")
    uncounted, blank = (
        whole({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
        for text in ("Why?", " ")
    )
    with serving(uncounted, blank) as server:
        text = (PROJECT % server.url).replace("max_calls", "concurrency: 1, max_calls") + RECIPE
        (tmp_path / "tunewright.yaml").write_text(text)
        (tmp_path / "rows.csv").write_text("input,expected\na,b\n")
        said = cli("data", "preview", "--ask")
    assert said.code == 0
    assert f"big: asking gpt-x at {server.url}, with the key in BIG_KEY" in said.err
    assert "warning: gpt-x does not count tokens here: four characters are taken for one" in said.err
    assert "big: 10 answers (" in said.out
    assert said.out.count("given up: input: it is blank") == 3
    assert "given_up.jsonl" not in said.out


def test_a_look_that_fails_tells_what_it_cost(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("BIG_KEY", "sk-secret-of-ours")
    with serving(ok("Why?")) as server:
        wrong = '  - {op: map, set: {input: "{{ input + 1 }}"}}\n'
        (tmp_path / "tunewright.yaml").write_text(PROJECT % server.url + RECIPE + wrong)
        (tmp_path / "rows.csv").write_text("input,expected\na,b\n")
        said = cli("data", "preview", "--ask")
    assert said.code == 2
    assert said.out.startswith("big: 4 answers (")
    assert "error: " in said.err


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("BIG_KEY", "sk-secret-of-ours")
    with serving(ok("Blue."), ok("Grey.", "length"), error(401, "sk-secret-of-ours is wrong")) as server:
        (tmp_path / "tunewright.yaml").write_text(PROJECT % server.url)
        (tmp_path / "rows.csv").write_text("input,expected\na,b\n")
        yield server.url


def test_teachers_are_listed(cli, url: str, monkeypatch: pytest.MonkeyPatch):
    said = cli("teachers")
    assert said.code == 0
    assert "big gpt-x http://127.0.0.1:" in said.out  # as far as the column is wide
    assert "in BIG_KEY 5,000 answers" in said.out
    assert "base embedded here" in said.out
    monkeypatch.delenv("BIG_KEY")
    assert "BIG_KEY is not set" in cli("teachers", "big").out
    assert cli("teachers", "bgi").err == (
        "error: there is no teacher 'bgi'; known are big, base. Did you mean 'big'?"
    )


def test_a_teacher_is_asked_whether_it_answers(cli, url: str):
    said = cli("teachers", "big", "--ask")
    assert said.code == 0
    assert "7 + 3 tokens, 0.010000 USD): Blue." in said.out
    (row,) = json.loads(cli("teachers", "big", "--question", "Which?", "--json").out)
    assert (row["name"], row["reply"]["text"], row["reply"]["finish"]) == ("big", "Grey.", "length")
    said = cli("teachers", "big", "--ask")
    assert said.code == 1
    assert (
        f"big does not answer: teachers.big.key_env: {url} does not take the key in BIG_KEY. Set BIG_KEY to a key"
        in said.out
    )
    assert "sk-secret" not in said.out + said.err
    assert cli("teachers", "--question", " ").code == 2
