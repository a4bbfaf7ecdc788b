"""The proof that rows may be filled up catches a layer that is right forward alone, on few tokens alone, or answering."""

import pytest
import torch
from test_padded import BASES, TREES, model_of, row

from tiny import save_model
from tunewright.models.base import resolve_base
from tunewright.models.load import load_model
from tunewright.train.lora import add_adapter
from tunewright.train.pack import Tree
from tunewright.train.policy import Policy
from tunewright.train.proof import long_rows, reworded
from tunewright.train.spec import SettledAdapter


class Mixed(torch.autograd.Function):
    """Each row as it is, and backward the gradient of the row beside it."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, slope):
        return slope.roll(1, 0)


def mixed_backward(module, given, out):
    return Mixed.apply(out)


def mixed_when_long(module, given, out):
    return out.roll(1, 0) if out.shape[1] > 150 else out


def mixed_in_training(module, given, out):
    return out.roll(1, 0) if module.training else out


FAULTS = {"backward": mixed_backward, "long": mixed_when_long, "training": mixed_in_training}


@pytest.mark.parametrize("fault", FAULTS)
def test_rows_of_a_faulty_layer_are_run_one_by_one(fault):
    model = model_of("bloom", n_head=4, n_layer=2)
    before = Policy(model, TREES[:2])
    assert before.layout == "padded"
    assert before.refused
    assert "filled up" not in before.refused
    model.transformer.h[0].mlp.register_forward_hook(FAULTS[fault])
    found = Policy(model, TREES[:2])
    assert (found.layout, found.refused) == ("alone", f"{before.refused}; filled up: other results")


def test_gradients_of_the_adapter_alone_tell(tmp_path):
    """Of a fresh adapter only B has one."""
    base = resolve_base(str(save_model(tmp_path / "base", "bloom", n_head=4, n_layer=2)), tmp_path)
    model = add_adapter(load_model(base, device="cpu"), SettledAdapter(rank=4), base, 0)
    model.eval()
    modes = {name: module.training for name, module in model.named_modules()}
    assert Policy(model, TREES[:2], noise=5.0).layout == "padded"
    assert modes == {name: module.training for name, module in model.named_modules()}
    assert all(value.grad is None for value in model.parameters())
    model.base_model.model.transformer.h[1].mlp.register_forward_hook(mixed_backward)
    assert Policy(model, TREES[:2]).layout == "alone"


def test_what_a_base_draws_in_training_is_no_fault():
    model = model_of("bloom", n_head=4, n_layer=2, hidden_dropout=0.3, attention_dropout=0.3)
    assert Policy(model.train(), TREES[:2]).layout == "padded"


@pytest.mark.parametrize(("most", "lengths"), [(float("inf"), (288, 144)), (100, (100, 50))])
def test_the_rows_are_long_and_trained_throughout(most, lengths):
    rows = long_rows([row(9, 4), row(12, 4), row(41, 4)], most)
    assert tuple(len(each.ids) for each in rows) == lengths
    assert [list(each.ids[:9]) for each in rows] == [row(9, 4).ids, row(41, 4).ids[:9]]
    assert rows[0].ids[9:18] == row(9, 4).ids
    assert all(31 <= each.trained <= 50 and each.mask[0] == 0 for each in rows)


@pytest.mark.parametrize("architecture", ["rwkv", "recurrent_gemma", "mamba2", "lfm2"])
def test_leaks_that_rounding_would_hide_are_seen(architecture):
    """In bf16 a row beside another is allowed to differ by rounding, but not to hang on what the other says."""
    model = model_of(architecture, **BASES[architecture][0]).to(torch.bfloat16)
    assert Policy(model, TREES[:2]).layout != "packed"


@pytest.mark.parametrize("architecture", ["qwen3", "gemma2", "llama"])
def test_rows_that_are_kept_apart_stay_packed_in_bf16(architecture):
    assert Policy(model_of(architecture).to(torch.bfloat16), TREES[:2]).layout == "packed"


def test_other_words_share_what_the_words_shared():
    pair = Tree((row(26, 5, (1, 7, 8)), row(36, 15, (1, 7, 8))))
    other = reworded(pair)
    assert (other.shared, other.size) == (pair.shared, pair.size)
    assert all(
        one != two
        for a, b in zip(pair.rows, other.rows, strict=True)
        for one, two in zip(a.ids, b.ids, strict=True)
    )


def test_rows_as_long_as_the_base_takes_are_filled_up_no_further():
    """Learned positions end there, and a token more would be an error."""
    settings = {
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 8,
    }
    model = model_of("gpt_neo", **settings, max_position_embeddings=60)
    trees = [tree._replace(rows=(row(60, 30),)) for tree in TREES[:2]]
    assert Policy(model, trees).layout == "padded"
