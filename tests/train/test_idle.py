"""Settings that do nothing where training runs."""

from tunewright.train.idle import idle
from tunewright.train.spec import TrainSpec


def test_what_is_kept_on_the_host_is_there_already_on_a_cpu():
    spec = TrainSpec(activation_offload=True)
    (problem,) = idle(spec, "cpu")
    assert str(problem) == (
        "train.activation_offload: what the backward pass needs lies in the host's memory already: training runs on the CPU."
        " Leave it out; train.gradient_checkpointing takes less memory there, too."
    )
    assert idle(spec, "cuda") == idle(TrainSpec(), "cpu") == []
