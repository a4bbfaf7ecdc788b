# ruff: noqa: E501  # tables of words and sentences, one row a line
"""Grounded answers: from the given passage alone, and saying so when it is not there."""

from __future__ import annotations

from random import Random

from tunewright.models.embedded import passages
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

RULES = (("Answer only from the text. If it is not there, say: Not in the text.", "Not in the text."),
         ("Use only the passage. If the passage does not say it, answer: The passage does not say.", "The passage does not say."),
         ("Answer from the notes. If you cannot find the answer, reply: unknown", "unknown"),
         ("Give the value that the text names, or N/A if there is none.", "N/A"),
         ("Answer from the document only. Say I do not know when it is missing.", "I do not know"))  # fmt: skip
ASK = ("What is the {k}?", "Give the {k}.", "{k}?", "Which {k} is given?", "Tell me the {k}.")


def draw(rng: Random, held_out: bool) -> Draw:
    """A passage and up to eight questions, about a third of them on things that it does not tell."""
    told = passages.record(rng, held_out, rng.choice((2, 3, 4)), fillers=rng.randrange(3))
    rule, missing = pick(rng, RULES)
    as_system = rng.random() < 0.6
    messages: list[Message] = [("system", rule)] if as_system else []
    for place in range(rng.randrange(1, 3) if held_out else rng.randrange(3, 9)):
        if told.untold and rng.random() < 0.4:
            key, answer = pick(rng, told.untold), missing
        else:
            fact = pick(rng, told.facts)
            key, answer = fact.key, fact.text
        question = pick(rng, ASK).replace("{k}", key.replace("_", " "))
        if place == 0:
            question = (
                f"{told.passage}\n\n{question}" if as_system else f"{rule}\n\n{told.passage}\n\n{question}"
            )
        messages += [("user", question), ("assistant", answer)]
    return Draw("grounded", tuple(messages), "exact")
