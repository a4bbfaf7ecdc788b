"""Rows longer than train.max_length: what becomes of them is the project's word (train.over_long), and it is counted."""

from collections.abc import Sequence
from typing import NamedTuple

from tunewright.core.errors import ModelError
from tunewright.core.example import Example
from tunewright.core.message import Conversation, with_system
from tunewright.models.template import Renderer
from tunewright.train.methods import Method
from tunewright.train.spec import TrainSpec


class Fitted(NamedTuple):
    """Examples as they are trained, and the ids of those that were too long."""

    examples: list[Example]
    cut: tuple[str, ...]
    """Shortened: their oldest turns are gone."""
    dropped: tuple[str, ...]
    """Left out."""


def fit(
    examples: Sequence[Example], method: Method, renderer: Renderer, system: str, spec: TrainSpec
) -> Fitted:
    """The examples by `spec.over_long`: as they are (`fail`: the gate refuses long ones), left out, or cut.

    An example is long when any of its rows is, with the task's system prompt. Cutting takes whole turns from the
    beginning, never instructions, the last question or an answer's part; what is long even so stays for the gate to refuse.
    """
    if spec.over_long == "fail":
        return Fitted(list(examples), (), ())
    kept, cut, dropped = list[Example](), list[str](), list[str]()
    for example in examples:
        if _fits(example, method, renderer, system, spec.max_length):
            kept.append(example)
        elif spec.over_long == "drop":
            dropped.append(example.id)
        else:
            shorter = _cut(example, method, renderer, system, spec.max_length)
            kept.append(shorter or example)
            if shorter:
                cut.append(example.id)
    return Fitted(kept, tuple(cut), tuple(dropped))


def _fits(example: Example, method: Method, renderer: Renderer, system: str, longest: int) -> bool:
    talks = [with_system(talk, system) for talk in method.conversations(example)]
    try:
        return all(len(renderer.training(talk).ids) <= longest for talk in talks)
    except ModelError:
        return True  # the gate says what is wrong with it


def _cut(example: Example, method: Method, renderer: Renderer, system: str, longest: int) -> Example | None:
    """The example without as many of its oldest turns as it takes; none where that is not enough."""
    while (messages := _without_oldest_turn(example.messages)) is not None:
        example = example.model_copy(update={"messages": messages})
        if _fits(example, method, renderer, system, longest):
            return example
    return None


def _without_oldest_turn(messages: Conversation) -> Conversation | None:
    """The conversation from its second question on, after its instructions; none where there is no second."""
    asked = [place for place, message in enumerate(messages) if message.role == "user"]
    if len(asked) < 2:
        return None
    head = 0
    while messages[head].instructs:
        head += 1
    return (*messages[:head], *messages[asked[1] :])
