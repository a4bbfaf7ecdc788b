"""Layouts: what a batch costs is what goes through the model, and what is too much at once is a pass for each group."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_padded import BASES, model_of, row

from tunewright.train import layout
from tunewright.train.layout import Cost, Laying, laid
from tunewright.train.pack import Row, Size, Tree, pack
from tunewright.train.policy import Policy
from tunewright.train.shelf import Shelf, Shelves, sizes_of

LENGTHS = st.lists(st.lists(st.integers(2, 30), min_size=1, max_size=3), min_size=1, max_size=30)
PROMPT = tuple(range(30, 60))
PAIR = Tree((row(38, 5, PROMPT), row(52, 15, PROMPT)))


def trees_of(lengths):
    return [Tree(tuple(Row("", [5] * n, [0] * (n - 1) + [1]) for n in rows)) for rows in lengths]


@given(LENGTHS, st.integers(1, 90))
def test_a_padded_batch_counts_what_fills_its_rows_up(lengths, limit):
    trees, laying = trees_of(lengths), laid("padded", "cpu")
    groups = laying.cut(sizes_of(trees), range(len(trees)), limit)
    assert sorted(index for group in groups for index in group) == list(range(len(trees)))
    longest = [[max(lengths[index]) for index in group] for group in groups]
    assert [size for group in longest for size in group] == sorted(map(max, lengths))
    for group, sizes in zip(groups, longest, strict=True):
        rows = sum(len(lengths[index]) for index in group)
        assert len(group) == 1 or rows * max(sizes) <= limit
    cut = laying.batches(trees, range(len(trees)), 0, limit)
    assert [batch.trees for batch in cut] == [tuple(trees[index] for index in group) for group in groups]


@given(LENGTHS, st.integers(1, 90))
def test_rows_alone_count_themselves(lengths, limit):
    laying, sizes = laid("alone", "cpu"), sizes_of(trees_of(lengths))
    groups = laying.cut(sizes, range(len(sizes)), limit)
    assert [index for group in groups for index in group] == list(range(len(sizes)))
    for group in groups:
        assert len(group) == 1 or laying.cost([sizes[index] for index in group]).tokens <= limit


def test_costs_by_hand():
    pair, single = PAIR.size, Size(40, (40,))
    assert pair == Size(60, (38, 52))
    assert laid("packed", "cpu").cost([pair, single]) == Cost(100, 100)
    assert laid("alone", "cpu").cost([pair, single]) == Cost(130, 130)
    # 52 and 40 side by side, for 40 is three quarters of 52 at least; 38 is not
    assert laid("padded", "cpu").cost([pair, single]) == Cost(2 * 52 + 38, 142)
    assert Cost(142, 142).work == 142


def test_what_is_too_much_at_once_is_computed_twice():
    sizes = [Size(60, (38, 52))]
    assert Laying("padded", 80).cost(sizes) == Laying("alone", 80).cost(sizes) == Cost(90, 52)
    assert Laying("alone", 90).cost(sizes) == Cost(90, 90)
    assert Cost(90, 52).work == 135


def test_general_rows_are_in_batches_of_their_own():
    trees = trees_of([[4], [5], [6]])
    trees[1] = trees[1]._replace(rehearses=True)
    for kind in ("packed", "padded", "alone"):
        assert laid(kind, "cpu").cut(sizes_of(trees), [2, 1, 0], 100) in ([[2, 0], [1]], [[0, 2], [1]])


@pytest.mark.parametrize("kind", ["packed", "padded", "alone"])
def test_a_shelf_knows_what_its_trees_cost(kind, tmp_path):
    drawn = random.Random(3)
    trees = trees_of([[drawn.randrange(3, 30) for _ in range(drawn.randrange(1, 3))] for _ in range(40)])
    trees[7] = trees[7]._replace(rehearses=True)
    shelves = Shelves(Shelf(trees[:25], tmp_path), Shelf(trees[25:], tmp_path))
    known, seen = sizes_of(shelves), [tree.size for tree in trees]
    assert [(size.tokens, [*size.rows], size.rehearses) for size in known] == [
        (size.tokens, [*size.rows], size.rehearses) for size in seen
    ]
    laying = laid(kind, "cpu")
    assert laying.cut(known, range(40), 90) == laying.cut(seen, range(40), 90)
    assert laying.tokens(known, range(40), 90) == laying.tokens(seen, range(40), 90)


@pytest.mark.parametrize("architecture", ["mamba2", "gpt_oss", "bloom"])
@pytest.mark.parametrize("kind", ["padded", "alone"])
def test_passes_of_their_own_add_to_the_same_step(architecture, kind, monkeypatch):
    """A pair that is too much at once: one row at a time, computed again backward; with dropout drawn the same."""
    settings, _ = BASES[architecture]
    model = model_of(architecture, **settings)
    policy = Policy(model, [PAIR, PAIR])
    policy.layout = kind
    batch = pack([PAIR])
    passes = []

    def computed(most):
        monkeypatch.setattr(layout, "_TOGETHER", {"cpu": most})
        torch.manual_seed(0)
        passes.append(0)
        values = policy.row_logprobs(batch)
        loss = -torch.nn.functional.logsigmoid(values[0] - values[1])
        loss.backward()
        grads = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        model.zero_grad(set_to_none=True)
        return float(loss.detach()), grads

    policy._body.register_forward_hook(lambda *_: passes.__setitem__(-1, passes[-1] + 1))
    model.train()
    loss, grads = computed(1000)
    again, others = computed(80)
    assert passes == [2, 4]
    assert again == pytest.approx(loss, rel=1e-6)
    assert (others - grads).norm() <= 1e-5 * grads.norm()
