"""Layers of four bits compute with the numbers that their bits stand for, however wide a row is, in PEFT's layers too."""

from importlib.util import find_spec

import pytest
import torch

from tunewright.models.four_bit import four_bit, unpacked
from tunewright.models.load import load_model
from tunewright.train.lora import add_adapter
from tunewright.train.spec import SettledAdapter

pytestmark = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
IDS = torch.arange(5, 69).view(2, 32)


def dense_twin(tiny_base, packed):
    """The base in full with the weights of the packed one's layers, as numbers."""
    model = load_model(tiny_base)
    numbers = {name: unpacked(layer) for name, layer in packed.named_modules() if four_bit(layer)}
    assert {weight.shape[1] % 64 for weight in numbers.values()} == {32, 48}  # no row is whole blocks
    for name, weight in numbers.items():
        model.get_submodule(name).weight.data.copy_(weight)
    return model


def test_a_packed_base_is_its_numbers(tiny_base):
    packed = load_model(tiny_base, four_bit=True)
    with torch.no_grad():
        found, wanted = packed(IDS).logits, dense_twin(tiny_base, packed)(IDS).logits
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("more", [{}, {"dora": True}, {"dora": True, "rslora": True}], ids=str)
def test_an_adapter_over_it_learns_as_over_its_numbers(tiny_base, more):
    """By PEFT's own layers, values and gradients: dora asks a layer for its weights."""
    packed = load_model(tiny_base, four_bit=True)
    results = []
    for kind, model in (("qlora", packed), ("lora", dense_twin(tiny_base, packed))):
        tuned = add_adapter(model, SettledAdapter(kind=kind, rank=4, **more), tiny_base, 0)
        parameters = {name: value for name, value in tuned.named_parameters() if value.requires_grad}
        with torch.no_grad():
            for name, value in parameters.items():
                value.add_(0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(len(name))))
        logits = tuned(IDS).logits
        logits.square().mean().backward()
        results.append((logits.detach(), {name: value.grad for name, value in parameters.items()}))
    (found, slopes), (wanted, others) = results
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert slopes.keys() == others.keys()
    for name, slope in slopes.items():
        torch.testing.assert_close(slope, others[name], atol=1e-6, rtol=1e-4)
