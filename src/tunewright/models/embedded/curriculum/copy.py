# ruff: noqa: E501  # tables of words and sentences, one row a line
"""Copying: say exactly what stands there, or one part of it."""

from __future__ import annotations

import json
from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw
from tunewright.models.embedded.words import pick

ASK = ("Repeat exactly: {t}", "Copy this text:\n{t}", "{t}\n\nRepeat the text above.", "Say this again word for word: {t}", "Echo: {t}",
       "Copy: {t}", "Write down exactly what I say. {t}", "Repeat after me: {t}")  # fmt: skip
QUOTE = ("Put this in quotes: {t}", "Write as a JSON string: {t}", "Quote exactly: {t}")
PLACES = ("first", "second", "third", "fourth", "fifth")


def draw(rng: Random, held_out: bool) -> Draw:
    """Copy a whole text, quote it, or give the item at a place or after another item."""
    shape = rng.random()
    if shape < 0.45:
        text = _text(rng, held_out)
        return _one(pick(rng, ASK).replace("{t}", text), text)
    if shape < 0.6:
        text = passages.any_value(rng, held_out)
        return _one(pick(rng, QUOTE).replace("{t}", text), json.dumps(text, ensure_ascii=False))
    items = [passages.any_value(rng, held_out) for _ in range(rng.choice((3, 4, 5)))]
    line = pick(rng, (", ", "; ", "\n", " | ")).join(items)
    place = rng.randrange(len(items))
    if shape < 0.8:
        name = "last" if place == len(items) - 1 and rng.random() < 0.7 else PLACES[place]
        return _one(
            f"{pick(rng, ('Items', 'List', 'Values'))}:\n{line}\n\nGive the {name} item.", items[place]
        )
    place = rng.randrange(len(items) - 1)
    return _one(
        f"{pick(rng, ('Items', 'List', 'Values'))}:\n{line}\n\nWhat comes after {items[place]}?",
        items[place + 1],
    )


def _one(ask: str, answer: str) -> Draw:
    return Draw("copy", (("user", ask), ("assistant", answer)), "exact")


def _text(rng: Random, held_out: bool) -> str:
    shape = rng.random()
    if shape < 0.4:
        return passages.any_value(rng, held_out)
    if shape < 0.7:
        return " ".join(words.pseudo(rng, held_out) for _ in range(rng.randrange(2, 7)))
    return passages.record(rng, held_out, rng.choice((1, 1, 2)), fillers=rng.choice((0, 1))).passage
