"""What is saved is what vLLM loads, or a warning said that it is not: the file of a run of every kind of adapter.

vLLM itself does not run here. What it asks is of its source: `vllm/lora/peft_helper.py` reads the config,
`parse_fine_tuned_lora_name` of `vllm/lora/utils.py` the names of the tensors.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from test_run import SPEC, run
from test_weights import needs_bitsandbytes

from tunewright.models.base import Base
from tunewright.train.served import serving_warnings
from tunewright.train.spec import AdapterSpec, SettledAdapter

RANK = 4
ADAPTERS: dict[str, dict[str, Any]] = {
    **{kind: {"kind": kind} for kind in ("lora", "rslora", "dora", "pissa", "qlora")},
    "rslora + dora": {"kind": "rslora", "dora": True},
    "pissa + rslora": {"kind": "pissa", "rslora": True},
    "qlora + rslora": {"kind": "qlora", "rslora": True},
    "qlora + dora": {"kind": "qlora", "dora": True},
    "qlora + rslora + dora": {"kind": "qlora", "rslora": True, "dora": True},
    "some targets": {"targets": ("q_proj", "v_proj")},
    "b_rate": {"b_rate": 16},
    "new words": {"new_words": ("What",)},
    "rank 17": {"rank": 17},
    "pissa, rank 9": {"kind": "pissa", "rank": 9},
}
CASES = [pytest.param(name, marks=needs_bitsandbytes if "qlora" in name else ()) for name in ADAPTERS]
WEIGHT = re.compile(r"base_model\.model\.model\.layers\.\d+\.[a-z_.]+\.lora_([AB])\.weight")


def refused(folder: Path) -> set[str]:
    """What keeps vLLM, as it is when nothing is set, from loading the adapter in `folder`, by its settings' names."""
    config = json.loads((folder / "adapter_config.json").read_text())
    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (it is no dict)
    found = set()
    if config["use_dora"]:
        found.add("dora")
    if (
        config["modules_to_save"]
        or config.get("trainable_token_indices")
        or any("token" in n for n in shapes)
    ):
        found.add("new_words")
    sides = {name: met[1] for name in shapes if (met := WEIGHT.fullmatch(name))}
    sizes = {name for name in shapes if name.endswith(".lora_magnitude_vector")}
    words = shapes.keys() - sides.keys() - sizes
    assert all("embed_tokens" in name for name in words)
    if words:
        found.add("new_words")
    assert bool(words) == bool(config["trainable_token_indices"])
    assert bool(sizes) == config["use_dora"]
    ranks = {shapes[name][0 if side == "A" else 1] for name, side in sides.items()}
    assert ranks == {config["r"]}
    layers = {name.removeprefix("base_model.model.").rsplit(".", 2)[0] for name in sides}
    assert all(any(layer.endswith(target) for target in config["target_modules"]) for layer in layers)
    assert (config["bias"], config["modules_to_save"], config["lora_bias"]) == ("none", None, False)
    assert (config["rank_pattern"], config["alpha_pattern"]) == ({}, {})
    if config["r"] > 16:
        found.add("rank")
    return found


@pytest.mark.parametrize("name", CASES)
def test_vllm_loads_what_was_saved_or_the_run_said_that_it_does_not(
    name: str, tiny_base: Base, tmp_path: Path
) -> None:
    adapter = AdapterSpec.model_validate({"rank": RANK, **ADAPTERS[name]})
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"adapter": adapter, "epochs": 1}))
    said = {
        words.partition(":")[0].removeprefix("train.adapter.").replace("kind", "dora")
        for words in summary.warnings
    }
    assert said == refused(tmp_path / "out/adapter")
    assert bool(said) == any(word in name for word in ("dora", "words", "rank 17", "rank 9"))


@pytest.mark.parametrize(
    ("kind", "rank", "message", "fix"),
    [
        ("lora", 24, "rank 24 only where it is started with --max-lora-rank 32 or", "set the rank to 16 or"),
        (
            "rslora",
            64,
            "rank 64 only where it is started with --max-lora-rank 64 or",
            "set the rank to 16 or",
        ),
        ("pissa", 12, "rank 24 only where it is started with --max-lora-rank 32 or", "set the rank to 8 or"),
        (
            "pissa",
            129,
            "rank 258 only where it is started with --max-lora-rank 320 or",
            "set the rank to 8 or",
        ),
        (
            "lora",
            512,
            "rank 512 only where it is started with --max-lora-rank 512 or",
            "set the rank to 16 or",
        ),
        (
            "pissa",
            300,
            "vLLM loads no adapter of rank 600: 512 is the highest",
            "set the rank to 256 or less",
        ),
    ],
)
def test_vllm_is_told_a_rank_that_it_takes(kind, rank, message, fix):
    (found,) = serving_warnings(SettledAdapter(kind=kind, rank=rank))
    assert message in found.message
    assert fix in found.fix


def test_vllm_loads_no_dora():
    (found,) = serving_warnings(SettledAdapter(kind="dora", rank=4))
    assert (found.message, found.where) == ("vLLM loads no DoRA adapters", "train.adapter.kind")
    assert found.fix.startswith("Merge it into the base to serve it there, or choose lora")


def test_vllm_loads_no_dora_beside_another_kind():
    (found,) = serving_warnings(SettledAdapter(kind="qlora", dora=True, rank=4))
    assert (found.message, found.where) == ("vLLM loads no DoRA adapters", "train.adapter.dora")
    assert found.fix == "Merge it into the base to serve it there, or leave it out."


def test_all_that_keeps_it_from_being_served_is_told_at_once():
    spec = SettledAdapter(kind="dora", rank=64, new_words=("Velora",))
    assert [problem.where for problem in serving_warnings(spec)] == [
        "train.adapter.new_words", "train.adapter.kind", "train.adapter.rank",
    ]  # fmt: skip
    assert serving_warnings(SettledAdapter(kind="full", rank=0, new_words=("Velora",))) == []


@pytest.mark.parametrize(("kind", "rank"), [("lora", 16), ("pissa", 8), ("full", 0)])
def test_vllm_takes_a_low_rank_as_it_is_started(kind, rank):
    assert serving_warnings(SettledAdapter(kind=kind, rank=rank)) == []
