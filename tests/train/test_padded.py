"""Rows of a base that cannot be packed: filled up and side by side they are what they are one by one, there and back."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_heads import Bent
from test_pack import FOREST, PAIR, ROWS
from test_run import SPEC, Cut, contents, run
from transformers import AutoModelForCausalLM

from tiny import SINKS, make_config, save_model
from tunewright.models.base import resolve_base
from tunewright.train.logprobs import PLAIN, Shape
from tunewright.train.pack import Row, Tree, pack
from tunewright.train.padded import alike, pad
from tunewright.train.policy import Policy

MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 16}
BASES = {
    "mamba2": ({"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 2, "chunk_size": 16}, PLAIN),
    "rwkv": ({"attention_hidden_size": 32, "context_length": 64}, PLAIN),
    "falcon_h1": (MAMBA | {"mamba_d_ssm": 64, "lm_head_multiplier": 0.5}, Shape(0.5)),
    "bamba": (MAMBA | {"attn_layer_indices": [1]}, PLAIN),
    "jamba": (
        {"mamba_d_state": 4, "mamba_dt_rank": 4, "num_experts": 2, "num_experts_per_tok": 1, "attn_layer_period": 2,
         "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1},
        PLAIN,
    ),
    "lfm2": ({"layer_types": ["conv", "full_attention"]}, PLAIN),
    "recurrent_gemma": (
        {"lru_width": 32, "block_types": ["recurrent", "attention"], "attention_window_size": 8, "logits_soft_cap": 3.0},
        Shape(1.0, 3.0),
    ),
    "xlstm": ({"num_heads": 4, "num_blocks": 2, "output_logit_soft_cap": 3.0}, Shape(1.0, 3.0)),
    "gpt_oss": (SINKS | {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention"]}, PLAIN),
    "bloom": ({"n_head": 4, "n_layer": 2}, PLAIN),
}  # fmt: skip
"""State-space, convolution and hybrid layers; eager attention with sinks or with biased scores."""
TRAINED = {name: settings for name, (settings, _) in BASES.items()} | {
    "mamba": {"state_size": 4, "time_step_rank": 4, "use_mambapy": False},
    "falcon_mamba": {"state_size": 4, "time_step_rank": 4, "use_mambapy": False},
    "granitemoehybrid": MAMBA | {"layer_types": ["mamba", "attention"], "num_local_experts": 0},
}


def model_of(architecture, **settings):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(architecture, **settings)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def row(length, trained, beginning=()):
    drawn = random.Random(length)
    own = [drawn.randrange(5, 390) for _ in range(length - len(beginning))]
    return Row(f"{length}", [*beginning, *own], [0] * (length - trained) + [1] * trained)


PROMPT = tuple(range(30, 50))
TREES = [
    *(Tree((row(length, length // 3),)) for length in (6, 41, 17, 40, 9, 33)),
    Tree((row(26, 5, PROMPT), row(36, 15, PROMPT))),
    *FOREST,
]


@pytest.mark.parametrize("architecture", BASES)
def test_padded_is_as_one_by_one(architecture):
    settings, shape = BASES[architecture]
    model = model_of(architecture, **settings)
    policy = Policy(model, TREES[:2])
    assert (policy.layout, policy.shape) == ("padded", shape)
    batch = pack(TREES)

    def computed():
        values = policy.logprobs(batch)
        values.mean().backward()
        grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        model.zero_grad(set_to_none=True)
        return values.detach(), grads

    found, grads = computed()
    policy.layout = "alone"
    wanted, own = computed()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert grads.keys() == own.keys()
    for name, grad in own.items():
        torch.testing.assert_close(grads[name], grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        torch.cat([policy._alone(row) for row in batch.rows]), wanted, atol=1e-5, rtol=1e-5
    )


def test_rows_side_by_side():
    found = pad([ROWS[1], ROWS[0]])
    assert found.ids.tolist() == [[1, 7, 8, 30, 2, 0, 0], [1, 7, 8, 9, 20, 21, 2]]
    assert found.mask.tolist() == [[1, 1, 1, 1, 1, 0, 0], [1] * 7]
    assert found.places.tolist() == [2, 3, 10, 11, 12]
    assert found.labels.tolist() == [30, 2, 20, 21, 2]
    assert found.row_lengths().tolist() == [[5] * 7, [7] * 7]
    assert pad(ROWS[:1]).mask is None
    assert pad(ROWS[:1], 2).mask.tolist() == [[1] * 7 + [0] * 2]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_rows_are_filled_up_to_no_more_than_fits(lengths):
    groups = alike(lengths, 100)
    assert sorted(number for group in groups for number in group) == list(range(len(lengths)))
    assert all(len(group) * max(lengths[number] for number in group) <= 100 for group in groups)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_rows_of_about_one_length_go_together(lengths):
    groups = alike(lengths, 10_000)
    assert sorted(number for group in groups for number in group) == list(range(len(lengths)))
    for group in groups:
        longest = max(lengths[number] for number in group)
        assert longest * len(group) <= sum(lengths[number] for number in group) * 4 / 3
    assert len(groups) <= 16  # of lengths up to 60, each three quarters of the one before, or one less


def test_noise_is_by_each_rows_own_length():
    model = model_of("bloom", n_head=4, n_layer=2)
    noisy = Policy(model, TREES[:2], noise=5.0)
    seen = []
    model.transformer.word_embeddings_layernorm.register_forward_pre_hook(
        lambda _, given: seen.append(given[0])
    )
    model.train()
    rows = [row(length, 4) for length in (40, 31)]  # near enough to go together
    noisy.logprobs(pack([Tree((each,)) for each in rows]))
    (embedded,) = seen
    size = (embedded - model.get_input_embeddings()(pad(rows).ids)).abs().detach()
    most = 5.0 / (torch.tensor([40.0, 31.0]) * 32).sqrt()
    assert bool((size.amax((1, 2)) <= most * 1.0001).all())
    assert bool((size.mean((1, 2)) / most > 0.4).all())


def test_a_base_whose_rows_hang_on_those_beside_them_is_run_one_by_one():
    """What is proven is the result, whatever a layer does: here a row is given another one's."""
    model = model_of("bloom", n_head=4, n_layer=2)
    model.transformer.h[0].mlp.register_forward_hook(lambda _, __, out: out.roll(1, 0))
    policy = Policy(model, TREES[:2])
    assert policy.layout == "alone"
    batch = pack(TREES)
    wanted = torch.cat([policy._alone(row) for row in batch.rows])
    torch.testing.assert_close(policy.logprobs(batch), wanted, atol=1e-5, rtol=1e-5)


def test_a_head_of_another_kind_is_asked_row_by_row():
    model = model_of("gpt_oss", **SINKS, tie_word_embeddings=False)
    model.lm_head = Bent(32, 400, bias=False)
    policy = Policy(model, TREES[:2])
    assert (policy.layout, policy.shape) == ("alone", None)
    wanted = torch.cat([policy._alone(row) for row in (*ROWS, *PAIR.rows)])
    torch.testing.assert_close(policy.logprobs(pack(FOREST)), wanted, atol=1e-5, rtol=1e-5)


def test_a_base_that_parts_rows_by_their_positions_is_not_taken_for_one_that_takes_segments():
    """Its own mask keeps rows apart whose positions begin anew, and lets an answer see the one beside it."""
    settings = {
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 64,
    }
    policy = Policy(model_of("gpt_neo", **settings), TREES[3:5])
    assert policy.layout == "padded"
    batch = pack(TREES)
    wanted = torch.cat([policy._alone(row) for row in batch.rows])
    torch.testing.assert_close(policy.logprobs(batch), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", TRAINED)
def test_a_base_that_cannot_be_packed_is_trained_by_default(architecture, tmp_path):
    """Beside layers whose weights the base reads past an adapter (`out_proj`, `dt_proj`).

    A fresh xLSTM has gates of zero, behind which no gradient reaches `proj_down`; one that was ever trained has not.
    """
    folder = save_model(tmp_path / "base", architecture, **TRAINED[architecture])
    model_of(architecture, **TRAINED[architecture]).save_pretrained(folder)
    base = resolve_base(str(folder), tmp_path)
    summary = run(tmp_path, base, SPEC.model_copy(update={"epochs": 1, "batch_tokens": 512}))
    assert (summary.packed, summary.padded) == (False, True)
    assert [check.passed for check in summary.checks] == [True] * 4


@pytest.mark.parametrize("architecture", ["gpt_oss", "bamba", "lfm2"])
def test_cut_off_a_base_that_is_padded_ends_in_the_same_bytes(architecture, tmp_path):
    """Attention with sinks, state space, a convolution; cut before the first step, on the way and before the proofs."""
    folder = save_model(tmp_path / "base", architecture, **TRAINED[architecture])
    base = resolve_base(str(folder), tmp_path)
    summary = run(tmp_path / "whole", base)
    assert (summary.packed, summary.padded) == (False, True)
    for point, at in (("train.dev", 0), ("train.step", 5), ("train.check", 0)):

        def cut(kind, point=point, at=at, **facts):
            if kind == point and facts["step"] >= at:
                raise Cut

        with pytest.raises(Cut):
            run(tmp_path / "cut", base, emit=cut)
    run(tmp_path / "cut", base)
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")
