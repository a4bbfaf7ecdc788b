"""Layers under torch.compile give what they give without, and one compilation serves all lengths."""

import shutil

import pytest
import torch
from test_run import SPEC, run

from tunewright.core.errors import ModelError
from tunewright.core.files import read_json
from tunewright.models.load import load_model
from tunewright.train.compiled import alike, compiled_layers


def test_only_calls_with_gradients_are_compiled(tiny_base):
    model, ids = load_model(tiny_base), torch.arange(9)[None]
    wanted = model(input_ids=ids).logits
    with compiled_layers(model, True), torch.no_grad():
        assert len(alike(model)) == model.config.num_hidden_layers
        assert all(layer._compiled_call_impl for layer in alike(model))
        torch.compiler.reset()
        assert torch.equal(model(input_ids=ids).logits, wanted)
    assert not any(layer._compiled_call_impl for layer in alike(model))
    with compiled_layers(model, False):
        assert not any(layer._compiled_call_impl for layer in alike(model))


def test_what_cannot_be_compiled_is_said(tiny_base, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match=r"layers cannot be compiled here .*Set train\.compile to false"):
        run(tmp_path, tiny_base, SPEC.model_copy(update={"compile": True}))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch means to hide it itself
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_a_compiled_run_has_the_losses_of_the_plain_one(tiny_base, tmp_path):
    from torch._dynamo.utils import counters

    losses = {}
    for compiled in (False, True):
        folder = tmp_path / str(compiled)
        spec = SPEC.model_copy(
            update={"compile": compiled, "adapter": SPEC.adapter.model_copy(update={"dropout": 0.0})}
        )
        run(folder, tiny_base, spec)
        losses[compiled] = [line["loss"] for line in read_json(folder / "out/history.json")["steps"]]
    assert losses[True] == pytest.approx(losses[False], rel=1e-3)
    assert losses[True] != losses[False]  # compiled sums round otherwise: it did run
    assert not counters["unimplemented"]
