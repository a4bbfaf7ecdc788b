"""The faster layers compute what the layers compute, forward and backward; what they do not fit stays as it is."""

import pytest
import torch
from torch.autograd import gradcheck
from transformers import AutoModelForCausalLM

from tiny import make_config
from tunewright.train.fast import FastNorm, _Norm, fast_layers


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_gradient_of_the_norm():
    x = drawn(2, 3, 8).requires_grad_()
    assert gradcheck(lambda x: _Norm.apply(x, drawn(8, seed=1), 1e-6), (x,))


@pytest.mark.parametrize(
    ("architecture", "swapped"), [("qwen3", True), ("llama", True), ("gemma2", False), ("gemma3_text", False)]
)
def test_norms_that_compute_otherwise_stay(architecture, swapped):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(architecture)).requires_grad_(False)
    ids = torch.arange(20)[None]
    wanted = model(input_ids=ids).logits
    with fast_layers(model, torch.float32):
        assert any(isinstance(module, FastNorm) for module in model.modules()) == swapped
        assert torch.allclose(model(input_ids=ids).logits, wanted, atol=1e-4)
    assert not any(isinstance(module, FastNorm) for module in model.modules())


def test_norms_that_are_trained_stay():
    model = AutoModelForCausalLM.from_config(make_config())
    with fast_layers(model, torch.float32):
        assert not any(isinstance(module, FastNorm) for module in model.modules())
