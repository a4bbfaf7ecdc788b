"""Small arithmetic: sums, differences, products, counting and comparing."""

from __future__ import annotations

from random import Random

from tunewright.models.embedded import words
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick


def draw(rng: Random, held_out: bool) -> Draw:
    """Small sums, several to a chat; which pairs of numbers are held out is decided by their checksum."""
    messages: list[Message] = []
    for _ in range(1 if held_out else rng.randrange(4, 12)):
        question, answer = pick(rng, (_add, _add, _subtract, _multiply, _compare, _count, _story))(
            rng, held_out
        )
        messages += [("user", question), ("assistant", answer)]
    return Draw("arithmetic", tuple(messages), "exact" if not messages[-1][1].isdigit() else "number")


def _pair(rng: Random, held_out: bool, low: int, high: int) -> tuple[int, int]:
    while True:
        a, b = rng.randrange(low, high), rng.randrange(low, high)
        if words.held(f"{a}&{b}") == held_out:
            return a, b


def _ask(rng: Random, sum_: str) -> str:
    return pick(rng, ("{s}", "What is {s}?", "{s} =", "Calculate {s}.", "Compute {s}")).replace("{s}", sum_)


def _add(rng: Random, held_out: bool) -> tuple[str, str]:
    a, b = _pair(rng, held_out, 0, 21 if rng.random() < 0.7 else 50)
    return _ask(rng, f"{a} + {b}" if rng.random() < 0.8 else f"{a} plus {b}"), str(a + b)


def _subtract(rng: Random, held_out: bool) -> tuple[str, str]:
    b, a = sorted(_pair(rng, held_out, 0, 21))
    return _ask(rng, f"{a} - {b}" if rng.random() < 0.8 else f"{a} minus {b}"), str(a - b)


def _multiply(rng: Random, held_out: bool) -> tuple[str, str]:
    a, b = _pair(rng, held_out, 0, 11)
    return _ask(rng, f"{a} * {b}" if rng.random() < 0.6 else f"{a} times {b}"), str(a * b)


def _compare(rng: Random, held_out: bool) -> tuple[str, str]:
    a, b = _pair(rng, held_out, 0, 100)
    larger = rng.random() < 0.5
    return f"Which number is {'larger' if larger else 'smaller'}, {a} or {b}?", str(
        max(a, b) if larger else min(a, b)
    )


def _count(rng: Random, held_out: bool) -> tuple[str, str]:
    thing = words.word(rng, words.THINGS, held_out)
    n = rng.randrange(1, 9)
    return (
        f"How many items are in this list: {', '.join([thing, *(pick(rng, words.THINGS) for _ in range(n - 1))])}?",
        str(n),
    )


def _story(rng: Random, held_out: bool) -> tuple[str, str]:
    name, thing = words.first_name(rng, held_out), words.word(rng, words.THINGS, held_out)
    b, a = sorted(_pair(rng, held_out, 1, 15))
    if rng.random() < 0.5:
        return f"{name} has {a} {thing}s and gets {b} more. How many {thing}s are there now?", str(a + b)
    return f"{name} has {a} {thing}s and gives away {b}. How many {thing}s are left?", str(a - b)
