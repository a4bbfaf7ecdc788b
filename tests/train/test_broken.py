"""A loss that is no number: which weights are kept then, and what is said."""

import json
import math

import pytest
from safetensors.torch import load_file, save_file
from test_run import ROWS, SPEC, Cut, contents, run

from tiny import save_model
from tunewright.core.errors import GateError
from tunewright.core.example import ask, make_example
from tunewright.models.base import resolve_base
from tunewright.models.load import load_tokenizer
from tunewright.train import weights

DEAF = "Q"
"""A letter that one row has, and whose embedding is no number."""


@pytest.fixture(scope="module")
def deaf_base(tmp_path_factory):
    """A base that gives no number where it reads one letter."""
    folder = save_model(tmp_path_factory.mktemp("deaf") / "base", tie_word_embeddings=False)
    stored = load_file(folder / "model.safetensors")
    base = resolve_base(str(folder), folder)
    (token,) = load_tokenizer(base)(DEAF, add_special_tokens=False)["input_ids"]
    stored["model.embed_tokens.weight"][token] = math.nan
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    return resolve_base(str(folder), folder)


BREAKS = [*ROWS[:19], ask(f"What is {DEAF}?", "red")]


@pytest.mark.parametrize("dev", [ROWS[20:], []], ids=["dev", "no dev"])
def test_a_loss_that_is_no_number_before_any_look_keeps_the_last_weights(deaf_base, tmp_path, dev):
    spec = SPEC.model_copy(update={"dev_every": 1000, "clip": 1.0})
    summary = run(tmp_path / "whole", deaf_base, spec, rows=BREAKS, dev=dev)
    assert summary.stop_reason == "diverged"
    assert 0 < summary.best_step == summary.steps < summary.steps_planned
    assert (summary.best_dev_loss is None) == (not dev)
    if dev:
        assert summary.best_dev_loss < summary.first_dev_loss
    (said,) = summary.warnings
    assert f"broke down at step {summary.steps + 1}: the loss is no number" in said
    assert make_example(BREAKS[-1]).id in said
    assert f"the weights of step {summary.steps}, the last one before, are kept" in said
    assert "train.precision to fp32" in said
    assert all(check.passed for check in summary.checks)

    def cut(kind, **data):
        if kind == "train.trouble":
            raise Cut

    with pytest.raises(Cut):
        run(tmp_path / "cut", deaf_base, spec, rows=BREAKS, dev=dev, emit=cut)
    run(tmp_path / "cut", deaf_base, spec, rows=BREAKS, dev=dev)
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")


def test_a_loss_that_is_no_number_after_a_look_keeps_the_best_on_dev(deaf_base, tmp_path):
    summary = run(tmp_path, deaf_base, SPEC.model_copy(update={"dev_every": 1}), rows=BREAKS)
    dev = json.loads((tmp_path / "out/history.json").read_text())["dev"]
    best = min(dev[1:], key=lambda line: line["loss"])
    assert summary.stop_reason == "diverged"
    assert (summary.best_step, summary.best_dev_loss) == (best["step"], best["loss"])
    assert f"the weights of step {best['step']} are kept" in summary.warnings[-1]
    assert "train.clip" in summary.warnings[-1]


def test_a_gradient_that_is_no_number_names_the_rows_that_have_none(tiny_base, tmp_path, monkeypatch):
    """Their losses are numbers, and other rows are less likely."""
    (token,) = load_tokenizer(tiny_base)(DEAF, add_special_tokens=False)["input_ids"]
    prepare = weights.prepare

    def mute(_, args, embedded):
        if embedded.requires_grad:
            bad = (args[0] == token)[..., None]
            embedded.register_hook(lambda slope: slope.masked_fill(bad, math.nan))

    def muted(*given):
        model = prepare(*given)
        model.get_base_model().model.layers[1].register_forward_pre_hook(
            lambda _, hidden: mute(_, (seen[-1],), hidden[0])
        )
        model.get_input_embeddings().register_forward_hook(lambda _, args, __: seen.append(args[0]))
        return model

    seen = []
    monkeypatch.setattr(weights, "prepare", muted)
    summary = run(tmp_path, tiny_base, SPEC, rows=BREAKS, dev=[])
    assert "the gradient is no number" in summary.warnings[-1]
    assert f"rows {make_example(BREAKS[-1]).id};" in summary.warnings[-1]


@pytest.mark.parametrize("dev", [ROWS[20:], []], ids=["dev", "no dev"])
def test_weights_that_give_no_number_are_not_kept(tiny_base, tmp_path, dev):
    """Finite, but so large that no row has a loss any more."""
    spec = SPEC.model_copy(update={"learning_rate": 1e30, "clip": 1e30, "warmup": 0.0, "dev_every": 1000})
    with pytest.raises(GateError, match=r"broke down at step 2: the loss is no number"):
        run(tmp_path, tiny_base, spec, dev=dev)
