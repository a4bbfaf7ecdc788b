"""The log-probability primitive against plain cross-entropy."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from tunewright.core.example import ask, make_example
from tunewright.models.load import load_model
from tunewright.train import logprobs
from tunewright.train.logprobs import PLAIN, Shape, token_logprobs
from tunewright.train.lora import add_adapter
from tunewright.train.methods import find_method
from tunewright.train.pack import pack
from tunewright.train.policy import Policy
from tunewright.train.spec import AdapterSpec


def test_by_hand():
    hidden, head = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.0, 5.0], [1.0, 1.0]])
    value = token_logprobs(hidden, head, torch.tensor([0]))
    assert value.item() == pytest.approx(2 - math.log(math.exp(2) + 1 + math.exp(1)), abs=1e-6)


@pytest.mark.parametrize("shape", [PLAIN, Shape(0.25), Shape(cap=2.0), Shape(0.5, 3.0)])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("trained_head", [False, True])
def test_values_and_gradients_in_chunks(monkeypatch, trained_head, with_bias, shape):
    monkeypatch.setattr(logprobs, "_CHUNK_FLOATS", 50 * 64)
    torch.manual_seed(0)
    hidden = torch.randn(150, 16, requires_grad=True)
    head = torch.randn(50, 16, requires_grad=trained_head)
    bias = torch.randn(50) if with_bias else None
    labels, weights = torch.randint(50, (150,)), torch.rand(150)
    found = token_logprobs(hidden, head, labels, bias, shape)
    (found * weights).sum().backward()
    grads = [hidden.grad.clone(), head.grad.clone() if trained_head else None]
    hidden.grad = head.grad = None
    logits = linear(hidden, head, bias) * shape.scale
    capped = logits if shape.cap is None else shape.cap * torch.tanh(logits / shape.cap)
    wanted = -cross_entropy(capped, labels, reduction="none")
    (wanted * weights).sum().backward()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(grads[0], hidden.grad, atol=1e-5, rtol=1e-5)
    if trained_head:
        torch.testing.assert_close(grads[1], head.grad, atol=1e-5, rtol=1e-5)


def test_in_bf16_the_sums_stay_in_fp32():
    torch.manual_seed(0)
    hidden, head, labels = torch.randn(20, 16), torch.randn(50, 16), torch.randint(50, (20,))
    found = token_logprobs(hidden.bfloat16(), head.bfloat16(), labels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found, -cross_entropy(hidden @ head.t(), labels, reduction="none"), atol=0.1, rtol=0.05
    )


def test_no_rows():
    for trained in (False, True):
        head = torch.randn(5, 4, requires_grad=trained)
        assert token_logprobs(torch.randn(0, 4), head, torch.zeros(0, dtype=torch.long)).shape == (0,)


@pytest.mark.parametrize("with_gradient", [False, True])
@pytest.mark.parametrize("trained_head", [False, True])
def test_only_a_chunks_rows_go_through_the_head_at_once(monkeypatch, trained_head, with_gradient):
    """Logits of all rows [150, 50] are never there: chunks are of 64 rows at most, and each row is in one."""
    seen, plain = [], logprobs._logits
    monkeypatch.setattr(logprobs, "_CHUNK_FLOATS", 50 * 64)
    monkeypatch.setattr(logprobs, "_logits", lambda rows, *rest: seen.append(len(rows)) or plain(rows, *rest))
    hidden = torch.randn(150, 16, requires_grad=with_gradient)
    found = token_logprobs(hidden, torch.randn(50, 16, requires_grad=trained_head), torch.randint(50, (150,)))
    assert seen == [64, 64, 22]
    assert found.shape == (150,)


@pytest.mark.parametrize(("vocabulary", "rows"), [(50, 167_772), (32_000, 262), (151_936, 64), (1 << 22, 64)])
def test_a_chunk_is_of_few_rows_where_the_vocabulary_is_large(vocabulary, rows):
    assert logprobs._chunk_rows(vocabulary) == rows


def test_only_trained_places_go_through_the_head(tiny_base, tiny_renderer, monkeypatch):
    seen, plain = [], logprobs._logits
    monkeypatch.setattr(logprobs, "_logits", lambda rows, *rest: seen.append(len(rows)) or plain(rows, *rest))
    rows = [
        make_example(ask("What is the colour of it? " * 9, "red")),
        make_example(ask("And this?", "dark blue")),
    ]
    trees = find_method("sft").trees(rows, tiny_renderer)
    policy = Policy(add_adapter(load_model(tiny_base), AdapterSpec(rank=4), tiny_base, seed=0), trees)
    seen.clear()  # of the proof
    policy.row_logprobs(pack(trees, 0))
    trained = sum(row.trained for tree in trees for row in tree.rows)
    assert seen == [trained]
    assert trained < sum(tree.tokens for tree in trees) / 4
