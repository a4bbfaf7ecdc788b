"""Bases of experts: their stacked weights get an adapter too, which is saved, loaded and merged like any other."""

import warnings

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_run import ROWS, SPEC, run
from transformers import AutoModelForCausalLM

from tiny import SINKS, save_model
from tunewright.core.errors import ModelError
from tunewright.core.example import make_example
from tunewright.generate.torch import load_for_inference
from tunewright.models.base import resolve_base
from tunewright.models.load import load_model
from tunewright.train.fast import without_adapter
from tunewright.train.lora import add_adapter
from tunewright.train.served import serving_warnings
from tunewright.train.spec import AdapterSpec, SettledAdapter
from tunewright.train.untouched import Experts, stacked_experts, untouched_experts
from tunewright.train.weights import prepare, trained

SETTINGS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
ONCE = SPEC.model_copy(update={"epochs": 1, "adapter": AdapterSpec(rank=4)})
IDS = torch.tensor([[1, 5, 9, 40, 7]])


def logits(model):
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = save_model(tmp_path_factory.mktemp("experts") / "base", "qwen3_moe", **SETTINGS)
    return resolve_base(str(folder), folder)


def test_experts_learn_and_go_on_the_base_as_others_load_it(base, tmp_path):
    summary = run(tmp_path, base, ONCE)
    assert summary.packed
    assert [check.passed for check in summary.checks] == [True] * 4
    folder = tmp_path / "out/adapter"
    stored = load_file(folder / "adapter_model.safetensors")
    assert len([name for name in stored if ".experts." in name]) == 8
    plain = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PEFT's, on transformers' names and its own
        theirs = PeftModel.from_pretrained(plain, folder)
    ours = logits(load_model(base, adapter=folder))
    assert torch.equal(logits(theirs), ours)
    merged = load_for_inference(base, folder)
    assert not hasattr(merged, "peft_config")
    torch.testing.assert_close(logits(merged), ours, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_the_reference_is_the_base_without_them(base, tmp_path, method):
    rejected = "The fox." if method == "dpo" else None
    rows = [
        make_example(row, rejected=rejected, desirable=bool(number % 2) if method == "kto" else None)
        for number, row in enumerate(ROWS[:8])
    ]
    summary = run(tmp_path, base, ONCE.model_copy(update={"method": method}), rows, rows[:2])
    assert [check.passed for check in summary.checks] == [True] * 4


def test_without_its_adapter_it_is_the_base(base):
    model = prepare(base, SettledAdapter(rank=4), torch.device("cpu"), 0, torch.float32)
    for parameter in trained(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    wanted = logits(load_model(base))
    assert not torch.equal(logits(model), wanted)
    with without_adapter(model):
        assert torch.equal(logits(model), wanted)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"kind": "dora"}, "kind"),
        ({"kind": "pissa"}, "kind"),
        ({"dropout": 0.1}, "dropout"),
        ({"dora": True}, "dora"),
    ],
)
def test_what_cannot_be_put_on_stacked_experts(base, given, where):
    with pytest.raises(
        ModelError, match=r"experts are stacked in one tensor, which \w+ cannot be put on"
    ) as caught:
        add_adapter(load_model(base), SettledAdapter(rank=4, **given), base, seed=0)
    assert caught.value.where == f"train.adapter.{where}"
    attention = SettledAdapter(rank=4, targets=("q_proj", "k_proj", "v_proj", "o_proj"), **given)
    assert add_adapter(load_model(base), attention, base, seed=0)


def test_experts_that_get_no_adapter_are_told(base, tiny_base, tmp_path):
    spec = SettledAdapter(rank=4)
    assert stacked_experts(spec, base) == Experts(times=2, share=0, first="")
    assert stacked_experts(spec, tiny_base) is None
    assert untouched_experts(spec, stacked_experts(spec, base)) == untouched_experts(spec, None) == []
    folder = save_model(tmp_path / "base", "gpt_oss", **SINKS)
    bare = resolve_base(str(folder), folder)
    (problem,) = untouched_experts(spec, stacked_experts(spec, bare))
    model = load_model(bare)
    experts = sum(
        value.numel() for name, value in model.named_parameters() if name.endswith("experts.gate_up_proj")
    )
    experts += sum(
        value.numel() for name, value in model.named_parameters() if name.endswith("experts.down_proj")
    )
    share = experts / sum(value.numel() for value in model.parameters())
    assert problem.message == (
        f"{share:.0%} of the base's weights get no adapter: those of its experts, which are stacked"
        " (model.layers.0.mlp.experts.gate_up_proj)"
    )
    assert problem.where == "train.adapter.targets"
    for other in (SettledAdapter(rank=4, targets=("q_proj",)), SettledAdapter(kind="full", rank=0)):
        assert untouched_experts(other, stacked_experts(other, bare)) == []


def test_nothing_random_is_used_up(base):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    stacked_experts(SettledAdapter(rank=4), base)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("rank", "asked"), [(8, None), (9, 32), (16, 32), (64, 128)])
def test_an_engine_is_told_of_stacked_experts_and_of_the_highest_rank_on_them(base, rank, asked):
    """PEFT gives two projections that are one tensor twice the rank, and vLLM looks at the highest."""
    spec = SettledAdapter(rank=rank)
    tuned = add_adapter(load_model(base), spec, base, seed=0)
    assert set(tuned.peft_config["default"].rank_pattern.values()) == {2 * rank}
    found = serving_warnings(spec, stacked_experts(spec, base))
    assert [problem.where for problem in found] == ["train.adapter.targets", "train.adapter.rank"][
        : 2 if asked else 1
    ]
    assert "is_3d_lora_weight" in found[0].message
    if asked:
        assert f"rank {2 * rank} only where it is started with --max-lora-rank {asked} or" in found[1].message
        assert "set the rank to 8 or less" in found[1].fix
    attention = SettledAdapter(rank=8, targets=("q_proj", "k_proj", "v_proj", "o_proj"))
    assert serving_warnings(attention, stacked_experts(attention, base)) == []


def test_where_experts_get_none_an_engine_takes_the_adapter(tmp_path):
    folder = save_model(tmp_path / "base", "gpt_oss", **SINKS)
    bare, spec = resolve_base(str(folder), folder), SettledAdapter(rank=16)
    assert serving_warnings(spec, stacked_experts(spec, bare)) == []
