"""bench/importing.py: what it takes for a config, and which keys it asks after."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "bench/importing.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = spec_from_file_location("bench_importing", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def outcomes(script: ModuleType, root: Path) -> list[str]:
    (root / "work").mkdir()
    found = list(enumerate(script.configs(root / "sets", root / "work")))
    return [script.outcome_of(config, root / f"made{number}").kind for number, config in found]


@pytest.mark.parametrize(
    ("info", "kinds"),
    [
        ('{"a": ', ["refused"]),
        ("[1]", ["refused"]),
        ('{"a": "text", "b": {"hf_hub_url": "o/b", "columns": ["x"]}}', ["imported", "imported"]),
    ],
)
def test_a_broken_dataset_info_is_counted(
    script: ModuleType, tmp_path: Path, info: str, kinds: list[str]
) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/dataset_info.json").write_text(info, "utf-8")
    assert outcomes(script, tmp_path) == kinds


def test_keys_of_entries_are_asked_after(script: ModuleType, tmp_path: Path) -> None:
    config: dict[str, Any] = {"base_model": "b", "datasets": [{"path": "o/a", "shards": 2}, "o/b"]}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), "utf-8")
    assert list(script.keys_of(script.Config(path, None, None))) == [
        "base_model", "datasets", "datasets[0].path", "datasets[0].shards"
    ]  # fmt: skip
    info = tmp_path / "dataset_info.json"
    info.write_text('{"a": {"hf_hub_url": "o/a", "split": "train"}}', "utf-8")
    path.write_text('{"dataset": "a"}', "utf-8")
    assert list(script.keys_of(script.Config(path, "llamafactory", info))) == ["dataset", "dataset[a].split"]
