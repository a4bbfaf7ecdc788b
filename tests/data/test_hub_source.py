"""Data sets in the hub's layout: the rows that `datasets` finds, from folders and from a hub on loopback, online and off."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hub_server import Hub, serving

from ends import ends
from tunewright.core.hashing import hash_file, hash_value
from tunewright.data.files import contents, find_files
from tunewright.data.rows import BadFile
from tunewright.data.sources import _hub_fetch, _layout, open_file, parquet
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
    for path, hint in (
        ("set", ", or set hub: {split: train}: it looks like a data set of the hub"),
        ("other", ""),
    ):
        with pytest.raises(BadFile) as caught:
            texts(tmp_path, path)
        assert caught.value.fix == f"Name its files: {path}/*.csv, say{hint}."
    with pytest.raises(BadFile, match=r"^'none' is no data set in the hub's layout"):
        texts(tmp_path, "none", hub={})


PROGRAM = """\
import json, sys
from pathlib import Path
from tunewright.data.files import contents, find_files
from tunewright.data.rows import BadFile
from tunewright.data.sources import open_file
from tunewright.data.spec import SourceSpec
spec, root = SourceSpec(**json.loads(sys.argv[1])), Path(sys.argv[2])
try:
    files = find_files(spec, root)
    rows = [row.values["input"] for file in files for row in open_file(file.path, spec).table.rows]
    told = {file.warning for file in files if file.warning}
    said = {"warning": told.pop()} if told else {}
    names = [file.name for file in files]
    print(json.dumps({"files": names, "rows": rows, "contents": contents(spec, root), **said}))
except BadFile as bad:
    print(json.dumps({"said": f"{bad.message} {bad.fix or ''}".strip()}))
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as found:
        yield found


def asked(hub: Hub | None, root: Path, path: str = "hub:owner/name", **hub_spec: str) -> dict[str, Any]:
    """What a process finds that knows this hub, or none."""
    spec = json.dumps({"path": path, "hub": hub_spec or None})
    env = {
        **os.environ,
        "HF_HOME": str(root / "home"),
        "HF_HUB_DISABLE_XET": "1",
        **({"HF_ENDPOINT": hub.url} if hub else {"HF_HUB_OFFLINE": "1"}),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, spec, str(root)], env=env, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def files(**texts_of: str) -> dict[str, bytes]:
    return {name: table(text).encode() for name, text in texts_of.items()}


def test_a_data_set_is_fetched_and_known_by_its_commit(hub: Hub, tmp_path: Path) -> None:
    first = hub.push("owner/name", files(**{"train.csv": "a", "test.csv": "b", "big.bin": "x"}))
    found = {"files": ["hub:owner/name/test.csv"], "rows": ["b"], "contents": {"hub:owner/name@main": first}}
    assert asked(hub, tmp_path, split="test") == found
    assert not [path for path in hub.asked if path.startswith("GET /datasets") and "test.csv" not in path]
    today = datetime.now(UTC).date()
    again = asked(None, tmp_path, split="test")
    assert again.pop("warning") in {
        f"the hub could not be reached (OfflineModeIsEnabled), so owner/name is read at the commit {first[:10]}, where main"
        f" was on {day}; it may have moved on since."
        for day in (today, today - timedelta(days=1))
    }
    assert again == found
    assert "warning" not in asked(None, tmp_path, split="test", revision=first)
    assert asked(None, tmp_path, split="train")["said"].startswith(
        "train.csv of the data set owner/name could not be fetched ("
    )
    second = hub.push("owner/name", files(**{"train.csv": "a", "test.csv": "c"}))
    assert asked(hub, tmp_path, split="test")["contents"] == {"hub:owner/name@main": second}
    assert asked(hub, tmp_path, split="test", revision=first) == {
        **found,
        "contents": {f"hub:owner/name@{first}": first},
    }


AGAINST = """\
import sys
from pathlib import Path
from tunewright.project.file import ProjectFile
from tunewright.project.plan import Outside
recipe = [{"op": "decontaminate", "against": ["hub:owner/name", "mine.csv"]}]
file = ProjectFile(name="a", task={"system": "Answer."}, sources={"a": {"path": "mine.csv"}}, recipe=recipe)
print(Outside(file, Path(sys.argv[1])).hashes("recipe files"))
"""


def test_what_an_operation_reads_of_the_hub_is_known_by_its_commit(hub: Hub, tmp_path: Path) -> None:
    commit = hub.push("owner/name", files(**{"train.csv": "a"}))
    write(tmp_path, **{"mine.csv": table("b")})
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url}
    done = subprocess.run(
        [sys.executable, "-c", AGAINST, str(tmp_path)], env=env, capture_output=True, text=True, check=True
    )
    mine = hash_file(tmp_path / "mine.csv")
    assert done.stdout == f"{{'hub:owner/name@main': '{commit}', 'mine.csv': '{mine}'}}\n"


def test_files_of_a_data_set_by_a_pattern(hub: Hub, tmp_path: Path) -> None:
    hub.push("owner/name", files(**{"x/a.csv": "a", "x/b.csv": "b", "c.csv": "c"}))
    assert asked(hub, tmp_path, "hub:owner/name/x/*.csv")["rows"] == ["a", "b"]
    assert asked(hub, tmp_path, "hub:owner/name/x/*.csv", split="train") == {
        "said": "'hub:owner/name/x/*.csv' names files by a pattern, and hub: names a split. Leave one of them out."
    }
    assert asked(hub, tmp_path, "hub:owner/name/*.json") == {
        "said": "no file of hub:owner/name matches '*.json'. See huggingface.co/datasets/owner/name."
    }


def test_what_the_hub_does_not_have(hub: Hub, tmp_path: Path) -> None:
    hub.push("owner/name", files(**{"a.csv": "a"}))
    assert asked(hub, tmp_path, "hub:owner/other") == {
        "said": "there is no data set called owner/other on the hub, or it is private."
        " Look at its name; log in with `hf auth login` where it is private."
    }
    assert asked(hub, tmp_path, revision="v9") == {
        "said": "the data set owner/name has no revision v9. Set hub: {revision: …}."
    }
    assert asked(None, tmp_path)["said"].startswith(
        "the hub could not be reached for the data set owner/name (OfflineModeIsEnabled), and it was not fetched before."
    )


@pytest.mark.parametrize("lists", [True, False])
def test_what_is_too_large_is_not_fetched(hub: Hub, tmp_path: Path, lists: bool) -> None:
    """The hub says how large files are, all at once, or a mirror one by one."""
    hub.lists = lists
    hub.push("owner/name", files(**{"train-0.csv": "a", "train-1.csv": "b", "test.csv": "c"}))
    hub.said = {"train-0.csv": 2**34, "train-1.csv": 2**34 + 1, "test.csv": 2**35 - 1}
    assert asked(hub, tmp_path) == {
        "said": "2 files of the data set owner/name have 34,359,738,369 bytes, and up to 34,359,738,368 are fetched. Name"
        " fewer of its files (hub:owner/name/data/*-00000-*), or fetch them yourself and give the folder."
    }
    assert not [path for path in hub.asked if path.startswith("GET /datasets")]
    hub.said = {"test.csv": 2**35 - 1}
    assert asked(hub, tmp_path)["rows"] == ["a", "b"]
    full = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url}
    said = _told_after(
        "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9, 4, 5)", full, tmp_path
    )
    assert said == (
        "test.csv of the data set owner/name has 34,359,738,367 bytes, and the disk of the hub's cache has 5 free. Make"
        " room, or set HF_HOME."
    )


def _told_after(first: str, env: dict[str, str], root: Path) -> str:
    """What is said by a process that has done something first."""
    spec = json.dumps({"path": "hub:owner/name", "hub": {"split": "test"}})
    told = [sys.executable, "-c", f"{first}\n{PROGRAM}", spec, str(root)]
    done = subprocess.run(told, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["said"]


OLDER = """
import huggingface_hub
fetch = huggingface_hub.hf_hub_download
huggingface_hub.hf_hub_download = lambda repo, name, **more: fetch(repo, name, **more)
"""


@pytest.mark.parametrize("client", ["", OLDER], ids=["as it comes", "behind it"])
def test_sizes_that_are_not_told_are_counted(hub: Hub, tmp_path: Path, client: str) -> None:
    """Older clients cannot say how much has come of a file."""
    hub.push("owner/name", files(**{"test-0.csv": "a", "test-1.csv": "b" * 90_000}))
    hub.said = {"test-1.csv": -1}
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    bound = "from tunewright.data.sources import _hub_fetch\n_hub_fetch.FETCHED = 80_000\n"
    etag = hashlib.sha1(hub.commits["owner/name"][-1]["test-1.csv"]).hexdigest()
    part = tmp_path / "home/hub/datasets--owner--name/blobs" / f"{etag}.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"as older clients leave it")
    assert _told_after(bound + client, env, tmp_path) == (
        "the files of the data set owner/name have more than 80,000 bytes, and no more are fetched. Name fewer of its"
        " files (hub:owner/name/data/*-00000-*), or fetch them yourself and give the folder."
    )
    assert part.exists() == bool(client)


def test_a_file_that_was_begun_counts_with_what_is_here() -> None:
    bar = _hub_fetch._bar("owner/name", 10)(initial=8, total=12, disable=True)
    bar.update(2)
    with pytest.raises(BadFile, match="more than 34,359,738,368 bytes"):
        bar.update(1)


def test_what_another_program_fetched_is_read_without_a_network(hub: Hub, tmp_path: Path) -> None:
    hub.push("owner/name", files(**{"train-00000-of-00002.csv": "a", "train-00001-of-00002.csv": "b"}))
    fetch = (
        "from huggingface_hub import hf_hub_download as get\n"
        "get('owner/name', 'train-0000{}-of-00002.csv', repo_type='dataset')"
    )
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    subprocess.run([sys.executable, "-c", fetch.format(0)], env=env, check=True, capture_output=True)
    assert asked(None, tmp_path) == {
        "said": "hub:owner/name lacks the file train-00001-of-00002. Fetch it anew."
    }
    subprocess.run([sys.executable, "-c", fetch.format(1)], env=env, check=True, capture_output=True)
    found = asked(None, tmp_path)
    assert found["rows"] == ["a", "b"]
    assert ", where main was when it was fetched; it may have moved on since." in found["warning"]


def test_a_part_of_a_commit_is_not_taken_for_all_of_it(hub: Hub, tmp_path: Path) -> None:
    commit = hub.push("owner/name", files(**{"a.csv": "a", "b.csv": "b"}))
    fetch = (
        "from huggingface_hub import hf_hub_download as get\nget('owner/name', 'a.csv', repo_type='dataset')"
    )
    env = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
    subprocess.run([sys.executable, "-c", fetch], env=env, check=True, capture_output=True)
    found = asked(None, tmp_path, revision=commit)
    assert found["rows"] == ["a"]
    assert found["contents"] == {f"hub:owner/name@{commit}": f"{commit} {hash_value(['a.csv'])}"}
    assert asked(hub, tmp_path, revision=commit)["contents"] == {f"hub:owner/name@{commit}": commit}
