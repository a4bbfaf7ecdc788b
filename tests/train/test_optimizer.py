"""The learning rate of each step."""

import pytest

from tunewright.train.optimizer import learning_rate
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
