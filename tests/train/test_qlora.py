"""QLoRA beside what it is used with: preferences, new words, and the merge into the base in full."""

from importlib.util import find_spec

import pytest
import torch
from test_run import ROWS, SPEC, run

from tunewright.core.example import make_example
from tunewright.generate.torch import load_for_inference
from tunewright.models.load import load_model, load_tokenizer, put_adapter
from tunewright.train.spec import AdapterSpec

pytestmark = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
IDS = torch.arange(5, 69)[None]


def spec_of(**more):
    adapter = AdapterSpec(kind="qlora", rank=4, **more.pop("adapter", {}))
    return SPEC.model_copy(update={"adapter": adapter, **more})


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits


@pytest.mark.parametrize("method", ["dpo", "orpo", "kto"])
def test_preferences_are_learnt_over_four_bits(tiny_base, tmp_path, method):
    rows = [
        make_example(row, desirable=bool(number % 3))
        if method == "kto"
        else make_example(row, rejected="The fox is red.")
        for number, row in enumerate(ROWS)
    ]
    summary = run(tmp_path, tiny_base, spec_of(method=method), rows[:20], rows[20:])
    assert summary.best_dev_loss < summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4


def test_new_words_are_learnt_over_four_bits(tiny_base, tmp_path):
    rows = [
        make_example((*row[:-1], row[-1].model_copy(update={"content": "It is Velora."}))) for row in ROWS
    ]
    spec = spec_of(adapter={"new_words": ("Velora",)})
    summary = run(tmp_path, tiny_base, spec, rows[:20], rows[20:])
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    assert load_tokenizer(tiny_base, tmp_path / "out/adapter").convert_tokens_to_ids("Velora") == 400


def test_merging_into_the_whole_base_changes_no_more_than_four_bits_did(tiny_base, tmp_path):
    """What was trained over four bits says something else over the base in full: as far off as the bare bases are."""
    run(tmp_path, tiny_base, spec_of())
    folder = tmp_path / "out/adapter"
    whole, packed = load_model(tiny_base), load_model(tiny_base, four_bit=True)
    bare = (logits(whole) - logits(packed)).norm() / logits(whole).norm()
    merged = logits(load_for_inference(tiny_base, folder))
    trained = logits(put_adapter(packed, folder))
    assert (merged - trained).norm() <= 1.5 * bare * merged.norm()
    assert not torch.equal(merged, trained)
