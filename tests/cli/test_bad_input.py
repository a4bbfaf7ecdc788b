"""Bad input through the command line: one clear sentence, exit code 2, no traceback, nothing half-written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """\
name: tickets
task:
  output: {type: json, schema: schema.json}
sources:
  rows: {path: rows.csv, columns: {input: text, expected: answer}}
"""
SCHEMA = {"type": "object", "properties": {"kind": {"enum": ["bug", "praise"]}}, "required": ["kind"]}


def project(
    folder: Path, rows: str | bytes | None = None, text: str = PROJECT, schema: object = SCHEMA
) -> None:
    (folder / "tunewright.yaml").write_text(text)
    (folder / "schema.json").write_text(json.dumps(schema))
    if rows is None:
        rows = "text,answer\n" + "".join(f'it broke {n},"{{""kind"": ""bug""}}"\n' for n in range(40))
    (folder / "rows.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": "name: [a\n"}, "error: tunewright.yaml:2: this is not valid YAML"),
        (
            {"text": PROJECT + "spilt: {}\n"},
            "error: tunewright.yaml:6: spilt is not a setting. Did you mean split?",
        ),
        ({"schema": {"type": 3}}, "error: tunewright.yaml:3: this is not a JSON Schema"),
        ({"rows": ""}, "rows.csv"),
        ({"rows": "text,answer\n"}, "rows.csv"),
        ({"rows": "txt,answer\nhello,1\n"}, "text"),
        ({"rows": b"text,answer\ncaf\xe9,1\n"}, "rows.csv"),
        ({"rows": 'text,answer\nhello,"{""kind"": ""bug""}"\n'}, "row"),
        ({"rows": "text,answer\n" + "hello,not json\n" * 50}, "rows.csv"),
        ({"rows": f'text,answer\n{"a" * 2_000_000},"{{""kind"": ""bug""}}"\n'}, "row"),
        ({"text": PROJECT + "base: ./no-such-model\n"}, "no-such-model"),
        ({"text": PROJECT.replace("rows.csv", "none.csv")}, "none.csv"),
        ({"text": PROJECT + "suites: {mine: {examples: mine.jsonl}}\n"}, "mine.jsonl"),
        ({"text": PROJECT + "suites: {target: {graders: [{type: regex, pattern: '('}]}}\n"}, "pattern"),
        ({"text": PROJECT + "baselines: {prompt: false, few_shot: []}\n"}, "baselines"),
        ({"text": PROJECT + "decoding: {max_new_tokens: 0}\n"}, "decoding.max_new_tokens"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_input_is_one_clear_sentence(cli, tmp_path, command, changes, said):
    project(tmp_path, **changes)
    code, _, message = cli(command)
    assert (code, "Traceback" in message) == (2, False)
    assert said in message
    assert message.count("error:") == 1


def test_check_shows_every_problem_at_once(cli, tmp_path):
    project(
        tmp_path,
        rows="txt,answer\nhello,1\n",
        text=PROJECT + "base: ./gone\nsuites: {x: {examples: x.jsonl}}\n",
    )
    code, _, message = cli("check")
    assert code == 2
    assert message.count("error:") == 3


def test_a_folder_without_a_project(cli):
    code, _, message = cli("run")
    assert (code, message.startswith("error: ")) == (2, True)
    assert "there is no project file" in message


def test_a_mistyped_command_and_step(cli, tmp_path):
    project(tmp_path)
    assert cli("chekc").err.endswith("there is no command 'chekc'. Did you mean check?")
    assert "there is no step 'trian'; the steps are ingest, split" in cli("run", "trian").err


def test_init_over_a_project_is_refused(cli, tmp_path):
    project(tmp_path)
    assert cli("init", ".").code == 2
    assert (tmp_path / "tunewright.yaml").read_text() == PROJECT


def test_init_with_missing_data_writes_nothing(cli, tmp_path):
    code, _, message = cli("init", "mine", "--data", "none.csv")
    assert (code, message) == (2, "error: none.csv: there is no such data file")
    assert list(tmp_path.iterdir()) == []


def in_namespace(script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script where it may mount file systems of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)


needs_mounts = pytest.mark.skipif(
    shutil.which("unshare") is None or in_namespace("mount -t tmpfs none /mnt").returncode != 0,
    reason="mounting needs user namespaces",
)
TUNEWRIGHT = f"{sys.executable} -c 'from tunewright.cli.main import main; main()'"


@needs_mounts
def test_a_full_disk(tmp_path):
    project(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    done = in_namespace(
        f"mount -t tmpfs -o size=64k none {disk}; cp {tmp_path}/tunewright.yaml {tmp_path}/*.json {tmp_path}/*.csv {disk}\n"
        f"cd {disk}; {TUNEWRIGHT} run split"
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "full" in done.stderr


@needs_mounts
def test_a_read_only_folder(tmp_path):
    project(tmp_path)
    done = in_namespace(
        f"mount --bind {tmp_path} {tmp_path}; mount -o remount,ro,bind {tmp_path}; cd {tmp_path}; {TUNEWRIGHT} run split"
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "the folder is read-only" in done.stderr
