"""`init`: whatever the folder and the data are called, the file that is written can be read."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from chat_exports import chatgpt, slack
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import tunewright
from tunewright.cli.init import init as command
from tunewright.core.errors import UserError
from tunewright.decide.spec import PriceSpec
from tunewright.project.file import ProjectFile
from tunewright.project.init import init, project_name
from tunewright.project.reading import read


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("tickets", "tickets"),
        ("v1.2_a-b", "v1.2_a-b"),
        ("my tickets2", "my-tickets2"),
        ("été", "ete"),
        ("Straße 9", "Stra-e-9"),
        (".hidden", "hidden"),
        ("工单", "project"),
        ("", "project"),
        ("a" * 63 + " b", "a" * 63),
        ("x" * 200, "x" * 64),
    ],
)
def test_a_name_from_a_folder(folder: str, name: str) -> None:
    assert project_name(folder) == name


@given(st.text())
def test_every_folder_gives_a_name_that_stands(folder: str) -> None:
    values = {"name": project_name(folder), "task": {}, "sources": {"rows": {"path": "rows.csv"}}}
    assert ProjectFile.model_validate(values).name == project_name(project_name(folder))


@pytest.mark.parametrize("folder", ["my tickets2", "été", "a'b"])
def test_the_file_can_be_read_and_the_hint_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my rows[1].csv").write_text("text,label\nq,a\nr,b\n", "utf-8")
    said = CliRunner().invoke(command, [folder, "--recipe", "classification", "--data", "my rows[1].csv"])
    assert said.exit_code == 0
    file = read(tmp_path / folder / "tunewright.yaml")
    assert (file.name, file.sources["data"].path) == (project_name(folder), "../my rows[1].csv")
    hint = said.output.split("`")[1].removesuffix(" && tunewright check")
    listed = subprocess.run(f"{hint} && ls", shell=True, capture_output=True, text=True, check=True)
    assert listed.stdout == "tunewright.yaml\n"


def test_prices_stand_in_the_file_to_be_filled_in(tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("text,label\nq,a\nr,b\n", "utf-8")
    made = init(tmp_path / "mine", "classification", data)
    text = made.path.read_text("utf-8")
    assert text.endswith(
        """
# What tokens and time cost; where it is zero, cost is not told.
prices:
  # Price of a million tokens in.
  input_per_million: 0.0
  # Price of a million tokens out.
  output_per_million: 0.0
  # Price of the machine that serves, an hour. Training is told at the same price as it goes.
  machine_per_hour: 0.0
  # The currency, as shown.
  currency: USD
"""
    )
    made.path.write_text(text.replace("input_per_million: 0.0", "input_per_million: 0.5"), "utf-8")
    assert read(made.path).prices == PriceSpec(input_per_million=0.5)


def test_data_that_no_project_file_can_name_leaves_nothing_behind(tmp_path: Path) -> None:
    data = tmp_path / os.fsdecode(b"rows\xff.csv")
    data.write_text("text,label\nq,a\n", "utf-8")
    with pytest.raises(UserError, match=r"its path or a column.s name is not UTF-8\. Rename it\."):
        init(tmp_path / "mine", "classification", data)
    assert list(tmp_path.iterdir()) == [data]


ASKED = [f"Where is lamp {n}?" for n in range(40)]


def source_of(folder: Path) -> tuple[str, str, str]:
    """The source's path and format, and what the command said first."""
    said = CliRunner().invoke(
        command, [str(folder), "--recipe", "chat", "--data", str(folder.parent / folder.name[2:])]
    )
    assert said.exit_code == 0, said.output
    source = read(folder / "tunewright.yaml").sources["data"]
    return source.path, source.format, said.output.splitlines()[0]


def test_an_export_of_slack_is_a_source_of_its_format(tmp_path: Path) -> None:
    slack(tmp_path / "s.zip", ASKED)
    path, file_format, said = source_of(tmp_path / "p_s.zip")
    assert (path, file_format) == ("../s.zip", "slack")
    assert said == (
        "It is the export of a Slack workspace. Which channels answer as the model is to, only you know: leave the others"
        " out in the recipe, say - {op: filter, keep: 'channel == \"help\"'}."
    )
    text = (tmp_path / "p_s.zip" / "tunewright.yaml").read_text()
    kept = text.replace("recipe:\n", "recipe:\n  - {op: filter, keep: 'channel == \"help\"'}\n", 1)
    (tmp_path / "p_s.zip" / "tunewright.yaml").write_text(kept)
    assert len(tunewright.open(tmp_path / "p_s.zip").run("split", ask=False).outcomes) == 3


@pytest.mark.parametrize("name", ["g.zip", "conversations.json"])
def test_an_export_of_chatgpt_is_a_source_of_its_format(tmp_path: Path, name: str) -> None:
    chatgpt(tmp_path / name, ASKED)
    path, file_format, said = source_of(tmp_path / f"p_{name}")
    entry = "/conversations.json" if name.endswith(".zip") else ""
    assert (path, file_format) == (f"../{name}{entry}", "chatgpt")
    assert said.startswith(
        "It is the export of a ChatGPT account. Whether people checked its answers, only you know: then"
    )


def test_conversations_alone_in_an_archive_are_a_source_of_their_format(tmp_path: Path) -> None:
    chatgpt(tmp_path / "conversations.json", ASKED)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.write(tmp_path / "conversations.json", "conversations.json")
    path, file_format, _ = source_of(tmp_path / "p_c.zip")
    assert (path, file_format) == ("../c.zip/conversations.json", "chatgpt")


def test_an_entry_of_an_archive_is_named_as_it_is_seen_from_the_project(tmp_path: Path) -> None:
    entry = chatgpt(tmp_path / "g.zip", ASKED) / "conversations.json"
    init(tmp_path / "mine", "chat", entry)
    assert read(tmp_path / "mine" / "tunewright.yaml").sources["data"].path == "../g.zip/conversations.json"
