# ruff: noqa: E501  # tables of words and sentences, one row a line
"""Extraction: give the value of a field that a passage tells."""

from __future__ import annotations

from random import Random

from tunewright.models.embedded import passages
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

SYSTEM = ("", "", "", "Answer with the value only.", "Read the text and give what is asked for.", "You extract values from texts.",
          "Reply with the exact words of the text.")  # fmt: skip
ASK = ("What is the {k}?", "Give the {k}.", "Extract the {k}.", "{k}?", "Find the {k} in the text.", "Which {k} is given?", "Tell me the {k}.",
       "What {k} does the text say?")  # fmt: skip


def draw(rng: Random, held_out: bool) -> Draw:
    """A passage and up to seven questions on it; the held-out draw asks one or two."""
    told = passages.record(rng, held_out, rng.choice((2, 3, 4, 5, 6)), fillers=rng.randrange(4))
    asked = rng.sample(
        told.facts, min(len(told.facts), rng.randrange(1, 3) if held_out else rng.randrange(3, 8))
    )
    system = pick(rng, SYSTEM)
    messages: list[Message] = [("system", system)] if system else []
    for place, fact in enumerate(asked):
        question = pick(rng, ASK).replace("{k}", fact.key.replace("_", " "))
        if place == 0:
            question = (
                pick(rng, ("{p}\n\n{q}", "Text: {p}\n{q}", "{q}\n\n{p}", "{p}\n{q}"))
                .replace("{q}", question)
                .replace("{p}", told.passage)
            )
        messages += [("user", question), ("assistant", fact.text)]
    return Draw("extract", tuple(messages), "exact")
