"""An audit of files whose ending does not tell the format: exports of chat tools, and what is said of others."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from chat_exports import chatgpt, slack

from tunewright.core.errors import DataError, UserError
from tunewright.project.auditing import AuditSpec, audit_file

QUICK = AuditSpec(kinds=["few_rows"])
ASKED = [f"Where is lamp {n}?" for n in range(4)]


def audited(path: Path, **how: str) -> tuple[int, str]:
    found = audit_file(path, None, how.get("form"), QUICK, file_format=how.get("file_format"))
    return found.summary.examples, found.why


def test_exports_of_chat_tools_are_read_as_what_they_are(tmp_path: Path) -> None:
    account = chatgpt(tmp_path / "g.zip", ASKED)
    of_chatgpt = "It is the export of a ChatGPT account, read as chatgpt."
    assert audited(slack(tmp_path / "s.zip", ASKED)) == (
        4,
        "It is the export of a Slack workspace, read as slack.",
    )
    assert audited(account) == (4, of_chatgpt)
    assert audited(account / "conversations.json") == (4, of_chatgpt)
    assert audited(chatgpt(tmp_path / "conversations.json", ASKED)) == (4, of_chatgpt)


def test_a_format_is_taken_as_told(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"question": one, "answer": "a"}) + "\n" for one in ASKED)
    odd = tmp_path / "rows.dat"
    odd.write_text(rows)
    count, why = audited(odd, file_format="jsonl")
    assert (count, why[:40]) == (4, "The input is question: its name says so.")
    alpaca = tmp_path / "alpaca.dat"
    alpaca.write_text("".join(json.dumps({"instruction": one, "output": "a"}) + "\n" for one in ASKED))
    assert audited(alpaca, file_format="jsonl", form="alpaca") == (4, "The rows are read as alpaca, as told.")
    count, why = audited(alpaca, file_format="jsonl")
    assert (count, why[:28]) == (4, "The rows are read as alpaca:")
    assert audited(odd, file_format="text") == (1, "Its rows are documents.")
    assert audited(slack(tmp_path / "s.zip", ASKED), file_format="slack") == (
        4,
        "It is the export of a Slack workspace, read as slack.",
    )
    account = chatgpt(tmp_path / "g.zip", ASKED)
    for told in ("chatgpt", "auto"):
        assert audited(account, file_format=told) == (
            4,
            "It is the export of a ChatGPT account, read as chatgpt.",
        )


def test_a_name_that_is_no_format_gets_the_list(tmp_path: Path) -> None:
    path = slack(tmp_path / "s.zip", ASKED)
    with pytest.raises(UserError) as caught:
        audited(path, file_format="slak")
    assert caught.value.message.startswith("no format is named 'slak'; there are auto, chat, csv, ")
    assert caught.value.fix == "Did you mean 'slack'?"


def thinking(turns: str, role: str, content: str, assistant: str) -> str:
    answer = {role: assistant, content: "a", "reasoning_content": "hm"}
    return json.dumps({turns: [{role: "user", content: "q"}, answer]}) + "\n"


def test_thinking_beside_answers_is_left_out_and_counted(tmp_path: Path) -> None:
    said = " Thinking beside the answers of 2 is left out."
    path = tmp_path / "chat.jsonl"
    path.write_text(2 * thinking("messages", "role", "content", "assistant"))
    assert audited(path) == (2, f"Its rows are conversations.{said}")
    assert audited(path, form="openai") == (2, f"The rows are read as openai, as told.{said}")
    other = tmp_path / "share.jsonl"
    other.write_text(2 * thinking("conversations", "from", "value", "gpt"))
    count, why = audited(other)
    assert (count, why[:30], why[-len(said) :]) == (2, "The rows are read as sharegpt:", said)
    # beside files without conversations it cannot be left out: such rows are set aside, as before
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.jsonl").write_text(path.read_text())
    (folder / "b.jsonl").write_text('{"input": "q", "expected": "a"}\n')
    assert audited(folder) == (1, "Its rows are conversations.")


@pytest.mark.parametrize(
    ("name", "file_format", "fix"),
    [
        ("rows.dat", None, "Say --format NAME (the endings known are .csv, "),
        (
            "think.zip",
            None,
            "An audit has no such option: begin a project, and set thinking for its source.",
        ),
        ("s.zip", "jsonl", "Say --format slack."),
        ("g.zip", "jsonl", "Say --format chatgpt."),
        (
            "rows.dat",
            "audio",
            "An audit has no such option: begin a project, and set speech: {model: small}, or a folder.",
        ),
        (
            "latin.csv",
            None,
            "An audit has no such option: begin a project, and set encoding: cp1252 for this",
        ),
    ],
)
def test_the_way_out_is_an_option_or_a_project(
    tmp_path: Path, name: str, file_format: str | None, fix: str
) -> None:
    slack(tmp_path / "s.zip", ASKED)
    chatgpt(tmp_path / "g.zip", ASKED)
    (tmp_path / "rows.dat").write_text("x\n")
    with ZipFile(tmp_path / "think.zip", "w") as packed:
        packed.writestr("think.jsonl", thinking("messages", "role", "content", "assistant"))
    (tmp_path / "latin.csv").write_bytes("input,expected\nFrédéric à la plage,a\n".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        audit_file(tmp_path / name, looked=QUICK, file_format=file_format)
    assert (caught.value.fix or "").startswith(fix)


def test_an_export_is_held_against_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    slack(tmp_path / "s.zip", ASKED)
    chatgpt(tmp_path / "g.zip", [*ASKED[:3], "Who is it?"])
    looked = AuditSpec(kinds=["leak"], against=("g.zip",))
    [leak] = audit_file(Path("s.zip"), looked=looked).audit.findings
    # no operation reads the archive, so that no line drops such rows
    assert (leak.kind, leak.count, leak.recipe) == ("leak", 3, "")
    (tmp_path / "g.dat").write_bytes(chatgpt(tmp_path / "g.json", ASKED).read_bytes())
    looked = AuditSpec(kinds=["leak"], against=("g.dat", "s.zip"))
    found = audit_file(Path("g.dat"), looked=looked, file_format="chatgpt").audit.findings
    assert [(one.kind, one.count) for one in found] == [("leak", 4), ("leak", 4)]
