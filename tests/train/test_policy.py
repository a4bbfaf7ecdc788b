"""The policy's noise (NEFTune), as much as the paper says, in training alone; and what it says where memory is short."""

from contextlib import nullcontext

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
from tunewright.train.fast import fast_layers
from tunewright.train.logprobs import PLAIN
from tunewright.train.lora import add_adapter
from tunewright.train.pack import Row, Tree, compact, pack, shared_prefix
from tunewright.train.policy import Policy
from tunewright.train.spec import SettledAdapter


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


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("targets", "way"),
    [("all-linear", "[down_proj, gate_proj, k_proj, q_proj, up_proj, v_proj]"), (("o_proj",), None)],
)
def test_a_base_that_reads_past_an_adapter_says_which_target_to_leave_out(tiny_base, fast, targets, way):
    """An attribute that the base's layer has and the adapter's has not."""
    model = add_adapter(
        load_model(tiny_base, device="cpu"), SettledAdapter(rank=4, targets=targets), tiny_base, 0
    )
    block = model.get_base_model().model.layers[1].self_attn
    block.register_forward_pre_hook(lambda module, _: module.o_proj.shape_of_old)
    with fast_layers(model, torch.float32) if fast else nullcontext(), pytest.raises(ModelError) as caught:
        Policy(model, FOREST[:2])
    said = str(caught.value)
    assert said.startswith(
        "train.adapter.targets: The base uses its layer o_proj in a way that no adapter on it"
    )
    assert said.endswith(f"Leave it out: train.adapter.targets: {way}." if way else "Choose another base.")


def test_a_base_that_fails_by_itself_is_not_blamed_on_the_adapter(tiny_base):
    model = add_adapter(load_model(tiny_base, device="cpu"), SettledAdapter(rank=4), tiny_base, 0)
    model.get_base_model().model.layers[1].register_forward_pre_hook(lambda module, _: module.shape_of_old)
    with pytest.raises(ModelError, match=r"other results in training than alone .* Choose another base"):
        Policy(model, FOREST[:2])


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
