"""Strength: how far the weights go, what dev chooses, and that the saved adapter is the one chosen."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_run import SPEC, run

from tunewright.train.spec import TrainSpec
from tunewright.train.strength import Strength, Tried, between, choose, least, told


def test_between_scales_the_update_and_nothing_else():
    start = {"x.lora_A.w": torch.ones(2), "x.lora_B.w": torch.zeros(2), "x.magnitude": torch.full((2,), 4.0)}
    end = {
        "x.lora_A.w": torch.full((2,), 3.0),
        "x.lora_B.w": torch.ones(2),
        "x.magnitude": torch.full((2,), 8.0),
    }
    half = between(start, end, 0.5)
    assert {name: value.tolist() for name, value in half.items()} == {
        "x.lora_A.w": [3.0, 3.0],
        "x.lora_B.w": [0.5, 0.5],
        "x.magnitude": [6.0, 6.0],
    }
    assert all(torch.equal(value, end[name]) for name, value in between(start, end, 1.0).items())


def test_the_least_within_one_standard_error_of_the_best():
    losses = [(1.0, 0.30), (0.95, 0.20), (0.9, 0.22), (0.85, 0.26)]
    assert least([Tried(s, loss, 0.05) for s, loss in losses]) == 0.9
    assert least([Tried(s, loss, 0.0) for s, loss in losses]) == 0.95  # nothing to tell by: the best
    assert least([Tried(s, loss, 0.07) for s, loss in losses]) == 0.85


def test_a_search_stops_where_dev_tells_the_difference():
    weight = torch.nn.Parameter(torch.zeros(1))
    events = []

    def measure() -> list[
        float
    ]:  # best at 0.9; three parts of dev, hard ones last, that say different things of the rest
        far = (weight.item() - 0.9) ** 2
        return [far - 0.1 * abs(weight.item() - 0.9), 7 + far, 50 + far + 0.1 * abs(weight.item() - 0.9)]

    found = choose(
        {"w": weight}, {"w": torch.zeros(1)}, {"w": torch.ones(1)}, measure,
        lambda kind, **data: events.append((kind, data["strength"])),
    )  # fmt: skip
    assert found.value == 0.85  # 0.05² is within 0.05 / 10 / √3, and 0.1² not within twice that
    assert [one.strength for one in found.tried] == [1.0, 0.95, 0.9, 0.85, 0.8]
    assert events == [("train.strength", one.strength) for one in found.tried]
    assert found.words() == (
        "strength 0.85: the least that dev cannot tell from the best (dev loss 19.0025; best 19.0000 at 0.9; the difference"
        " is known to ± 0.0029)"
    )


@pytest.fixture(scope="module")
def whole(tiny_base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder, tiny_base)


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "out/adapter/adapter_model.safetensors")


def test_a_given_strength_scales_b(whole, tiny_base, tmp_path):
    folder, _ = whole
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"strength": 0.5}))
    assert (summary.strength, summary.strengths) == (0.5, ())
    for name, value in adapter(tmp_path).items():
        wanted = adapter(folder)[name]
        torch.testing.assert_close(value, wanted if "lora_A" in name else wanted / 2, atol=1e-7, rtol=1e-5)


def test_dev_chooses(whole, tiny_base, tmp_path):
    folder, _ = whole
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"strength": "auto"}))
    tried = [Tried(*one) for one in summary.strengths]
    assert summary.strength == least(tried)
    assert summary.chosen[-1] == Strength(summary.strength, tuple(tried)).words()
    # full strength is the run's own end, on the same dev rows
    assert tried[0].loss == pytest.approx(summary.best_dev_loss, rel=0.2)
    for name, value in adapter(tmp_path).items():
        wanted = adapter(folder)[name] * (1 if "lora_A" in name else summary.strength)
        torch.testing.assert_close(value, wanted, atol=1e-7, rtol=1e-5)
    assert json.loads((tmp_path / "out/train.json").read_text())["strength"] == summary.strength


def test_without_dev_it_goes_all_the_way(tiny_base, tmp_path):
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"strength": "auto"}), dev=[])
    assert (summary.strength, summary.strengths, summary.best_dev_loss) == (1.0, (), None)


@pytest.mark.parametrize("bad", [0, 1.5, "much"])
def test_a_bad_strength(bad):
    with pytest.raises(ValueError, match="strength"):
        TrainSpec(strength=bad)


def test_the_error_is_of_the_difference_on_the_same_rows():
    """Parts that are unevenly hard say nothing of it."""
    uneven = torch.tensor([0.1, 0.9, 5.0, 0.3], dtype=torch.float64)
    best, worse = told({1.0: uneven, 0.5: uneven + 0.15})
    assert (best.error, worse.error) == (0.0, pytest.approx(0.0, abs=1e-12))
    assert least([best, worse]) == 1.0
    unsure = told({1.0: uneven, 0.5: uneven + torch.tensor([0.3, -0.2, 0.2, -0.1])})
    assert unsure[1].error == pytest.approx(0.1190, abs=1e-3)
    assert least(unsure) == 0.5


def test_strengths_without_a_finite_loss_are_passed_over():
    weight = torch.nn.Parameter(torch.zeros(1))
    ends = ({"w": weight}, {"w": torch.zeros(1)}, {"w": torch.ones(1)})
    assert choose(*ends, lambda: [math.inf, 1.0], lambda *_, **__: None) == Strength(1.0)
    found = choose(*ends, lambda: [math.inf if weight > 0.97 else 1.0, 1.0], lambda *_, **__: None)
    assert [one.strength for one in found.tried][:2] == [0.95, 0.9]
    assert found.value == 0.5
