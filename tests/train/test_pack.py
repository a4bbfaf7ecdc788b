"""Packing: every row once, nothing over the limit, and packed rows are what they were alone."""

from itertools import chain

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention
from transformers import AutoModelForCausalLM

from tiny import make_config
from tunewright.train import attention
from tunewright.train.attention import Segments
from tunewright.train.layout import laid
from tunewright.train.logprobs import PLAIN, Shape
from tunewright.train.pack import (
    Row,
    Tree,
    compact,
    digest,
    epoch_order,
    fill,
    pack,
    shared_prefix,
)
from tunewright.train.policy import Policy

ROWS = [
    Row("a", [1, 7, 8, 9, 20, 21, 2], [0, 0, 0, 0, 1, 1, 1]),
    Row("b", [1, 7, 8, 30, 2], [0, 0, 0, 1, 1]),
    Row("c", [1, 7, 8, 9, 40, 41, 42, 43, 2, 9, 44, 2], [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1]),
]
TREES = [Tree((row,)) for row in ROWS]
PAIR = Tree(
    (
        Row("p", [1, 7, 8, 9, 10, 20, 2], [0, 0, 0, 0, 0, 1, 1]),
        Row("p", [1, 7, 8, 9, 10, 21, 20, 2], [0, 0, 0, 0, 0, 1, 1, 1]),
    )
)
FOREST = [*TREES, PAIR]


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 60), st.integers(0, 3))
def test_fill_takes_every_row_once(lengths, limit, epoch):
    groups = fill(lengths, epoch_order(len(lengths), 0, epoch), limit)
    assert sorted(chain(*groups)) == list(range(len(lengths)))
    assert all(len(group) == 1 or sum(lengths[i] for i in group) <= limit for group in groups)


def test_the_order_follows_seed_and_epoch():
    assert epoch_order(50, 0, 1) == epoch_order(50, 0, 1)
    assert len({tuple(epoch_order(50, seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_shared_prefix_stops_before_the_answers():
    assert shared_prefix(TREES) == 3  # b's first trained token is its fourth
    assert shared_prefix([TREES[0], TREES[2]]) == 4
    assert shared_prefix(TREES[:1]) == 0
    assert shared_prefix([TREES[0], Tree((Row("d", [5, 6], [0, 1]),))]) == 0


def test_rows_that_begin_otherwise_stand_beside_the_shared_beginning():
    other, early = Row("d", [1, 5, 5, 2], [0, 0, 0, 1]), Row("e", [1, 7, 8, 2], [0, 1, 1, 1])
    trees = [*TREES, Tree((other,)), Tree((early,))]
    (batch,) = laid("packed", "cpu").batches(trees, [3, 0, 4, 1, 2], 2, 100)  # e trains its second token
    assert batch.segments == Segments((2, 4, 5, 4, 3, 10), (-1, -1, 0, -1, 0, 0))
    assert batch.ids.tolist() == [
        [1, 7, 1, 5, 5, 2, 8, 9, 20, 21, 2, 1, 7, 8, 2, 8, 30, 2, 8, 9, 40, 41, 42, 43, 2, 9, 44, 2]
    ]
    assert len(batch.labels) == sum(row.trained for tree in trees for row in tree.rows)
    assert (batch.prefix, pack([trees[3]], 0).prefix, pack([trees[4]], 2).prefix) == (2, 0, 0)


def test_a_packed_batch():
    batch = pack(TREES[:2], 3)
    assert batch.ids.tolist() == [[1, 7, 8, 9, 20, 21, 2, 30, 2]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 3, 4]]
    assert batch.segments == Segments((3, 4, 2), (-1, 0, 0))
    assert batch.labels.tolist() == [20, 21, 2, 30, 2]
    assert batch.places.tolist() == [3, 4, 5, 2, 7]  # 30 is predicted from the shared third token
    assert batch.owners.tolist() == [0, 0, 0, 1, 1]
    assert (batch.tokens, batch.prefix) == (12, 3)


def test_answers_to_one_prompt_hang_under_it():
    batch = pack([PAIR, TREES[1]], 2)
    assert (PAIR.shared, PAIR.tokens) == (5, 5 + 2 + 3)
    assert batch.ids.tolist() == [[1, 7, 8, 9, 10, 20, 2, 21, 20, 2, 8, 30, 2]]
    assert batch.segments == Segments((2, 3, 2, 3, 3), (-1, 0, 1, 1, 0))
    assert batch.segments.above(3) == [0, 1]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6, 5, 6, 7, 2, 3, 4]]
    assert batch.places.tolist() == [4, 5, 4, 7, 8, 10, 11]
    assert batch.owners.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_a_filled_batch_learns_the_same():
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config())
    policy = Policy(model, FOREST)
    batch = pack(FOREST, 3)
    filled = batch.filled(16)
    assert (batch.ids.shape[1], filled.ids.shape[1], filled.tokens) == (25, 32, batch.tokens)
    assert (filled.segments.lengths[-1], filled.segments.parents[-1]) == (7, -1)
    assert filled.filled(16) is filled
    grads = []
    for each in (batch, filled):
        values = policy.logprobs(each)
        values.sum().backward()
        grads.append([p.grad.clone() for p in model.parameters()])
        model.zero_grad()
        torch.testing.assert_close(values, policy.logprobs(batch), atol=1e-6, rtol=1e-6)
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize(("rows", "columns"), [(37, 37), (5, 50), (64, 96)])
def test_attention_by_products_is_the_fused_one(rows, columns, window):
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, heads, length, 8, generator=generator)
        for heads, length in ((4, rows), (2, columns), (2, columns))
    )
    mask = attention._mask(rows, columns, window, torch.device("cpu"))
    wanted = scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)
    torch.testing.assert_close(attention._plain(query, key, value, window, 0.0, None), wanted)


def test_masks_are_kept_up_to_a_sum_of_bytes():
    attended = [(rows, 1000 + rows) for rows in range(400, 1100, 10)]
    for rows, columns in attended:
        query, key = torch.randn(1, 1, rows, 8), torch.randn(1, 1, columns, 8)
        attention._attend_segment(query, key, key, 0.0, None, None)
    kept = [tensor.nbytes for tensor in attention._kept._tensors.values()]
    assert sum(rows * columns for rows, columns in attended) > attention._KEPT_BYTES
    assert sum(kept) <= attention._kept.bytes <= attention._KEPT_BYTES
    assert attended[-1][0] * attended[-1][1] in kept


def test_what_is_kept_longest_unused_goes_first():
    kept, made = attention.Kept(3 * (100 + attention._OWN_BYTES)), []

    def make(number, size=100):
        made.append(number)
        return torch.zeros(size, dtype=torch.uint8)

    for number in (1, 2, 3, 1, 4, 1, 3, 2):
        kept.get(make, number)
    assert made == [1, 2, 3, 4, 2]
    before = kept.bytes
    for _ in range(2):
        kept.get(make, 5, 10_000)  # larger than the room
    assert (made[5:], kept.bytes) == ([5, 5], before)
    kept.clear()
    kept.get(make, 4)
    assert (made[7:], 0 < kept.bytes < before) == ([4], True)


def alone(model, row):
    """Log-probabilities of a row's trained tokens, straight from the definition."""
    logits = model(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0]
    values = torch.log_softmax(logits, -1)
    return [values[i - 1, row.ids[i]] for i in range(1, len(row.ids)) if row.mask[i]]


@pytest.mark.parametrize(
    ("architecture", "settings", "packed", "shape"),
    [
        ("qwen3", {}, True, PLAIN),
        ("llama", {"num_key_value_heads": 4, "tie_word_embeddings": False}, True, PLAIN),
        ("gemma", {}, True, PLAIN),
        (
            "gemma3_text",
            {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"]},
            True,
            PLAIN,
        ),
        ("mistral", {"sliding_window": 3}, True, PLAIN),
        ("granite", {"logits_scaling": 8.0}, True, Shape(1 / 8)),
        ("gemma2", {"sliding_window": 4, "attn_logit_softcapping": 0.5}, True, Shape(1.0, 30.0)),
    ],
)
@pytest.mark.parametrize("prefix", [0, 3])
def test_packed_is_as_alone(architecture, settings, packed, shape, prefix):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(architecture, **settings))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model.get_output_embeddings().weight.requires_grad_(False)
    policy = Policy(model, FOREST)
    assert (policy.packed, policy.shape) == (packed, shape)
    batch = pack(FOREST, prefix)
    found = policy.logprobs(batch)
    found.sum().backward()
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    model.zero_grad(set_to_none=True)
    policy.restore()
    wanted = torch.stack(list(chain(*(alone(model, row) for row in batch.rows))))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    wanted.sum().backward()
    for grad, parameter in zip(grads, model.parameters(), strict=True):
        if parameter.grad is not None:
            torch.testing.assert_close(grad, parameter.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("settings", [{}, {"sliding_window": 3}])
def test_attention_in_bf16_is_near_enough(settings):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config("mistral", **settings))
    exact, rounded = Policy(model, FOREST), Policy(model, FOREST, torch.bfloat16)
    batch = pack(FOREST, 2)
    torch.testing.assert_close(rounded.logprobs(batch), exact.logprobs(batch), atol=0.15, rtol=0)


def test_a_digest_tells_trees_apart_and_not_how_they_are_kept():
    row, small = Row("a", [5, 300, 7], [0, 0, 1]), compact("a", [5, 300, 7], [0, 0, 1])
    assert digest([Tree((row,))]) == digest([Tree((small,))])
    assert (list(small.ids), list(small.mask), small.trained, small.prompt) == (row.ids, row.mask, 1, 2)
    others = [
        Tree((row._replace(id="b"),)), Tree((row._replace(ids=[5, 300, 8]),)), Tree((row._replace(mask=[0, 1, 1]),)),
        Tree((row._replace(reference=-1.5),)), Tree((row,), desirable=False), Tree((row, row)),
        Tree((Row("a", [5, 300], [0, 0]),)),
    ]  # fmt: skip
    found = {digest([tree]) for tree in [Tree((row,)), *others]}
    assert len(found) == 8
    assert digest([Tree((row, row))]) != digest([Tree((row,)), Tree((row,))])


def test_rows_beside_the_shared_beginning_see_nothing_of_it():
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config())
    beside = [Row("d", [1, 5, 5, 2], [0, 0, 0, 1]), Row("e", [1, 7, 8, 2], [0, 1, 1, 1])]
    trees = [Tree((beside[0],)), *TREES, PAIR, Tree((beside[1],))]
    found = Policy(model, TREES[:2]).logprobs(pack(trees, 2))
    model.set_attn_implementation("sdpa")
    wanted = torch.stack([value for tree in trees for row in tree.rows for value in alone(model, row)])
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
