"""Lookup: keys with values in one of many layouts, then questions for the value of a key or the key of a value."""

from __future__ import annotations

import json
from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

LAYOUT = (
    "{k}: {v}",
    "{k} = {v}",
    "{k} -> {v}",
    "- {k}: {v}",
    "{k} is {v}",
    "{k} | {v}",
    "| {k} | {v} |",
    "* {k} - {v}",
)
ASK = (
    "What is the value of {k}?",
    "{k}?",
    "Look up {k}.",
    "Value for {k}?",
    "Give me {k}.",
    "Which value does {k} have?",
)
BACK = ("Which key has the value {v}?", "Which key stands for {v}?", "Find the key of {v}.")


def draw(rng: Random, held_out: bool) -> Draw:
    """A list of three to eight pairs and up to a dozen questions on it."""
    pool = (*words.THINGS, *words.WORK_WORDS, *words.ANIMALS, *words.PLACES)
    n = rng.randrange(3, 9)
    keys: dict[str, str] = {}
    names = rng.random()
    while len(keys) < n:
        key = (
            words.pseudo(rng, held_out)
            if names < 0.4
            else words.word(rng, pool, held_out)
            if names < 0.8
            else words.first_name(rng, held_out)
        )
        keys[key] = passages.any_value(rng, held_out) if rng.random() < 0.8 else str(rng.randrange(1000))
    if rng.random() < 0.15:
        listing = json.dumps(keys, ensure_ascii=False)
    else:
        layout = pick(rng, LAYOUT)
        listing = pick(rng, ("\n", "\n", "\n", ", ", "; ")).join(
            layout.replace("{k}", k).replace("{v}", v) for k, v in keys.items()
        )
    messages: list[Message] = []
    for place in range(rng.randrange(1, 3) if held_out else rng.randrange(4, 13)):
        key = pick(rng, list(keys))
        back = rng.random() < (0.15 if held_out else 0.35)
        question = pick(rng, BACK if back else ASK).replace("{k}", key).replace("{v}", keys[key])
        messages += [
            ("user", f"{listing}\n\n{question}" if place == 0 else question),
            ("assistant", key if back else keys[key]),
        ]
    return Draw("lookup", tuple(messages), "exact")
