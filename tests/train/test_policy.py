"""The policy's noise (NEFTune), as much as the paper says, in training alone; and what it says where memory is short."""

import pytest
import torch
from test_pack import FOREST
from transformers import AutoModelForCausalLM

from tiny import make_config
from tunewright.core.errors import ModelError
from tunewright.core.example import ask
from tunewright.models import embedded
from tunewright.models.base import resolve_base
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.train.attention import Segments
from tunewright.train.logprobs import PLAIN
from tunewright.train.pack import Row, Tree, compact, pack, shared_prefix
from tunewright.train.policy import Policy


def policy(noise):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config())
    return Policy(model, FOREST[:2], noise=noise)


def test_row_lengths_are_those_of_the_longest_row_through_a_segment():
    #     0 ── 1 ── 2
    #     │    └─── 3
    #     └─── 4           5
    segments = Segments((3, 2, 5, 7, 1, 9), (-1, 0, 1, 1, 0, -1))
    assert segments.row_lengths() == [12, 12, 10, 12, 4, 9]


def test_noise_is_as_large_as_the_papers():
    noisy = policy(5.0)
    batch = pack(FOREST, shared_prefix(FOREST))
    seen = []
    table = noisy.model.get_input_embeddings()
    noisy.model.train()
    noisy.model.base_model.layers[0].register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    noisy.logprobs(batch)
    size = (seen[0] - table(batch.ids))[0].abs()
    lengths = torch.tensor(batch.segments.row_lengths()).repeat_interleave(
        torch.tensor(batch.segments.lengths)
    )
    most = 5.0 / (lengths * table.embedding_dim).sqrt()
    share = size / most[:, None]
    assert share.max() <= 1.0001
    assert 0.4 < share.mean() < 0.6  # uniform


def test_without_training_there_is_none():
    noisy, plain = policy(5.0), policy(0.0)
    batch = pack(FOREST, shared_prefix(FOREST))
    for each in (noisy, plain):
        each.model.eval()
    assert torch.equal(noisy.logprobs(batch), plain.logprobs(batch))
    noisy.model.train()
    assert not torch.equal(noisy.logprobs(batch), plain.logprobs(batch))
    noisy.model.eval()
    assert torch.equal(noisy.logprobs(batch), plain.logprobs(batch))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("no"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_too_little_memory_is_not_the_bases_fault(tiny_base, error):
    """What the machine says of its memory is passed on, and no slower way is tried."""
    trees = [Tree((Row("a", [1, 7, 8, 9, 2], [0, 0, 1, 1, 1]),))] * 2
    model = load_model(tiny_base)
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise error

    model.get_input_embeddings().register_forward_pre_hook(refuse)
    with pytest.raises(ModelError, match="not enough memory for two rows"):
        Policy(model, trees)
    assert len(asked) == 1


def test_a_way_proven_in_exact_numbers_is_taken_where_rounding_looks_like_another_result():
    """Prompts longer than any that the base was trained on: answers are unlikely, and bf16 moves them."""
    base = resolve_base("embedded", embedded.PATH)
    words = Renderer(load_tokenizer(base))
    rule = " ".join(f"label_{n}_of_many" for n in range(150))
    talks = [ask(f"What is {n}?", f"label_{n * 37 % 150}_of_many", system=rule) for n in range(4)]
    trees = [Tree((compact(str(n), *words.training(talk)),)) for n, talk in enumerate(talks)]
    model = load_model(base)
    exact = Policy(model, trees, torch.float32)
    exact.restore()
    rounded = Policy(model, trees, torch.bfloat16, proven=exact)
    assert (exact.packed, rounded.packed, rounded.shape) == (True, True, PLAIN)
    batch = pack(trees, shared_prefix(trees))
    assert batch.ids.shape[1] < sum(tree.tokens for tree in trees) / 2
    with torch.no_grad():
        assert (exact.logprobs(batch) - rounded.logprobs(batch)).abs().mean() < 0.3


def test_rows_whose_own_gradient_is_no_number_are_named():
    """Their loss is one: a token's embedding passes numbers on and none back."""
    found = policy(0.0)
    trees = [
        Tree((Row(name, [1, 5, token, 7, 8], [0, 0, 0, 1, 1]),))
        for name, token in zip("abcde", range(20, 25), strict=True)
    ]
    batches = [pack(trees[:3]), pack(trees[3:])]

    def mute(_, args, embedded):
        bad = torch.isin(args[0], torch.tensor([23, 24]))[..., None]
        embedded.register_hook(lambda slope: slope.masked_fill(bad, torch.nan))

    found.model.get_input_embeddings().register_forward_hook(mute)
    weights = [found.model.get_input_embeddings().weight]

    def loss(batch):
        return -found.logprobs(batch).sum()

    assert bool(loss(batches[0]).isfinite())
    assert found.unsound(batches, loss, weights, 5) == ["d", "e"]
    assert found.unsound(batches, loss, weights, 1) == ["d"]
    assert found.unsound(batches[:1], loss, weights, 5) == []
    assert weights[0].grad is None
