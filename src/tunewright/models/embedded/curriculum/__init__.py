"""The curriculum: one file for each skill, found by its name.

A skill's module has `draw(rng, held_out) -> Draw`. Training draws take their names and values from the training world,
held-out draws from the held-out world (`words.held`); `draw_from` also keeps every held-out prompt, whole, out of training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import Literal

from tunewright.models.embedded.words import held

Message = tuple[str, str]
"""Role and text."""


@dataclass(frozen=True)
class Draw:
    """One task: a chat that ends with the assistant's gold answer, and how an answer is graded.

    The first `given` messages are context: their answers are not learnt (the examples of a few-shot prompt, say).
    """

    skill: str
    messages: tuple[Message, ...]
    grade: Literal["exact", "json", "contains", "number"]
    given: int = 0


def asked_after(rounds: Sequence[tuple[str, str]], shown: int) -> list[Message]:
    """Turns that ask all rounds but the first `shown`, whose asks and answers stand in the first message as examples."""
    examples = "".join(f"{ask} {answer}\n" for ask, answer in rounds[:shown])
    messages: list[Message] = []
    for ask, answer in rounds[shown:]:
        messages += [("user", ask if messages else examples + ask), ("assistant", answer)]
    return messages


DrawFunction = Callable[[Random, bool], Draw]


@cache
def skills() -> dict[str, DrawFunction]:
    """Every skill's `draw` by its name, in alphabetical order."""
    return {module.name: import_module(f"{__name__}.{module.name}").draw for module in iter_modules(__path__)}


def draw_from(skill: str, rng: Random, held_out: bool) -> Draw:
    """A draw of a skill whose whole prompt, too, belongs to the asked-for world."""
    while True:
        draw = skills()[skill](rng, held_out)
        if held(repr(draw.messages[:-1])) == held_out:
            return draw
