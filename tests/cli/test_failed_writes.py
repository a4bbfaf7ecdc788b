"""Files that cannot be written: the sentence names the user's file, nothing is left beside it, what was there stays."""

import json
from pathlib import Path

import pytest

from mounts import TUNEWRIGHT, in_namespace, needs_mounts
from tunewright.core.files import write_atomic

PROJECT = """\
name: look
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"Where is parcel {n}?,{'delivery' if n % 2 else 'billing'}" for n in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *rows]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    (tmp_path / "there").mkdir()
    return tmp_path


@needs_mounts
@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        ("mount -t tmpfs -o size=4k none there; head -c 4096 /dev/zero > there/full", "the disk is full"),
        ("mount -t tmpfs none there; mount -o remount,ro there", "the folder is read-only"),
    ],
)
@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("data audit rows.csv --only html --html there/odd.html", "there/odd.html"),
        ("data review --export there/queue.jsonl", "there/queue.jsonl"),
    ],
)
def test_the_file_that_was_asked_for_is_named(folder, mount, reason, command, name):
    done = in_namespace(
        f"cd {folder}; {mount}; {TUNEWRIGHT} {command} || code=$?; ls -A there >&2; exit $code"
    )
    left = "full\n" if "full" in reason else ""
    assert done.returncode == 2
    assert done.stderr == f"error: {name}: {reason}. What was finished stands; mend it and run again.\n{left}"


def test_what_stands_in_the_way_is_left_as_it_is(folder):
    queue = folder / "queue.jsonl"
    queue.mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_atomic(queue, "{}")
    assert (caught.value.filename, list(folder.glob(".*"))) == (str(queue), [])
    with pytest.raises(NotADirectoryError) as caught:
        write_atomic(folder / "rows.csv" / "odd.html", "")
    assert caught.value.filename == str(folder / "rows.csv" / "odd.html")
    write_atomic(folder / "there" / "one.json", json.dumps([1]))
    assert [path.name for path in (folder / "there").iterdir()] == ["one.json"]
