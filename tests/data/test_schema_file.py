"""A schema in a file: read from the project's folder and nowhere else, within bounds."""

import os
from pathlib import Path

import pytest

from tunewright.core.errors import UserError
from tunewright.data.synthetic.schema_file import LARGEST, is_path, schema_at


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.json").write_text('{"type": "object"}')
    folder = tmp_path / "project"
    (folder / "schemas").mkdir(parents=True)
    (folder / "schemas" / "ticket.json").write_text('\ufeff{"type": "object", "title": "é"}')
    (folder / "link.json").symlink_to("../outside.json")
    (folder / "list.json").write_text("[]")
    (folder / "cut.json").write_text('{"type": ')
    (folder / "twice.json").write_text('{"a": 1, "a": 2}')
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "latin.json").write_bytes(b'{"title": "\xe9"}')
    (folder / "large.json").write_text(" " * LARGEST + "{}")
    os.mkfifo(folder / "pipe.json")
    return folder


def test_a_schema_of_the_folder_is_read(root: Path) -> None:
    schema = {"type": "object", "title": "é"}
    assert schema_at("schemas/ticket.json", root) == schema
    assert schema_at(str(root / "schemas" / "ticket.json"), root) == schema
    assert [is_path(one) for one in ("a.json", ' {"type": "object"}', {"type": "object"}, None)] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside.json", "the schema file ../outside.json lies outside of the project's folder"),
        ("link.json", "the schema file link.json lies outside of the project's folder"),
        ("/etc/hostname", "the schema file /etc/hostname lies outside of the project's folder"),
        ("nowhere.json", "there is no schema file nowhere.json in the project's folder"),
        ("schemas", "the schema file schemas is a folder"),
        (".", "the schema file . is a folder"),
        ("pipe.json", "the schema file pipe.json is no regular file"),
        ("list.json", "the schema file list.json holds no object"),
        ("cut.json", "the schema file cut.json is not JSON (Expecting value at the end)"),
        ("twice.json", "the schema file twice.json is not JSON (the key 'a' stands twice in one object)"),
        ("deep.json", "the schema file deep.json is not JSON (it is nested more than 64 deep)"),
        ("latin.json", "the schema file latin.json is not UTF-8"),
        ("large.json", "the schema file large.json has more than 1,000,000 bytes"),
        ("a\0b", "the schema file 'a\\x00b' cannot be read (embedded null byte)"),
        ("x" * 300, f"the schema file {'x' * 300!r} cannot be read (File name too long)"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(root: Path, name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        schema_at(name, root)
    assert (caught.value.message, caught.value.where) == (said, "schema")
