"""Which rows of which data set another tool's config means: the hub's, a folder's, a file's; a split, a slice, a sample."""

import json
from typing import Any

import pytest
from config_bench import Bench

from tunewright.project.importing.part import Draw, Part, parts_of


def axolotl(bench: Bench, **entry: Any) -> dict[str, Any]:
    """The sources that one data set of an Axolotl config becomes, without the form."""
    file = bench.run({"base_model": "b", "adapter": "lora", "datasets": [{"type": "alpaca", **entry}]})
    dumped = {name: source.model_dump(exclude_unset=True) for name, source in file.sources.items()}
    return {name: {key: each[key] for key in each if key != "form"} for name, each in dumped.items()}


def llamafactory(bench: Bench, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same of a dataset_info.json; and the recipe."""
    bench.write("data/dataset_info.json", json.dumps({"a": entry}))
    file = bench.run({"model_name_or_path": "b", "stage": "sft", "dataset": "a", **more})
    source = file.sources["a"].model_dump(exclude_unset=True)
    return {key: source[key] for key in source if key != "form"}


def test_a_data_set_of_the_hub_with_its_part(bench: Bench) -> None:
    found = axolotl(bench, path="owner/name", name="main", split="train_sft", revision="refs/convert/parquet")
    hub = {"config": "main", "split": "train_sft", "revision": "refs/convert/parquet"}
    assert found == {"name": {"path": "hub:owner/name", "hub": hub}}
    for key, word in (("name", "config"), ("split", "split"), ("revision", "revision")):
        assert bench.fate(f"datasets[0].{key}") == ("carried", f"sources.name.hub.{word}")


def test_files_of_a_data_set_of_the_hub(bench: Bench) -> None:
    found = axolotl(
        bench, path="owner/name", data_files=["a.jsonl", "b/*.jsonl"], revision="v1", name="x", split="train"
    )
    assert found == {
        "name": {"path": "hub:owner/name/a.jsonl", "hub": {"revision": "v1"}},
        "name-2": {"path": "hub:owner/name/b/*.jsonl", "hub": {"revision": "v1"}},
    }
    assert bench.fate("datasets[0].split") == ("carried", "always so")
    assert bench.fate("datasets[0].name") == ("without", "")


def test_a_split_that_is_no_name(bench: Bench) -> None:
    found = axolotl(bench, path="o/a", split={"x": 1}, data_files={"train": "a.jsonl"})
    assert found == {"a": {"path": "hub:o/a/a.jsonl"}}
    assert bench.line("datasets[0].split").why == "it is no name"


@pytest.mark.parametrize("path", ["json", "rows"])
def test_data_files_that_are_here(bench: Bench, path: str) -> None:
    row = json.dumps({"instruction": "Q", "output": "A"})
    bench.write("rows/a.jsonl" if path == "rows" else "a.jsonl", f"{row}\n")
    folder = "rows/" if path == "rows" else ""
    files = {"train": "a.jsonl", "test": "b.jsonl"}
    assert axolotl(bench, path=path, data_files=files) == {path: {"path": f"../{folder}a.jsonl"}}
    assert bench.line("datasets[0].data_files").why == "the first 1 rows have this form"


def test_configurations_and_splits_that_are_added_up_are_sources_each(bench: Bench) -> None:
    found = axolotl(bench, path="owner/name", name=["en", "de"], split="train+validation")
    assert [source["hub"] for source in found.values()] == [
        {"config": config, "split": split} for config in ("en", "de") for split in ("train", "validation")
    ]


def test_a_folder_is_read_as_a_data_set(bench: Bench) -> None:
    """Not as all its files: a card is no row, and test rows are not trained."""
    row = json.dumps({"instruction": "Q", "output": "A"})
    bench.write("set/README.md", "# A set\n")
    for split in ("train", "test"):
        bench.write(f"set/{split}.jsonl", f"{row}\n")
    assert axolotl(bench, path="set") == {"set": {"path": "../set", "hub": {"split": "train"}}}
    assert bench.line("datasets[0].path").why == "the first 1 rows have this form"
    other = Bench(bench.root)
    (bench.root / "mine/tunewright.yaml").unlink()
    assert axolotl(other, path="set", split="tset")["set"]["hub"] == {"split": "tset"}
    assert other.line("datasets[0].path").why.startswith("it cannot be read yet: ")


def test_a_json_file_of_lines(bench: Bench) -> None:
    bench.write("rows.json", 2 * f"{json.dumps({'instruction': 'Q', 'output': 'A'})}\n")
    assert axolotl(bench, path="rows.json") == {"rows-json": {"path": "../rows.json", "format": "jsonl"}}
    assert bench.line("datasets[0].path").why == "the first 2 rows have this form"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("imdb", "save the rows of imdb as data/imdb.jsonl{}; or name its owner on the hub: hub:owner/imdb"),
        ("s3://b/x.jsonl", "save the rows of s3://b/x.jsonl as data/b-x-jsonl.jsonl{}"),
        ("<a set>", "save the rows of <a set> as data/a-set.jsonl{}"),
    ],
)
def test_what_lies_elsewhere_is_saved_by_hand(bench: Bench, path: str, why: str) -> None:
    axolotl(bench, path=path, split="train_sft")
    assert bench.line("datasets[0].path").why == why.format(", one JSON object a line")
    assert bench.line("datasets[0].split").why.startswith("save the rows that are meant as data/")


@pytest.mark.parametrize(
    ("split", "draw"),
    [
        ("train", None),
        ("train[:500]", Draw("rows", 500)),
        ("train[500:1500]", Draw("rows", 1000)),
        ("train[-20:]", Draw("rows", 20)),
        ("train[:10%]", Draw("share", 0.1)),
        ("train[10%:30%]", Draw("share", 0.2)),
        ("train[-5%:]", Draw("share", 0.05)),
        ("train[:100%]", None),
        ("train[50%:20%]", None),
        ("train[500:]", None),
        ("train[:-5]", None),
        ("train[:0]", None),
        ("train[:]", None),
    ],
)
def test_slices(split: str, draw: Draw | None) -> None:
    assert parts_of(None, split, None) == [Part(split="train", draw=draw)]


def test_a_slice_is_a_sample_of_that_source_alone(bench: Bench) -> None:
    sets = [
        {"path": f"o/{name}", "type": "alpaca", "split": f"train{cut}"}
        for name, cut in {"a": "[:5]", "b": ""}.items()
    ]
    file = bench.run({"base_model": "b", "datasets": sets})
    assert [op.model_dump(exclude_unset=True) for op in file.recipe] == [
        {"op": "sample", "rows": 5, "id": "some-a", "needs": ("a",)},
        {"op": "drop_duplicates", "needs": ("some-a", "b")},
    ]
    assert bench.line("datasets[0].split")[2:] == (
        "changed", "sources.a.hub.split, recipe", "a seeded sample of as many rows, not the first"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "op"),
    [
        ({"shards": 10, "shards_idx": 3}, {"share": 0.1}),
        ({"shards": 4, "split": "train[:50%]"}, {"share": 0.125}),
        ({"shards": 4, "split": "train[:50]"}, {"rows": 12}),
    ],
)
def test_a_shard_is_a_sample(bench: Bench, entry: dict[str, Any], op: dict[str, Any]) -> None:
    axolotl(bench, path="o/a", **entry)
    drawn, *_ = _recipe(bench)
    assert drawn.model_dump(exclude_unset=True) == {"op": "sample", "id": "some-a", "needs": ("a",), **op}
    assert bench.fate("datasets[0].shards") == ("changed", "recipe")


def test_a_sample_whose_name_a_source_has(bench: Bench) -> None:
    sets = [{"path": f"o/{name}", "type": "alpaca", "split": "train[:5]"} for name in ("a", "some-a")]
    recipe = bench.run({"base_model": "b", "datasets": sets}).recipe
    assert [(op.id, op.needs) for op in recipe] == [
        ("some-a-2", ("a",)),
        ("some-some-a", ("some-a",)),
        (None, ("some-a-2", "some-some-a")),
    ]


def test_samples_where_duplicates_stay(bench: Bench) -> None:
    sets = [{"path": f"o/{name}", "type": "alpaca", "split": "train[:5]"} for name in "ab"]
    config = {"base_model": "b", "datasets": sets, "dataset_exact_deduplication": False}
    assert [op.model_dump(exclude_unset=True) for op in bench.run(config).recipe][2:] == [
        {"op": "filter", "keep": "true", "needs": ("some-a", "some-b")}
    ]


def test_a_llamafactory_set_of_the_hub(bench: Bench) -> None:
    entry = {"hf_hub_url": "owner/name", "ms_hub_url": "other/name", "subset": "en", "split": "test"}
    assert llamafactory(bench, entry) == {"path": "hub:owner/name", "hub": {"config": "en", "split": "test"}}
    assert bench.fate("dataset[a].subset") == ("carried", "sources.a.hub.config")
    assert bench.fate("dataset[a].split") == ("carried", "sources.a.hub.split")


def test_a_folder_of_a_llamafactory_set(bench: Bench) -> None:
    assert llamafactory(bench, {"hf_hub_url": "owner/name", "folder": "python"}) == {
        "path": "hub:owner/name/python/**"
    }
    assert bench.fate("dataset[a].folder") == ("changed", "sources.a.path")


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("ms_hub_url", "it lies on ModelScope"),
        ("om_hub_url", "it lies on openMind's hub"),
        ("script_url", "a script loads it, and code is not run"),
        ("cloud_file_name", "it lies in a cloud's storage"),
    ],
)
def test_llamafactory_sets_that_are_saved_by_hand(bench: Bench, key: str, where: str) -> None:
    assert llamafactory(bench, {key: "o/rows"}) == {"path": "data/o-rows.jsonl"}
    assert bench.line("dataset[a]").why == (
        f"{where}: save the rows of o/rows as data/o-rows.jsonl, one JSON object a line"
    )


def test_a_number_of_samples(bench: Bench) -> None:
    llamafactory(bench, {"hf_hub_url": "o/a", "num_samples": 50}, max_samples=10)
    recipe = [op.model_dump(exclude_unset=True) for op in _recipe(bench)]
    assert recipe == [
        {"op": "sample", "rows": 50, "id": "some-a", "needs": ("a",)},
        {"op": "drop_duplicates", "needs": ("some-a",)},
        {"op": "sample", "rows": 10},
    ]
    assert bench.fate("dataset[a].num_samples") == ("changed", "recipe")


def test_a_data_set_of_version_1(bench: Bench) -> None:
    bench.write(
        "sets.yaml", "a: {path: o/a, split: val, converter: alpaca}\nb: {path: o/b, source: ms_hub}\n"
    )
    file = bench.run({"model": "b", "train_dataset": "sets.yaml"}, tool="llamafactory")
    assert {name: source.path for name, source in file.sources.items()} == {
        "a": "hub:o/a",
        "b": "data/o-b.jsonl",
    }
    assert bench.fate("train_dataset[a].split") == ("carried", "sources.a.hub.split")
    assert bench.line("train_dataset[b].path").why.startswith("it lies on ModelScope: save the rows of o/b")


def _recipe(bench: Bench) -> Any:
    from tunewright.project.reading import read

    return read(bench.root / "mine/tunewright.yaml").recipe
