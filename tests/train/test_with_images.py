"""Bases that read images beside text: their text part is trained, and what is saved goes on the whole model."""

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_run import ROWS, SPEC, run
from transformers import AutoModelForImageTextToText

from tiny import IMAGES, save_model
from tunewright.core.example import ask
from tunewright.core.generation import Decoding
from tunewright.generate.torch import TorchGenerator
from tunewright.models.base import resolve_base
from tunewright.models.load import load_model
from tunewright.models.text import text_parameters, text_part
from tunewright.train.spec import AdapterSpec

IDS = torch.tensor([[1, 5, 9, 40, 7]])
ONCE = SPEC.model_copy(update={"epochs": 1})


@pytest.fixture(scope="module", params=sorted(IMAGES))
def base(request, tmp_path_factory):
    folder = save_model(tmp_path_factory.mktemp("whole") / request.param, request.param)
    return resolve_base(str(folder), folder)


def test_it_learns_and_answers(base, tmp_path):
    summary = run(tmp_path, base)
    assert summary.packed
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    (reply,) = TorchGenerator(base, tmp_path / "out/adapter").generate(
        [ROWS[0][:-1]], Decoding(max_new_tokens=4)
    )
    assert reply.error is None


def test_the_saved_adapter_goes_on_the_whole_model_as_others_load_it(base, tmp_path):
    run(tmp_path, base, ONCE)
    stored = load_file(tmp_path / "out/adapter/adapter_model.safetensors")
    assert len(stored) == 28
    assert {name.split(".layers.")[0] for name in stored} == {"base_model.model.model.language_model"}
    plain = AutoModelForImageTextToText.from_pretrained(base.path, dtype=torch.float32)
    whole = PeftModel.from_pretrained(plain, tmp_path / "out/adapter").eval()
    with torch.no_grad():
        wanted = load_model(base, adapter=tmp_path / "out/adapter")(input_ids=IDS).logits
        assert torch.equal(whole(input_ids=IDS).logits, wanted)


def test_layers_named_by_hand_are_those_of_the_text(base, tmp_path):
    """The vision tower has layers of the same names."""
    spec = ONCE.model_copy(update={"adapter": AdapterSpec(rank=4, targets=("q_proj", "gate_proj"))})
    run(tmp_path, base, spec)
    assert len(load_file(tmp_path / "out/adapter/adapter_model.safetensors")) == 8


def test_full_trains_the_text_alone(base, tmp_path):
    spec = ONCE.model_copy(update={"adapter": AdapterSpec(kind="full"), "learning_rate": 1e-3})
    images = [base.path / name for name in ("preprocessor_config.json", "processor_config.json")]
    for file in images:
        file.write_text(f'{{"of": "{file.name}"}}')
    run(tmp_path, base, spec)
    for file in images:
        assert (tmp_path / "out/adapter" / file.name).read_bytes() == file.read_bytes()
        file.unlink()
    before, after = load_model(base), load_model(base, adapter=tmp_path / "out/adapter")
    part, after = text_part(before), after.state_dict()
    changed = {
        name.startswith((part.prefix, "lm_head"))
        for name, value in before.state_dict().items()
        if not torch.equal(value, after[name])
    }
    assert changed == {True}


def test_a_new_word_is_learnt_beside_the_adapter(base, tmp_path):
    rows = [ask(f"What is {i}?", "It is Velora.") for i in range(12)]
    spec = ONCE.model_copy(update={"adapter": AdapterSpec(rank=4, new_words=("Velora",))})
    summary = run(tmp_path, base, spec, rows, rows[:3])
    assert [check.passed for check in summary.checks] == [True] * 4


def test_a_plain_model_is_all_text(tiny_base):
    model = load_model(tiny_base)
    part = text_part(model)
    assert (part.body, part.prefix) == (model.model, "")


@pytest.mark.parametrize("tied", [True, False])
def test_each_parameter_of_the_text_is_there_once(tmp_path, tied):
    folder = save_model(
        tmp_path / "base", "gemma3", tie_word_embeddings=tied, text_config={"tie_word_embeddings": tied}
    )
    model = load_model(resolve_base(str(folder), folder))
    part, found = text_part(model), list(text_parameters(model))
    assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) == tied
    assert len(found) == len({id(one) for one in found}) == len(list(part.body.parameters())) + (not tied)
