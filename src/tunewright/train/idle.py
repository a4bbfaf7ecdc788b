"""Idle: settings that do nothing on the machine that trains."""

from tunewright.core.errors import Problem
from tunewright.train.spec import TrainSpec


def idle(spec: TrainSpec, device: str) -> list[Problem]:
    """The problem of each, by torch's name of the device ("cpu", "cuda")."""
    if not spec.activation_offload or device != "cpu":
        return []
    return [
        Problem(
            "what the backward pass needs lies in the host's memory already: training runs on the CPU",
            where="train.activation_offload",
            fix="Leave it out; train.gradient_checkpointing takes less memory there, too.",
        )
    ]
