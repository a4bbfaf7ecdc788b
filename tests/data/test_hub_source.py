"""Data sets in the hub's layout: the rows that `datasets` finds, from folders."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from ends import ends
from tunewright.data.files import contents, find_files
from tunewright.data.rows import BadFile
from tunewright.data.sources import _layout, open_file, parquet
from tunewright.data.spec import SourceSpec


def table(*texts: str) -> str:
    return "input,expected\n" + "".join(f"{text},label\n" for text in texts)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def texts(root: Path, path: str = "set", **source: Any) -> list[str]:
    """The inputs of a source's rows."""
    spec = SourceSpec(path=path, **source)
    files = find_files(spec, root)
    return [row.values["input"] for file in files for row in open_file(file.path, spec).table.rows]


def refusal(root: Path, **hub: str) -> str:
    with pytest.raises(BadFile) as caught:
        texts(root, hub=hub or {"split": "train"})
    return f"{caught.value.message} {caught.value.fix or ''}".strip()


CARD = """\
---
license: mit
pretty_name: "not looked at: ["
configs:
- config_name: plain
  data_files: rows/a.csv
- config_name: many
  default: true
  data_files:
  - {split: train, path: [rows/a.csv, "rows/b*.csv"]}
  - {split: other, path: rows/c.csv}
- config_name: folder
  data_dir: inner

# a remark
size_categories: [n<1K]
---
# A data set
"""
CARDED = {
    "set/README.md": CARD,
    **{f"set/rows/{at}.csv": table(at) for at in ("a", "b1", "b2", "c")},
    **{f"set/{at}.csv": table(at) for at in ("inner/train", "inner/test", "train")},
}
LAYOUTS: dict[str, tuple[dict[str, str], dict[str, str], list[str]]] = {
    "a single file": ({"set/all.csv": table("a")}, {}, ["a"]),
    "files of splits": ({"set/my-train.csv": table("a"), "set/dev.csv": table("b")}, {"split": "validation"}, ["b"]),
    "folders": ({"set/x/test/1.csv": table("a"), "set/x/test/2.csv": table("b")}, {"split": "test"}, ["a", "b"]),
    "the card's default": (CARDED, {}, ["a", "b1", "b2"]),
    "another of its splits": (CARDED, {"split": "other"}, ["c"]),
    "a configuration": (CARDED, {"config": "plain"}, ["a"]),
    "one with a folder": (CARDED, {"config": "folder", "split": "test"}, ["inner/test"]),
}  # fmt: skip


@pytest.mark.parametrize("what", LAYOUTS)
def test_the_rows_are_those_that_datasets_reads(tmp_path: Path, what: str) -> None:
    files, hub, wanted = LAYOUTS[what]
    write(tmp_path, **files)
    assert texts(tmp_path, hub=hub) == wanted
    datasets = pytest.importorskip("datasets")
    asked = {
        "name": hub.get("config"),
        "split": hub.get("split", "train"),
        "cache_dir": str(tmp_path / "cache"),
    }
    assert datasets.load_dataset(str(tmp_path / "set"), **asked)["input"][:] == wanted


WORDS = ["train", "training", "test", "dev", "val", "valid", "validation", "eval", "data", "x", "my", "trainer", "contest",
         "train_1", "2train", "part-train", "a.train.b", "test 2", "__pycache__", ".git"]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_splits_are_told_from_names_as_datasets_does(tmp_path: Path, seed: int) -> None:
    oracle = pytest.importorskip("datasets.data_files")
    draw = random.Random(seed)
    names = set()
    for _ in range(draw.randint(1, 6)):
        folders = draw.choices(WORDS, k=draw.choice([0, 0, 1, 1, 2]))
        stem = draw.choice(WORDS) + draw.choice(["", "-", "_", ".", " ", "0"]) + draw.choice(["", *WORDS])
        if draw.random() < 0.2:
            folders, stem = ["data"], f"{draw.choice(['train', 'test', 'foo'])}-00000-of-00001"
        names.add("/".join([*folders, f"{stem}.csv"]))
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a\n1\n")
    try:
        patterns = oracle.get_data_patterns(str(tmp_path))
    except oracle.EmptyDatasetError:
        patterns = {}
    found = oracle.DataFilesDict.from_patterns(patterns, base_path=str(tmp_path))
    wanted = {
        split: sorted({os.path.relpath(file, tmp_path) for file in files}) for split, files in found.items()
    }
    assert {split: files for split, files in _layout._by_names(sorted(names)).items() if files} == wanted


CONFIG = "---\nconfigs:\n- {config_name: default, data_files: a.csv, sep: ';'}\n---\n"
REFUSED: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "a split that is not there": (
        {"set/train.csv": "", "set/test.csv": ""},
        {"split": "tset"},
        "'set' has no split tset; its splits are train, test. Did you mean 'test'?",
    ),
    "a configuration that is not there": (
        {"set/README.md": CARD},
        {"config": "plian"},
        "'set' has no configuration plian; its configurations are plain, many, folder. Did you mean 'plain'?",
    ),
    "several, none the default": (
        {"set/README.md": CARD.replace("  default: true\n", "")},
        {},
        "'set' has several configurations; its configurations are plain, many, folder. Set hub: {config: plain}, say.",
    ),
    "ways to read that are not known": (
        {"set/README.md": CONFIG, "set/a.csv": ""},
        {},
        "'set' says in its card how its files are to be read (sep), which is not understood."
        " Name its files by a pattern, and set format: and columns: (path: hub:owner/name/*.csv).",
    ),
    "a script": (
        {"set/set.py": "", "set/README.md": ""},
        {},
        "'set' is made by a script (set.py), and no code of a data set is run."
        " The hub's own Parquet files may be there: hub: {revision: refs/convert/parquet}.",
    ),
    "pictures": (
        {"set/train/a.png": "", "set/train/metadata.csv": "file_name,text\n"},
        {},
        "'set' holds pictures, sounds or films, and only texts are read.",
    ),
    "nothing": ({"set/README.md": "# Hello"}, {}, "'set' holds no files of rows (CSV, TSV, JSON, JSONL, Parquet, Arrow)."),
    "two formats": (
        {"set/train.csv": "", "set/train.jsonl": ""},
        {},
        "'set' has the split's rows in files of several formats (csv, jsonl)."
        " Name those that you mean by a pattern: path: hub:owner/name/*.parquet, say.",
    ),
    "a part that is missing": (
        {"set/data/train-00000-of-00003.csv": "", "set/data/train-00002-of-00003.csv": ""},
        {},
        "'set' lacks the file data/train-00001-of-00003. Fetch it anew.",
    ),
    "a card without end": (
        {"set/README.md": "---\n" + "a: b\n" * 500_000, "set/a.csv": ""},
        {},
        "the settings in the card of 'set' have more than 2,097,152 bytes.",
    ),
    "a card that is no YAML": (
        {"set/README.md": "---\nconfigs: [\n---\n", "set/a.csv": ""},
        {},
        "the settings in the card of 'set' cannot be read (",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_told_is_refused(tmp_path: Path, what: str) -> None:
    files, hub, said = REFUSED[what]
    write(tmp_path, **files)
    assert refusal(tmp_path, **hub).startswith(said)


def test_the_hubs_own_parquet_files(tmp_path: Path) -> None:
    for name in ("en/train/0000", "en/train/0001", "en/partial-test/0000", "de/train/0000"):
        (tmp_path / f"set/{name}.parquet").parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"input": [name]}), tmp_path / f"set/{name}.parquet")
    assert texts(tmp_path, hub={"config": "en"}) == ["en/train/0000", "en/train/0001"]
    assert texts(tmp_path, hub={"config": "en", "split": "test"}) == ["en/partial-test/0000"]
    assert refusal(tmp_path) == (
        "'set' has several configurations; its configurations are de, en. Set hub: {config: de}, say."
    )


def features(**columns: Any) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": columns}}).encode()}


LABEL = {"_type": "ClassLabel", "names": ["neg", "pos"]}


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_numbers_of_classes_are_their_names(desk, name: str) -> None:
    made = pa.table(
        {
            "input": ["a", "b", "c", "d"],
            "expected": [1, 0, -1, 2],
            "tags": [[0, 1], [], None, []],
            "deep": [{"l": 1, "m": 1}] * 4,
        }
    ).replace_schema_metadata(
        features(
            expected=LABEL,
            tags={"_type": "Sequence", "feature": LABEL},
            deep={"l": LABEL, "m": {"_type": "Value"}},
        )
    )
    if name.endswith("parquet"):
        pq.write_table(made, desk.root / name)
    else:
        pyarrow.feather.write_feather(made, str(desk.root / name))
    got = desk.ingest(name)
    assert [(e.expected, e.fields) for e in got.examples] == [
        ("pos", {"tags": ["neg", "pos"], "deep": {"l": "pos", "m": 1}}),
        ("neg", {"tags": [], "deep": {"l": "pos", "m": 1}}),
    ]
    assert [reason.partition(":")[0] for _, reason in got.reasons] == ["empty answer", "bad label"]
    assert got.reasons[1] == (4, "bad label: 2 is none of the 2 classes that the file names")


@pytest.mark.parametrize("feature", [{"_type": "Image"}, [{"_type": "Image"}], {"names": {"_type": "Image"}}])
def test_columns_of_pictures_are_refused(tmp_path: Path, feature: Any) -> None:
    made = pa.table({"input": ["a"], "shot": ["b"]}).replace_schema_metadata(features(shot=feature))
    pq.write_table(made, tmp_path / "t.parquet")
    with pytest.raises(BadFile, match=r"^the column 'shot' holds pictures, and only texts are read"):
        parquet.read(tmp_path / "t.parquet", "utf-8")


@pytest.mark.parametrize("said", [b"no json", b"[]", b'{"info": 3}', b'{"info": {"features": []}}'])
def test_what_is_no_list_of_features_tells_nothing(tmp_path: Path, said: bytes) -> None:
    pq.write_table(
        pa.table({"a": [1]}).replace_schema_metadata({b"huggingface": said}), tmp_path / "t.parquet"
    )
    assert list(parquet.read(tmp_path / "t.parquet", "utf-8").rows) == [(1, {"a": 1})]


def test_folders_that_datasets_saved(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_dict({"input": ["a", "b", "c"]})
    parts = datasets.DatasetDict(train=made, extra=made.select([1]))
    parts.save_to_disk(tmp_path / "set", num_shards={"train": 2, "extra": 1})
    assert texts(tmp_path, hub={"split": "train"}) == ["a", "b", "c"]
    assert texts(tmp_path, hub={"split": "extra"}) == ["b"]
    made.save_to_disk(tmp_path / "one")
    assert texts(tmp_path, "one", hub={}) == ["a", "b", "c"]
    datasets.load_from_disk(tmp_path / "one").map(lambda row: {"input": row["input"] * 2})
    assert len(list((tmp_path / "one").glob("*.arrow"))) == 2
    assert texts(tmp_path, "one", hub={}) == ["a", "b", "c"]  # what came out of the work is no part of it


@pytest.mark.parametrize(
    ("pattern", "takes"),
    [
        ("*.csv", ["a.csv"]),
        ("**/*.csv", ["a.csv", "x/b.csv", "x/y/c.csv"]),
        ("x/**", ["x/b.csv", "x/y/c.csv"]),
        ("**", ["a.csv", "x/b.csv", "x/y/c.csv"]),
        ("x/*/?.csv", ["x/y/c.csv"]),
        ("**/[!ab].csv", ["x/y/c.csv"]),
        ("[ab].csv", ["a.csv"]),
        ("../*.csv", []),
        ("**/.git/*", [".git/d.csv"]),
        ("README.md", ["README.md"]),
        ("", []),
    ],
)
def test_patterns_of_a_card(pattern: str, takes: list[str]) -> None:
    names = ["README.md", "a.csv", "x/b.csv", "x/y/c.csv", ".git/d.csv"]
    assert _layout.matching(names, pattern) == takes


def test_a_card_from_a_stranger_takes_no_time() -> None:
    name = "/".join("a" * 200 for _ in range(60))
    with ends():
        assert _layout.matching([name], "**/" * 60 + "x") == []
        assert _layout.matching([name], "/".join(["*a" * 100 + "b"] * 60)) == []
        parts = [f"train-{at:05}-of-50000.csv" for at in range(50000)]
        _layout._check_parts(parts, "it")


def test_a_folder_is_known_by_its_files_and_its_card(tmp_path: Path) -> None:
    write(tmp_path, **{"set/README.md": "# A", "set/train.csv": table("a"), "set/test.csv": table("b")})
    spec = SourceSpec(path="set", hub={"split": "test"})
    before = contents(spec, tmp_path)
    assert list(before) == ["set/README.md", "set/test.csv"]
    write(tmp_path, **{"set/train.csv": table("c")})
    assert contents(spec, tmp_path) == before
    write(tmp_path, **{"set/README.md": "# B"})
    assert contents(spec, tmp_path) != before


def test_a_folder_that_looks_like_one_says_so(tmp_path: Path) -> None:
    write(tmp_path, **{"set/README.md": "# A", "set/train.csv": table("a"), "other/train.csv": table("a")})
    with pytest.raises(
        BadFile, match="'set' is a folder that is laid out as a data set of the hub"
    ) as caught:
        texts(tmp_path, "set")
    assert caught.value.fix == "Name its files: set/*.csv, say, or set hub: {split: train}."
    assert texts(tmp_path, "other") == ["a"]
    with pytest.raises(BadFile, match=r"^'none' is no data set in the hub's layout"):
        texts(tmp_path, "none", hub={})
