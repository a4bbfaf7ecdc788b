"""The fast LoRA layers against PEFT's own."""

import subprocess
import sys

import pytest
import torch

from tunewright.core.errors import ModelError
from tunewright.core.files import read_json
from tunewright.models.load import load_model
from tunewright.train import lora
from tunewright.train.fast import fast_layers
from tunewright.train.lora import add_adapter, file_weights, save_adapter
from tunewright.train.spec import AdapterSpec
from tunewright.train.weights import trained

IDS = torch.tensor([[1, 5, 9, 40, 7]])


@pytest.fixture
def model(tiny_base):
    tuned = add_adapter(load_model(tiny_base), AdapterSpec(rank=4), tiny_base, seed=0)
    torch.manual_seed(1)
    for parameter in trained(tuned).values():
        torch.nn.init.normal_(parameter, std=0.1)
    return tuned


def run(model):
    """The logits and the adapter's gradients."""
    logits = model(input_ids=IDS).logits
    logits.square().mean().backward()
    grads = {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    model.zero_grad(set_to_none=True)
    return logits.detach(), [grads[name] for name in sorted(grads)]


@pytest.mark.parametrize(("dtype", "share"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-1)])
def test_the_fast_layers_do_what_pefts_do(model, dtype, share):
    wanted, wanted_grads = run(model)
    with fast_layers(model, dtype):
        found, grads = run(model)
    assert (found - wanted).norm() <= share * wanted.norm()
    assert len(grads) == len(wanted_grads) == 28
    for grad, other in zip(grads, wanted_grads, strict=True):
        assert (grad - other).norm() <= share * other.norm()
    again, _ = run(model)
    assert torch.equal(again, wanted)


def test_dropout_is_pefts(tiny_base):
    tuned = add_adapter(load_model(tiny_base), AdapterSpec(rank=4, dropout=0.5), tiny_base, seed=0).train()
    for parameter in trained(tuned).values():
        torch.nn.init.normal_(parameter, std=0.1)
    torch.manual_seed(3)
    wanted, wanted_grads = run(tuned)
    torch.manual_seed(3)
    with fast_layers(tuned, torch.float32):
        found, grads = run(tuned)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    for grad, other in zip(grads, wanted_grads, strict=True):
        torch.testing.assert_close(grad, other, atol=1e-5, rtol=1e-4)


def test_a_fresh_adapter_changes_nothing(tiny_base):
    plain = load_model(tiny_base)
    with torch.no_grad():
        wanted = plain(IDS).logits
        found = add_adapter(load_model(tiny_base), AdapterSpec(rank=16), tiny_base, seed=0)(
            input_ids=IDS
        ).logits
    assert torch.equal(found, wanted)


def test_files_are_pefts_and_the_same_each_time(model, tiny_base, tmp_path):
    for name in ("one", "two"):
        save_adapter(model, file_weights(trained(model)), tmp_path / name)
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    config = read_json(tmp_path / "one/adapter_config.json")
    assert config["base_model_name_or_path"] == tiny_base.hash[:12]
    assert str(tiny_base.path.parent) not in str(config)
    with torch.no_grad():
        wanted = model.eval()(input_ids=IDS).logits
        assert torch.equal(load_model(tiny_base, adapter=tmp_path / "one")(input_ids=IDS).logits, wanted)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (("nowhere",), "finds no place"),
        (("lm_head",), "sit on the output head"),
        (("embed_tokens",), "sit on the embeddings"),
        (("q_proj", "model.embed_tokens"), "sit on the embeddings"),
    ],
)
def test_targets_that_do_not_fit(tiny_base, targets, said):
    with pytest.raises(ModelError, match=said) as caught:
        add_adapter(load_model(tiny_base), AdapterSpec(rank=16, targets=targets), tiny_base, seed=0)
    assert "train.adapter.targets" in caught.value.fix


@pytest.mark.parametrize("exact", [1024, 0])
def test_pissa_needs_as_many_singular_values_as_its_rank(tiny_base, monkeypatch, exact):
    monkeypatch.setattr(lora, "_EXACT", exact)
    with pytest.raises(ModelError, match="a layer of this base has 16, fewer than the rank 17") as caught:
        add_adapter(load_model(tiny_base), AdapterSpec(kind="pissa", rank=17), tiny_base, seed=0)
    assert caught.value.where == "train.adapter.rank"
    assert caught.value.fix.startswith("Set it to 16 or less")
    tuned = add_adapter(load_model(tiny_base), AdapterSpec(kind="pissa", rank=16), tiny_base, seed=0)
    assert {min(value.shape) for value in trained(tuned).values()} == {16}
    wide = AdapterSpec(kind="pissa", rank=32, targets=("mlp.up_proj", "q_proj"))  # 32 → 48 and 32 → 32
    assert {
        min(value.shape) for value in trained(add_adapter(load_model(tiny_base), wide, tiny_base, 0)).values()
    } == {32}
    assert add_adapter(load_model(tiny_base), AdapterSpec(rank=17), tiny_base, seed=0)


def test_over_a_base_in_bf16_the_adapter_is_in_fp32(tiny_base):
    """Its small steps would be lost in bf16; its gradient is in fp32, too."""
    base = load_model(tiny_base, dtype=torch.bfloat16)
    tuned = add_adapter(base, AdapterSpec(rank=4, kind="lora"), tiny_base, seed=0)
    adapter = trained(tuned)
    frozen = {value.dtype for value in tuned.parameters() if not value.requires_grad}
    assert ({value.dtype for value in adapter.values()}, frozen) == ({torch.float32}, {torch.bfloat16})
    with fast_layers(tuned, torch.bfloat16):
        tuned(input_ids=IDS).logits.float().square().mean().backward()
    assert {value.grad.dtype for value in adapter.values()} == {torch.float32}
    before = {name: value.detach().clone() for name, value in adapter.items()}
    with torch.no_grad():
        for value in adapter.values():
            value.add_(1e-6)
    moved = [name for name, value in adapter.items() if not torch.equal(value, before[name])]
    assert len(moved) == len(adapter)


def test_the_libraries_that_come_along_say_nothing():
    command = [sys.executable, "-c", "import tunewright.train.lora"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_what_peft_trips_over_is_told_in_its_words(tiny_base):
    model = load_model(tiny_base)
    del model.model.layers[0].self_attn.q_proj.in_features
    with pytest.raises(ModelError) as caught:
        add_adapter(model, AdapterSpec(rank=4), tiny_base, seed=0)
    assert caught.value.message.startswith(
        "The adapter finds no place in the base ('Linear' object has no attribute"
    )
