"""`tunewright data`: why a row, a preview, an audit."""

import json
from pathlib import Path

import pytest

from tunewright.cli.recipe import plain
from tunewright.core.errors import Problem

PROJECT = """\
name: look
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe:
  - {op: redact, kinds: [email]}
  - {op: drop_duplicates}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"Where is parcel {n}? Write to me{n}@mail.example,delivery" for n in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *rows]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_why_tells_the_way_of_a_row(cli, project):
    said = cli("data", "why", "rows.csv:5")
    assert said.code == 0
    assert "rows.csv:5 (source rows) read input: Where is parcel 3? Write to me3@mail.example" in said.out
    assert "redact changed it input: Where is parcel 3? Write to [EMAIL_1]" in said.out
    assert "drop_duplicates: kept in " in said.out
    found = json.loads(cli("data", "why", "rows.csv:5", "--json").out)
    assert [touch["fate"] for touch in found[0]["touches"]] == ["changed", "kept"]
    missing = cli("data", "why", "rows.csv:99")
    assert (missing.code, missing.err) == (
        2,
        "error: no row is 'rows.csv:99'. Name its file and line as `tunewright check` does (tickets.csv:12), or an"
        " example's id.",
    )


def test_why_tells_how_often_a_row_stands_that_was_repeated(cli, project):
    held = project / "tunewright.yaml"
    held.write_text(held.read_text().replace("{op: drop_duplicates}", "{op: balance, least: 120}"))
    said = cli("data", "why", "rows.csv:5").out
    assert "balance: kept, 2 times in " in said
    assert "balance changed it" not in said


def test_the_recipe_is_shown_before_and_after_it_ran(cli, project):
    said = cli("data", "recipe")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "rows (source) stale redact (of rows) waits reads messages, rejected may change messages, rejected drop_duplicates"
        " (of redact) waits reads messages, desirable, rejected What is stale is worked by `tunewright run prepare`;"
        " `tunewright data preview` shows first rows."
    )
    assert cli("run", "prepare").code == 0
    assert cli("data", "recipe").out == (
        "rows (source) fresh rows 60 of 60 columns messages (conversation) redact (of rows) fresh reads messages changes"
        " messages rows 60 in, 60 out, 60 changed columns messages (conversation) drop_duplicates (of redact) fresh"
        " reads messages rows 60 in, 60 out columns messages (conversation)"
    )
    found = json.loads(cli("data", "recipe", "--json").out)
    assert [(node["id"], node["state"], node["account"]["rows_in"]) for node in found["operations"]] == [
        ("redact", "fresh", 60),
        ("drop_duplicates", "fresh", 60),
    ]
    assert found["sources"][0]["columns"] == [{"name": "messages", "kind": "conversation", "is_field": False}]


def test_why_a_recipe_stopped_is_json_too():
    problem = Problem("It stopped.", where="recipe.0", fix="Mend it.")
    assert plain({"stopped": problem}) == {
        "stopped": {"message": "It stopped.", "where": "recipe.0", "fix": "Mend it.", "examples": []}
    }


def test_conversations_that_nobody_answers_are_told_apart_from_rejects(cli, project):
    asked, answer = (
        f"From - Mon\nMessage-ID: <{n}@x>\nFrom: {who}\n" for n, who in (("a", "ann@y"), ("b", "help@x"))
    )
    lone = "".join(f"From - Mon\nMessage-ID: <{n}@x>\nFrom: ann@y\n\nThanks {n}.\n\n" for n in range(5))
    mails = f"{asked}\nMy lamp is broken.\n\n{answer}In-Reply-To: <a@x>\n\nSend it back.\n\n{lone}"
    (project / "mails.mbox").write_text(mails)
    source = "{path: mails.mbox, roles: {help@x: assistant}}"
    (project / "tunewright.yaml").write_text(f"name: n\ntask: {{system: s}}\nsources: {{mails: {source}}}\n")
    said = cli("run", "ingest")
    assert said.code == 0
    assert "1 examples, 0 rejects, 5 passed over (no answer 5)" in said.err
    assert said.out.startswith(
        "5 conversations were passed over (no answer 5), the first at mails.mbox:3: no answer: no mail of the file answers"
        " it, and it answers none. All of them: "
    )
    assert (
        "mails.mbox:3 (source mails) passed over no answer: no mail" in cli("data", "why", "mails.mbox:3").out
    )
    assert (
        "mails (source) fresh rows 1 of 6, 5 passed over (no answer 5) columns" in cli("data", "recipe").out
    )


@pytest.mark.parametrize(
    ("how", "said"), [("drop", "thinking left out of 2"), ("inline", "thinking put into the text of 2")]
)
def test_what_became_of_thinking_is_said_with_its_count(project, cli, how, said):
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Q {n}"},
                {"role": "assistant", "content": "A", **({"reasoning_content": f"Hm {n}."} if n else {})},
            ]
        }
        for n in range(3)
    ]
    (project / "t.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    source = f"{{path: t.jsonl, thinking: {how}}}"
    (project / "tunewright.yaml").write_text(f"name: n\ntask: {{system: s}}\nsources: {{t: {source}}}\n")
    assert f"3 examples, 0 rejects, {said}" in cli("run", "ingest").err
    assert f"t (source) fresh rows 3 of 3, {said} columns" in cli("data", "recipe").out
    expected = "A" if how == "drop" else "<think> Hm 2. </think> A"
    assert f"expected: {expected}" in cli("data", "why", "t.jsonl:3").out


def test_preview_shows_what_an_operation_makes(cli, project):
    said = cli("data", "preview", "redact", "--rows", "1", "--of", "10")
    assert said.code == 0
    assert "input: Where is parcel 0? Write to [EMAIL_1]" in said.out
    assert "redact: of 10 rows 10 go on, 0 are dropped, 10 changed (email 10)." in said.out
    held = project / "tunewright.yaml"
    held.write_text(held.read_text() + "  - {op: quality}\n")
    judged = cli("data", "preview", "quality", "--rows", "1").out
    assert "quality: 1.0" in judged
    assert "flaws: []" in judged
    assert cli("data", "preview", "redct").err.endswith("Did you mean 'redact'?")


def test_audit_of_the_project_and_of_a_file(cli, project):
    said = cli("data", "audit")
    assert said.code == 1
    assert "info replaced: redact replaced in 60 of 60 rows (100.0%): email 60 (not looked for: " in said.out
    assert "hold personal data" not in said.out
    raw = cli("data", "audit", "rows.csv")
    assert raw.code == 1
    assert "The input is text: its name says so. The answer is kind" in raw.out
    assert "error constant_answer: 60 of 60 rows (100.0%) have one and the same answer." in raw.out
    assert "warning personal_data: 60 of 60 rows hold personal data: email 60. rows.csv:2" in raw.out
    assert "me0@mail" not in raw.out
    (project / "keys.csv").write_text("q,a\nmy hf_abcdefghijklmnopqrstuvwxyzABCDEFGH,no\n,empty\n")
    keys = cli("data", "audit", "keys.csv", "--column", "input=q", "--column", "expected=a")
    assert keys.code == 1
    assert "error set_aside: 1 of 2 rows (50.0%) cannot be used and are set aside: empty input 1" in keys.out
    assert "error secret: 1 of 1 rows hold keys, tokens or passwords. keys.csv:2 Mend it: Replace" in keys.out
    assert "hf_" not in keys.out
    assert json.loads(cli("data", "audit", "keys.csv", "--json").out)["rows"] == {"all": 1}


def test_what_cannot_be_audited_is_one_sentence(cli, project):
    assert cli("data", "audit", "nope.csv").err == "error: nope.csv: there is no such file"
    assert "is not OURS=THEIRS" in cli("data", "audit", "rows.csv", "--column", "input").err
