"""Parts of data sets in another tool's config: splits that are added up, slices, files of splits, and what is told."""

import json
from typing import Any

import pytest
from config_bench import Bench

from ends import ends
from tunewright.core.errors import UserError
from tunewright.project.file import ProjectFile
from tunewright.project.importing import trial
from tunewright.project.importing.part import Draw, Part, parts_of

ROW = json.dumps({"instruction": "Q", "output": "A"}) + "\n"
DRAWN = "a seeded sample of as many rows, not the first"
ALL = "all its rows are read: a recipe can sample them"


def axolotl(bench: Bench, **entry: Any) -> ProjectFile:
    return bench.run({"base_model": "b", "adapter": "lora", "datasets": [{"type": "alpaca", **entry}]})


def llamafactory(bench: Bench, **entry: Any) -> ProjectFile:
    bench.write("data/dataset_info.json", json.dumps({"a": entry}))
    return bench.run({"model_name_or_path": "b", "stage": "sft", "dataset": "a"})


def version_1(bench: Bench, **entry: Any) -> ProjectFile:
    bench.write("sets.yaml", json.dumps({"a": {"converter": "alpaca", **entry}}))
    return bench.run({"model": "b", "train_dataset": "sets.yaml"}, tool="llamafactory")


def places(file: ProjectFile) -> dict[str, Any]:
    return {name: (source.path, source.hub and source.hub.split) for name, source in file.sources.items()}


def samples(file: ProjectFile) -> list[dict[str, Any]]:
    ops = [op.model_dump(exclude_unset=True) for op in file.recipe if op.op == "sample"]
    return [{key: op[key] for key in op if key not in ("op", "id")} for op in ops]


@pytest.mark.parametrize(
    ("split", "draw"),
    [
        ("train[-%:]", None),
        ("train[:-%]", None),
        ("train[%:%]", None),
        (f"train[:{5000 * '9'}]", None),
        ("train[:10%](closest)", None),
        ("train[10:20%]", None),
        ("train[10%:20]", None),
        ("train[:5", None),
        (" train [:5] ", Draw("rows", 5)),
    ],
)
def test_slices_that_are_none(bench: Bench, split: str, draw: Draw | None) -> None:
    assert parts_of(None, split, None) == [Part(split="train", draw=draw)]
    assert places(axolotl(bench, path="o/a", split=split)) == {"a": ("hub:o/a", "train")}
    assert bench.line("datasets[0].split").why == (DRAWN if draw else ALL)


@pytest.mark.parametrize("files", [["*.jsonl"], ["data/train/*.jsonl"], "**/*.jsonl", "a.jsonl"])
def test_files_of_a_folder_here_are_not_a_strangers(bench: Bench, files: Any) -> None:
    bench.write("data/train/a.jsonl", ROW)
    pattern = files if isinstance(files, str) else files[0].rpartition("/")[2]
    file = axolotl(bench, path="data/train", data_files=files)
    assert places(file) == {"train": (f"../data/train/{pattern}", None)}
    assert bench.line("datasets[0].data_files").why == "the first 1 rows have this form"


@pytest.mark.parametrize("name", ["none.jsonl", "none", "*.parquet"])
def test_files_that_a_folder_here_has_not_yet(bench: Bench, name: str) -> None:
    bench.write("data/train/a.jsonl", ROW)
    assert places(axolotl(bench, path="data/train", data_files=name)) == {
        "train": (f"../data/train/{name}", None)
    }
    assert bench.line("datasets[0].data_files").why == "there is no such file yet"


def test_a_pattern_of_files_here(bench: Bench) -> None:
    bench.write("rows/a.json", ROW)
    file = axolotl(bench, path="json", data_files="rows/*")
    (source,) = file.sources.values()
    assert (source.path, source.format) == ("../rows/*", "jsonl")
    assert bench.line("datasets[0].data_files").why == "the first 1 rows have this form"


@pytest.mark.parametrize(
    "pattern", ["/**/*.none", "/*/*/*/*/*/*.none", "../../../../../**/none", "a\0*", "[b-a]*"]
)
def test_a_pattern_that_asks_for_a_whole_disk(bench: Bench, pattern: str) -> None:
    with ends():
        axolotl(bench, path="json", data_files=pattern)
    assert bench.fate("datasets[0].data_files")[0] == "changed"


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("rows/**", True),
        ("rows/**/a.jsonl", True),
        ("rows/*/*.jsonl", True),
        ("rows/**/deep/**/*.jsonl", True),
        ("r*/deep/*", True),
        ("rows/*.jsonl", False),
        ("rows/*/*/*.jsonl", False),
    ],
)
def test_folders_in_a_pattern(bench: Bench, pattern: str, taken: bool) -> None:
    bench.write("rows/deep/a.jsonl", ROW)
    axolotl(bench, path="json", data_files=pattern)
    assert ("have this form" in bench.line("datasets[0].data_files").why) == taken


def test_a_folder_here_is_not_taken_for_one_of_a_data_set_on_the_hub(bench: Bench) -> None:
    bench.write("python/a.jsonl", ROW)
    file = llamafactory(bench, hf_hub_url="owner/name", folder="python")
    assert places(file) == {"a": ("hub:owner/name/python/**", None)}


def test_splits_that_a_llamafactory_set_adds_up(bench: Bench) -> None:
    file = llamafactory(bench, hf_hub_url="o/x", split="train[:5]+test")
    assert places(file) == {"a": ("hub:o/x", "train"), "a-2": ("hub:o/x", "test")}
    assert samples(file) == [{"rows": 5, "needs": ("a",)}]
    assert bench.line("dataset[a].split")[2:] == ("changed", "sources.a.hub.split, recipe", DRAWN)


def test_a_number_of_samples_of_splits_that_are_added_up(bench: Bench) -> None:
    file = llamafactory(bench, hf_hub_url="o/x", split="train[:5]+test", num_samples=50)
    assert samples(file) == [{"rows": 50, "needs": ("a", "a-2")}]
    assert file.recipe[-1].model_dump(exclude_unset=True) == {"op": "drop_duplicates", "needs": ("some-a",)}
    assert bench.line("dataset[a].split")[2:] == ("changed", "sources.a.hub.split", ALL)


@pytest.mark.parametrize("number", [None, "many"])
def test_a_slice_beside_a_number_that_is_none(bench: Bench, number: Any) -> None:
    file = llamafactory(bench, hf_hub_url="o/x", split="train[:5]", num_samples=number)
    assert samples(file) == [{"rows": 5, "needs": ("a",)}]
    assert bench.line("dataset[a].split").why == DRAWN


def test_splits_of_version_1(bench: Bench) -> None:
    file = version_1(bench, path="o/x", split="train+test[:500]")
    assert places(file) == {"a": ("hub:o/x", "train"), "a-2": ("hub:o/x", "test")}
    assert samples(file) == [{"rows": 500, "needs": ("a-2",)}]
    assert bench.line("train_dataset[a].split")[2:] == ("changed", "sources.a.hub.split, recipe", DRAWN)


def test_files_are_not_doubled_by_splits(bench: Bench) -> None:
    file = axolotl(bench, path="o/x", data_files=["a.jsonl"], revision="v1", split="train[:5]+test")
    assert places(file) == {"x": ("hub:o/x/a.jsonl", "train")}
    assert samples(file) == []
    assert bench.line("datasets[0].split")[2:] == ("without", "", ALL)


def test_a_slice_of_several_files_is_one_sample(bench: Bench) -> None:
    file = axolotl(bench, path="o/x", data_files=["a.jsonl", "b.jsonl"], split="train[:500]")
    assert samples(file) == [{"rows": 500, "needs": ("x", "x-2")}]
    assert bench.line("datasets[0].split")[2:] == ("changed", "recipe", DRAWN)


def test_files_of_each_split_that_is_asked_for(bench: Bench) -> None:
    files = {"train": "a.jsonl", "test": ["b.jsonl", "c.jsonl"], "validation": "d.jsonl"}
    assert [source.path for source in axolotl(bench, path="o/x", data_files=files, split="train+test").sources.values()] == [
        "hub:o/x/a.jsonl", "hub:o/x/b.jsonl", "hub:o/x/c.jsonl"
    ]  # fmt: skip
    assert bench.fate("datasets[0].split") == ("carried", "sources")


def test_a_data_set_without_files_of_the_split_is_left(bench: Bench) -> None:
    sets = [{"path": "o/x", "type": "alpaca", "data_files": {"validation": "a.jsonl"}}]
    file = bench.run({"base_model": "b", "datasets": [*sets, {"path": "o/y", "type": "alpaca"}]})
    assert list(file.sources) == ["y"]
    assert bench.line("datasets[0].data_files")[2:] == ("without", "", "it has no files of the split train")


def test_no_data_set_has_files_of_its_split(bench: Bench) -> None:
    with pytest.raises(UserError, match=r"data_files: it has no files of the split test\)"):
        axolotl(bench, path="o/x", data_files={"train": "a.jsonl"}, split="test")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"path": "o/x", "data_files": "y/**"}, "name the files of that split in the path"),
        ({"path": "rows.jsonl"}, "make a file of the rows of that split"),
        ({"path": "later.jsonl"}, "save the rows that are meant as ../later.jsonl, and no others"),
    ],
)
def test_the_way_to_a_split(bench: Bench, entry: dict[str, Any], why: str) -> None:
    bench.write("rows.jsonl", ROW)
    axolotl(bench, split="test", **entry)
    assert bench.line("datasets[0].split").why == why


@pytest.mark.parametrize("more", [{}, {"split": "train[:1]"}])
def test_a_shard_too_small_for_a_sample(bench: Bench, more: dict[str, Any]) -> None:
    file = axolotl(bench, path="o/x", shards=3_000_000, **more)
    assert samples(file) == [{"rows": 1, "needs": ("x",)}] * len(more)
    assert bench.line("datasets[0].shards")[2:4] == ("without", "")


def test_a_file_that_is_too_large_to_try(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LARGEST_TRIED", 1_000_000)
    bench.write("rows.jsonl", 1_000_001 * " ")
    axolotl(bench, path="rows.jsonl")
    assert bench.line("datasets[0].path").why == "not tried: over 1 MB"
