"""The learning rate of each step, clipping and weight decay."""

import pytest
import torch

from tunewright.train.optimizer import Optimizer, learning_rate
from tunewright.train.spec import TrainSpec


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [
        ("cosine", [0.5, 1.0, 1.0, 0.8535534, 0.5, 0.1464466]),
        ("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_six_steps_of_which_two_warm_up(schedule: str, wanted: list[float]) -> None:
    spec = TrainSpec(learning_rate=1.0, warmup=0.3, schedule=schedule)
    assert [learning_rate(spec, step, 6) for step in range(6)] == pytest.approx(wanted)


def test_wsd_goes_down_in_the_last_fifth() -> None:
    spec = TrainSpec(learning_rate=1.0, warmup=0.0, schedule="wsd")
    rates = [learning_rate(spec, step, 20) for step in range(20)]
    assert rates[:17] == pytest.approx([1.0] * 17)
    assert rates[17:] == pytest.approx([0.75, 0.5, 0.25])


START = {"a.lora_A": [1.0, -2.0], "a.lora_B": [0.5]}
GRADS = {"a.lora_A": [3.0, 0.0], "a.lora_B": [-4.0]}
"""Their norm is 5."""


def stepped(steps: int = 1, **settings: object) -> dict[str, list[float]]:
    """The parameters after steps at a rate of 0.1 with the same gradients."""
    parameters = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in START.items()}
    optimizer = Optimizer(parameters, TrainSpec(learning_rate=0.1, **settings))
    for _ in range(steps):
        for name, value in GRADS.items():
            parameters[name].grad = torch.tensor(value)
        norms = optimizer.norms()
        assert norms.tolist() == pytest.approx([3.0, 4.0])
        optimizer.step(0.1, float(torch.linalg.vector_norm(norms)))
        assert all(value.grad is None for value in parameters.values())
    return {name: value.tolist() for name, value in parameters.items()}


def test_the_first_step_goes_the_rate_far_against_each_gradient() -> None:
    assert stepped() == {"a.lora_A": pytest.approx([0.9, -2.0]), "a.lora_B": pytest.approx([0.6])}


def test_b_goes_further_when_told_to() -> None:
    found = stepped(adapter={"b_rate": 4})
    assert found == {"a.lora_A": pytest.approx([0.9, -2.0]), "a.lora_B": pytest.approx([0.9])}


@pytest.mark.parametrize(("clip", "scale"), [(1.0, 1 / 5), (2.5, 1 / 2), (5.1, 1.0), (100.0, 1.0)])
def test_gradients_are_clipped_by_their_common_norm(clip: float, scale: float) -> None:
    """The moments have what was left of them: AdamW's first step hides it, for it looks at signs alone."""
    parameters = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in START.items()}
    optimizer = Optimizer(parameters, TrainSpec(learning_rate=0.1, clip=clip))
    for name, value in GRADS.items():
        parameters[name].grad = torch.tensor(value)
    optimizer.step(0.1, 5.0)
    first = [0.1 * scale * value for values in GRADS.values() for value in values]  # 1 − β₁ = 0.1
    assert torch.cat(optimizer.tensors()["first"]).tolist() == pytest.approx(first, rel=1e-5)


def test_weight_decay_is_a_share_of_the_weight_apart_from_the_gradient() -> None:
    """Decoupled: the weight loses rate × decay of itself (arXiv:1711.05101), where no gradient is too."""
    found = stepped(weight_decay=0.5)
    kept = 1 - 0.1 * 0.5
    assert found["a.lora_A"] == pytest.approx([kept * 1.0 - 0.1, kept * -2.0])
    assert found["a.lora_B"] == pytest.approx([kept * 0.5 + 0.1])
