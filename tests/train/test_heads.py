"""Heads that do more than multiply: biased, scaled, capped. Their log-probabilities are the model's own, there and back."""

import pytest
import torch
from test_pack import FOREST, alone
from torch import nn
from transformers import AutoModelForCausalLM

from tiny import SINKS, make_config
from tunewright.core.errors import ModelError
from tunewright.train.logprobs import PLAIN, Shape
from tunewright.train.pack import pack
from tunewright.train.policy import Policy, shapes

HEADS = [
    ("phi", {}, PLAIN),  # its head has a bias
    ("granite", {"logits_scaling": 8.0}, Shape(1 / 8)),
    ("hyperclovax", {"logits_scaling": 0.25, "attention_multiplier": 0.3}, Shape(0.25)),
    ("cohere", {"logit_scale": 0.0625}, Shape(0.0625)),
    ("cohere2", {"logit_scale": 0.25, "sliding_window": 4}, Shape(0.25)),
    (
        "minicpm3",
        {"scale_emb": 2, "dim_model_base": 8, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_nope_head_dim": 8,
         "qk_rope_head_dim": 8, "v_head_dim": 8, "num_key_value_heads": 4},
        Shape(1 / 4),
    ),
    ("gemma2", {"final_logit_softcapping": 3.0, "sliding_window": 4}, Shape(1.0, 3.0)),
    ("gemma3_text", {"final_logit_softcapping": 3.0}, Shape(1.0, 3.0)),
]  # fmt: skip


@pytest.mark.parametrize("trained_head", [False, True])
@pytest.mark.parametrize(("architecture", "settings", "shape"), HEADS, ids=[name for name, *_ in HEADS])
def test_a_heads_log_probabilities_are_the_models(architecture, settings, shape, trained_head):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(architecture, **settings))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model.get_output_embeddings().requires_grad_(trained_head)
    policy = Policy(model, FOREST)
    assert (policy.packed, policy.shape) == (True, shape)
    found = policy.logprobs(pack(FOREST, 3))
    found.mean().backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    policy.restore()
    wanted = torch.stack([value for tree in FOREST for row in tree.rows for value in alone(model, row)])
    wanted.mean().backward()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    own = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert own.keys() == grads.keys()
    for name, grad in own.items():
        torch.testing.assert_close(grads[name], grad, atol=1e-5, rtol=1e-3)


def test_a_configurations_shapes():
    config = make_config("gemma2", final_logit_softcapping=30.0)
    assert shapes(config) == [Shape(1.0, 30.0), PLAIN]
    assert shapes(make_config()) == [PLAIN]
    for name, value, scales in (
        ("logits_scaling", 8.0, [0.125, 8.0]),
        ("logit_scale", 0.25, [0.25]),
        ("lm_head_multiplier", 0.5, [0.5]),
    ):
        assert shapes(make_config(**{name: value})) == [*map(Shape, scales), PLAIN]


class Bent(nn.Linear):
    """A head that no configuration tells of."""

    def forward(self, x):
        return super().forward(x) * torch.linspace(0.5, 2.0, self.out_features)


def test_a_head_of_another_kind_is_asked_itself():
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(tie_word_embeddings=False))
    model.lm_head = Bent(32, 400, bias=False)
    policy = Policy(model, FOREST)
    assert (policy.packed, policy.shape) == (True, None)
    found = policy.logprobs(pack(FOREST, 3))
    policy.restore()
    wanted = torch.stack([value for tree in FOREST for row in tree.rows for value in alone(model, row)])
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_a_model_whose_results_hang_on_chance_is_refused():
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config())
    model.model.layers[0].register_forward_hook(lambda _, __, out: out + torch.randn_like(out))
    with pytest.raises(ModelError, match="other results in training than alone"):
        Policy(model, FOREST)


def test_what_a_refused_base_says_is_told():
    """A shape that does not meet another: its kind and its first line stand in the sentence."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config("gptj", rotary_dim=8))
    model.transformer.h[0].attn.rotary_dim = 6
    with pytest.raises(
        ModelError, match=r"than alone \(RuntimeError: The size of tensor a [^\n]*\)\. Choose"
    ):
        Policy(model, FOREST)


def test_what_a_way_said_that_packs_is_not_told_of_one_that_does_not():
    """The reason why rows cannot be packed is no reason why the model is refused row by row."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config("gpt_oss", **SINKS))
    model.model.layers[0].register_forward_hook(lambda _, __, out: out + torch.randn_like(out))
    with pytest.raises(ModelError, match=r"than alone\. Choose"):
        Policy(model, FOREST)
