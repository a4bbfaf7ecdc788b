"""Loading a base and an adapter, and refusing what does not fit."""

import json
import shutil
import subprocess
import sys

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from tiny import save_model
from tunewright.core.errors import ModelError
from tunewright.models import load
from tunewright.models.base import resolve_base
from tunewright.models.load import base_width, load_model, load_tokenizer

IDS = torch.tensor([[1, 5, 9, 40]])


@pytest.fixture
def adapter(tiny_base, tmp_path):
    """An adapter whose weights are not zero."""
    torch.manual_seed(1)
    model = get_peft_model(
        load_model(tiny_base), LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    )
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def logits(model):
    with torch.no_grad():
        return model(IDS).logits


def test_in_eval_mode_and_fp32_on_the_cpu(tiny_base):
    model = load_model(tiny_base, device="cpu")
    assert not model.training
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert model.config._attn_implementation == "sdpa"


def test_an_adapter_changes_the_answer(tiny_base, adapter):
    tuned = load_model(tiny_base, adapter=adapter, device="cpu")
    assert not tuned.training
    assert not torch.equal(logits(tuned), logits(load_model(tiny_base, device="cpu")))
    with tuned.disable_adapter():
        assert torch.equal(logits(tuned), logits(load_model(tiny_base, device="cpu")))


def test_an_adapter_of_another_base(tiny_base, adapter):
    weights = load_file(adapter / "adapter_model.safetensors")
    first = sorted(weights)[0]
    save_file(
        {key: value for key, value in weights.items() if key != first}, adapter / "adapter_model.safetensors"
    )
    with pytest.raises(ModelError, match="missing or unknown"):
        load_model(tiny_base, adapter=adapter)


def test_no_adapter_there(tiny_base, tmp_path):
    with pytest.raises(ModelError, match="no adapter here"):
        load_model(tiny_base, adapter=tmp_path)


def test_a_torn_model(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "torn")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(resolve_base(str(folder), tmp_path))


def test_missing_weights_are_not_made_up(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "lame")
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.norm.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of its weights, model\.norm\.weight"):
        load_model(resolve_base(str(folder), tmp_path))


@pytest.mark.parametrize("read", [load_model, base_width])
def test_no_code_from_the_folder(tiny_folder, tmp_path, read):
    folder = shutil.copytree(tiny_folder, tmp_path / "custom")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text("raise SystemExit('code was run')")
    with pytest.raises(ModelError) as caught:
        read(resolve_base(str(folder), tmp_path))
    assert "code of its own" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"model_type": "qwen3", "hidden_size": "wide"}'])
def test_a_configuration_that_cannot_be_read(tiny_folder, tmp_path, text):
    folder = shutil.copytree(tiny_folder, tmp_path / "odd")
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"configuration of .* cannot be read"):
        base_width(resolve_base(str(folder), tmp_path))


def test_no_tokenizer(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "mute")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="tokenizer of"):
        load_tokenizer(resolve_base(str(folder), tmp_path))


def test_what_allocators_say_where_memory_ran_out():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 56, dtype=torch.uint8)
    assert load.is_shortage(caught.value)
    assert load.is_shortage(torch.OutOfMemoryError("CUDA has none left"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2) @ torch.empty(3)
    assert not load.is_shortage(caught.value)


SHORT = """
import resource, sys
from pathlib import Path
import torch
from tunewright.core.errors import ModelError
from tunewright.models.base import resolve_base
from tunewright.models.load import load_model
base = resolve_base(sys.argv[1], Path("/"))
load_model(resolve_base(sys.argv[2], Path("/")))  # what a first load brings in by itself
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (20 << 20),) * 2)
try:
    load_model(base)
except ModelError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_base_that_does_not_fit_says_so(tiny_folder, tmp_path):
    """Where the process may have 20 MB more, and the weights are 60."""
    folder = save_model(tmp_path / "large", hidden_size=1024, intermediate_size=2048)
    command = [sys.executable, "-c", SHORT, str(folder), str(tiny_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "GB of weights) does not fit into the free memory of this machine" in done.stdout, done.stderr
    assert "Choose a smaller base or free memory" in done.stdout
    assert "qlora" in done.stdout


def test_a_deep_rwkv_answers_with_its_adapter_as_it_was_trained(tmp_path):
    """Every six layers it would halve its own weights for answering, and no adapter's."""
    folder = save_model(tmp_path / "base", "rwkv", attention_hidden_size=32, num_hidden_layers=14)
    torch.manual_seed(1)
    config = LoraConfig(r=2, target_modules=["output", "value"], init_lora_weights=False)
    model = get_peft_model(load_model(resolve_base(str(folder), tmp_path)), config)
    answering = logits(model.eval())
    torch.testing.assert_close(answering, logits(model.train()), atol=1e-5, rtol=1e-5)
