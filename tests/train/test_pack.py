"""Packing: every row once, nothing over the limit, and packed rows are what they were alone."""

from itertools import chain

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from tiny import make_config
from tunewright.train.attention import Segments
from tunewright.train.methods import sft
from tunewright.train.pack import Row, by_beginning, epoch_order, fill, pack, shared_prefix
from tunewright.train.policy import Policy

ROWS = [
    Row("a", [1, 7, 8, 9, 20, 21, 2], [0, 0, 0, 0, 1, 1, 1]),
    Row("b", [1, 7, 8, 30, 2], [0, 0, 0, 1, 1]),
    Row("c", [1, 7, 8, 9, 40, 41, 42, 43, 2, 9, 44, 2], [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1]),
]


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 60), st.integers(0, 3))
def test_fill_takes_every_row_once(lengths, limit, epoch):
    groups = fill(lengths, epoch_order(len(lengths), 0, epoch), limit)
    assert sorted(chain(*groups)) == list(range(len(lengths)))
    assert all(len(group) == 1 or sum(lengths[i] for i in group) <= limit for group in groups)


def test_the_order_follows_seed_and_epoch():
    assert epoch_order(50, 0, 1) == epoch_order(50, 0, 1)
    assert len({tuple(epoch_order(50, seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_shared_prefix_stops_before_the_answers():
    assert shared_prefix(ROWS) == 2  # b's first trained token is predicted from its third
    assert shared_prefix([ROWS[0], ROWS[2]]) == 3
    assert shared_prefix(ROWS[:1]) == 0
    assert shared_prefix([ROWS[0], Row("d", [5, 6], [0, 1])]) == 0


def test_rows_that_begin_otherwise_are_packed_apart():
    other, early = Row("d", [1, 5, 5, 2], [0, 0, 0, 1]), Row("e", [1, 7, 8, 2], [0, 0, 1, 1])
    rows = [*ROWS, other, early]
    assert by_beginning(rows, [3, 0, 4, 1, 2], 2) == [(2, [0, 1, 2]), (0, [3, 4])]  # e trains the token after
    assert by_beginning(rows, [3, 0], 0) == [(0, [3, 0])]
    assert by_beginning([other], [0], 2) == [(2, [0])]
    batches = sft.batches(rows, [3, 0, 4, 1, 2], 2, 100, True)
    assert [batch.rows for batch in batches] == [("a", "b", "c"), ("d", "e")]
    assert sum(len(batch.labels) for batch in batches) == sum(row.trained for row in rows)


def test_a_packed_batch():
    batch = pack(ROWS[:2], 2)
    assert batch.ids.tolist() == [[1, 7, 8, 9, 20, 21, 2, 8, 30, 2]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 2, 3, 4]]
    assert batch.segments == Segments(2, (5, 3))
    assert batch.labels.tolist() == [20, 21, 2, 30, 2]
    assert batch.places.tolist() == [3, 4, 5, 7, 8]
    assert (batch.rows, batch.tokens) == (("a", "b"), 12)


def alone(model, row):
    """Log-probabilities of a row's trained tokens, straight from the definition."""
    logits = model(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0]
    values = torch.log_softmax(logits, -1)
    return [values[i - 1, row.ids[i]] for i in range(1, len(row.ids)) if row.mask[i]]


@pytest.mark.parametrize(
    ("architecture", "settings", "packed", "own_head"),
    [
        ("qwen3", {}, True, False),
        ("llama", {"num_key_value_heads": 4, "tie_word_embeddings": False}, True, False),
        ("gemma", {}, True, False),
        (
            "gemma3_text",
            {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]},
            True,
            False,
        ),
        ("mistral", {"sliding_window": 3}, True, False),
        ("granite", {"logits_scaling": 8.0}, True, True),
        ("gemma2", {"sliding_window": 4, "attn_logit_softcapping": 0.5}, False, True),
    ],
)
@pytest.mark.parametrize("prefix", [0, 2])
def test_packed_is_as_alone(architecture, settings, packed, own_head, prefix):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(architecture, **settings))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model.get_output_embeddings().weight.requires_grad_(False)
    policy = Policy(model, ROWS)
    assert (policy.packed, policy.own_head) == (packed, own_head)
    batches = [pack(ROWS, prefix)] if packed else [pack([row]) for row in ROWS]
    found = torch.cat([policy.logprobs(batch) for batch in batches])
    found.sum().backward()
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    model.zero_grad(set_to_none=True)
    policy.restore()
    wanted = torch.stack(list(chain(*(alone(model, row) for row in ROWS))))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    wanted.sum().backward()
    for grad, parameter in zip(grads, model.parameters(), strict=True):
        if parameter.grad is not None:
            torch.testing.assert_close(grad, parameter.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("settings", [{}, {"sliding_window": 3}])
def test_attention_in_bf16_is_near_enough(settings):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config("mistral", **settings))
    exact, rounded = Policy(model, ROWS), Policy(model, ROWS, torch.bfloat16)
    batch = pack(ROWS, 2)
    torch.testing.assert_close(rounded.logprobs(batch), exact.logprobs(batch), atol=0.15, rtol=0)
