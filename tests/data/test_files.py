"""Finding the files of a source, and the names they go by."""

import os
from pathlib import Path

import pytest

from tunewright.data.files import InputFile, find_files, shown_name, source_paths
from tunewright.data.rows import BadFile
from tunewright.data.spec import SourceSpec


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a.csv", ["a.csv"]),
        ("*.csv", ["a.csv", "b[1].csv"]),
        ("b[1].csv", ["b[1].csv"]),
        ("**/*.csv", ["a.csv", "b[1].csv", "sub/a.csv", "sub/deep/a.csv"]),
        ("**/**/a.csv", ["a.csv", "sub/a.csv", "sub/deep/a.csv"]),
        ("s?b/*", ["sub/a.csv"]),
        ("../beside/*.csv", ["../beside/c.csv"]),
        ("sub", []),
        ("none.csv", []),
        ("none*", []),
    ],
)
def test_a_name_or_a_pattern(tmp_path: Path, path: str, names: list[str]) -> None:
    root = tmp_path / "project"
    touch(root, "sub/deep/a.csv", "sub/a.csv", "b[1].csv", "a.csv", ".hidden/a.csv", "../beside/c.csv")
    found = source_paths(root, path)
    assert [shown_name(file, root) for file in found] == names
    if names:
        assert find_files(SourceSpec(path=path), root) == [
            InputFile(file, name) for file, name in zip(found, names, strict=True)
        ]


def test_a_pattern_that_is_also_a_file_is_the_file(tmp_path: Path) -> None:
    touch(tmp_path, "b[1].csv", "b1.csv")
    assert source_paths(tmp_path, "b[1].csv") == [tmp_path / "b[1].csv"]


def test_absolute_paths_go_by_relative_names(tmp_path: Path) -> None:
    root = tmp_path / "project"
    touch(tmp_path, "project/a.csv", "data/b.csv")
    for path, name in ((tmp_path / "data/*.csv", "../data/b.csv"), (root / "a.csv", "a.csv")):
        assert [file.name for file in find_files(SourceSpec(path=str(path)), root)] == [name]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    assert shown_name(tmp_path / os.fsdecode(b"a\xff.csv"), tmp_path) == "a\\xff.csv"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sub", "'sub' is a folder."),
        ("pipe", "'pipe' is no regular file."),
        ("none*", "no file matches 'none*' in "),
        ("aa.csv", "there is no file 'aa.csv' in "),
    ],
)
def test_none_is_said(tmp_path: Path, path: str, message: str) -> None:
    touch(tmp_path, "sub/a.csv", "a.csv")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFile) as caught:
        find_files(SourceSpec(path=path), tmp_path)
    assert caught.value.message.startswith(message)
