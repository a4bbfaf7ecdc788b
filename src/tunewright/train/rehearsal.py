"""Rehearsal: general prompts with the base's own answers, trained beside the task's rows against forgetting.

What the base says before training is what it should still say after it; its own words are close to what it would say
anyway, so they cost the task little (self-synthesized rehearsal, arXiv:2403.01244).

Where the method's own loss is a likelihood (sft, cpt), they are rows like all others; beside a preference method they have a
loss of their own (train/methods/_rehearsed.py).
"""

from collections.abc import Iterable

from tunewright.core.example import Example, make_example
from tunewright.core.message import Conversation, Message, last_answer_trained


def rehearsal_rows(answered: Iterable[tuple[Conversation, str]]) -> list[Example]:
    """Prompts with their answers as examples in which that answer alone is trained; empty answers are left out."""
    return [
        make_example(last_answer_trained((*prompt, Message(role="assistant", content=answer.strip()))))
        for prompt, answer in answered
        if answer.strip()
    ]
