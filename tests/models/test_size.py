"""How many weights a base has, from the heads of its files."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from tunewright.core.errors import ModelError
from tunewright.models.size import size_at_hand


def test_it_counts_what_the_loaded_model_has(tiny_folder):
    model = AutoModelForCausalLM.from_pretrained(tiny_folder)
    linear = [
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name != "lm_head"
    ]
    size = size_at_hand(str(tiny_folder), tiny_folder)
    assert size == (sum(weight.numel() for weight in model.parameters()), sum(linear))
    assert size.bytes(4) == 4 * size.weights
    rest = size.weights - size.linear
    assert 2 * rest + 0.5 * size.linear < size.bytes(2, four_bit=True) < 2 * rest + 0.55 * size.linear


def test_the_embedded_base_has_what_its_card_says(tmp_path):
    from tunewright.models.embedded import PATH

    assert (
        size_at_hand("embedded", tmp_path).weights
        == json.loads((PATH / "card.json").read_text())["parameters"]
    )


def test_weights_that_lie_there_twice_count_once(tiny_folder, tmp_path):
    whole = size_at_hand(str(tiny_folder), tmp_path)
    base = tmp_path / "base"
    AutoModelForCausalLM.from_pretrained(tiny_folder).save_pretrained(base, max_shard_size="40KB")
    shards = sorted(base.glob("model-*.safetensors"))
    assert len(shards) > 1
    save_file(load_file(shards[0]), base / "consolidated.safetensors")
    assert size_at_hand("base", tmp_path) == whole


def test_a_base_of_the_hub_that_was_never_fetched(tmp_path):
    assert size_at_hand("tunewright-tests/never-fetched", tmp_path) is None
    with pytest.raises(ModelError, match="neither a folder nor a hub id"):
        size_at_hand("not--a--name!", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 16, b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{{"])
def test_a_broken_file_is_said_to_be_one(tmp_path, content):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/config.json").write_text("{}")
    (tmp_path / "base/model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="weights of base cannot be read"):
        size_at_hand("base", tmp_path)
