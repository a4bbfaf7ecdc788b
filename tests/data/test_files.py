"""Finding the files of a source, and the names they go by."""

import os
from pathlib import Path

import pytest

from tunewright.data.files import InputFile, contents, find_files, shown_name, source_paths
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
        ("sub", "'sub' is a folder of several formats (a.csv and b.jsonl)."),
        ("pipe", "'pipe' is no regular file."),
        ("none*", "no file matches 'none*' in "),
        ("aa.csv", "there is no file 'aa.csv' in "),
    ],
)
def test_none_is_said(tmp_path: Path, path: str, message: str) -> None:
    touch(tmp_path, "sub/a.csv", "sub/b.jsonl", "a.csv")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFile) as caught:
        find_files(SourceSpec(path=path), tmp_path)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "names",
    [
        ("sub/a.csv", "sub/deep/b.csv.gz"),
        ("sub/a.md", "sub/b.pdf", "sub/deep/c.txt"),
        ("sub/a.jsonl", "sub/b.ndjson"),
        ("sub/README.md", "sub/b.md"),
    ],
)
def test_a_folder_of_one_form_is_all_its_files(tmp_path: Path, names: tuple[str, ...]) -> None:
    touch(tmp_path, *names, "sub/.DS_Store", "sub/.git/config")
    spec = SourceSpec(path="sub")
    assert [file.name for file in find_files(spec, tmp_path)] == sorted(names)
    assert list(contents(spec, tmp_path)) == sorted(names)
    whole = SourceSpec(path=str(tmp_path / "sub"))
    assert [file.name for file in find_files(whole, tmp_path)] == sorted(names)


@pytest.mark.parametrize(
    ("names", "why", "fix"),
    [
        ((), "without files", ""),
        (("README.md", "a.csv"), "that is laid out as a data set of the hub", ", or set hub: {split: train}"),
        (("a.csv", "b.tsv"), "of several formats (a.csv and b.tsv)", ""),
        (("a.csv", "run.sh"), "with run.sh, whose ending does not tell its format", ""),
        (("a.csv", "b.zip"), "with b.zip, whose ending does not tell its format", ""),
        (
            ("data.csv", "state.json"),
            "that is laid out as a data set of the hub",
            ", or set hub: {split: train}",
        ),
    ],
)
def test_a_folder_that_is_not_surely_of_one_form(
    tmp_path: Path, names: tuple[str, ...], why: str, fix: str
) -> None:
    (tmp_path / "sub").mkdir()
    touch(tmp_path / "sub", *names)
    for ask in (find_files, contents):
        with pytest.raises(BadFile) as caught:
            ask(SourceSpec(path="sub"), tmp_path)
        assert caught.value.message == f"'sub' is a folder {why}."
        assert caught.value.fix == f"Name its files: sub/*.csv, say{fix}."


def test_the_format_that_is_told_is_that_of_all_files_of_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "sub/a.log", "sub/b.csv")
    spec = SourceSpec(path="sub", format="text")
    assert [file.name for file in find_files(spec, tmp_path)] == ["sub/a.log", "sub/b.csv"]


def test_a_folders_files_are_read_all_or_it_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "sub/a.csv", "other/b.csv")
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    assert [file.name for file in find_files(SourceSpec(path="link"), tmp_path)] == ["link/a.csv"]
    (tmp_path / "sub/deep").symlink_to(tmp_path / "other")
    with pytest.raises(BadFile, match=r"'deep' in the folder .* is a link to another folder"):
        find_files(SourceSpec(path="sub"), tmp_path)


def test_a_readme_that_is_a_card_tells_a_data_set(tmp_path: Path) -> None:
    touch(tmp_path, "sub/README.md", "sub/b.md")
    (tmp_path / "sub/README.md").write_text("---\nconfigs:\n- config_name: default\n---\n")
    with pytest.raises(BadFile, match="laid out as a data set of the hub") as caught:
        find_files(SourceSpec(path="sub"), tmp_path)
    assert caught.value.fix == "Name its files: sub/*.md, say, or set hub: {split: train}."
    assert len(find_files(SourceSpec(path="sub", format="markdown"), tmp_path)) == 2
