"""Exports of chat tools, known by what lies in them."""

import json
import zipfile
from pathlib import Path

import pytest

from tunewright.data.sources._exports import Export, export_of

SLACK = Export("the export of a Slack workspace", "slack")
ACCOUNT = Export("the export of a ChatGPT account", "chatgpt", "conversations.json")
TREE = {"mapping": {}, "current_node": "a", "title": "t"}


def packed(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "[]")
    return path


def test_an_archive_is_known_by_its_entries(tmp_path: Path) -> None:
    slack = packed(tmp_path / "s.zip", "users.json", "help/2024-02-29.json")
    account = packed(tmp_path / "g.zip", "conversations.json", "user.json")
    assert (export_of(slack), export_of(account)) == (SLACK, ACCOUNT)
    assert export_of(account / "conversations.json") == ACCOUNT._replace(entry="")
    assert export_of(account / "user.json") is None
    assert export_of(packed(tmp_path / "a.zip", "users.json", "rows.jsonl")) is None
    assert export_of(packed(tmp_path / "b.zip", "conversations.json")) is None


def test_an_archive_that_was_packed_again_with_a_folder_on_top_is_known(tmp_path: Path) -> None:
    beside = ("__MACOSX/e/._users.json", "e/.DS_Store")
    slack = packed(tmp_path / "s.zip", "e/users.json", "e/help/2024-02-29.json", *beside)
    account = packed(tmp_path / "g.zip", "e/", "e/conversations.json", "e/user.json")
    assert export_of(slack) == SLACK
    assert export_of(account) == ACCOUNT._replace(entry="e/conversations.json")
    assert export_of(account / "e" / "conversations.json") == ACCOUNT._replace(entry="")
    two = packed(tmp_path / "two.zip", "e/users.json", "e/help/2024-02-29.json", "f/rows.jsonl")
    assert export_of(two) is None


@pytest.mark.parametrize(("row", "known"), [(TREE, True), ({"input": "a", "expected": "b"}, False)])
def test_conversations_alone_in_an_archive_are_known_by_their_rows(
    tmp_path: Path, row: object, known: bool
) -> None:
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", json.dumps([row]))
    assert export_of(path) == (ACCOUNT if known else None)
    assert export_of(path / "conversations.json") == (ACCOUNT._replace(entry="") if known else None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.json", "[]")
    assert export_of(path) is None
    assert export_of(path / "conversations.json") == (ACCOUNT._replace(entry="") if known else None)


@pytest.mark.parametrize(
    ("rows", "known"),
    [([TREE], True), ([3, TREE], True), ([{"input": "a", "expected": "b"}], False), ([], False), ({}, False)],
)
def test_conversations_are_known_by_their_keys(tmp_path: Path, rows: object, known: bool) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(rows))
    assert export_of(path) == (ACCOUNT._replace(entry="") if known else None)


def test_what_cannot_be_read_is_no_export(tmp_path: Path) -> None:
    for name, data in (("a.zip", b"PK\3\4 no"), ("b.json", b"[{"), ("c.json", b"\xff\xfe["), ("d.csv", b"a")):
        (tmp_path / name).write_bytes(data)
        assert export_of(tmp_path / name) is None
    assert export_of(tmp_path / "none.json") is None
    assert export_of(tmp_path / "none.zip") is None
    assert export_of(tmp_path) is None
