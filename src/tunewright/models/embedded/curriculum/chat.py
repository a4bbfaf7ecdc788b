# ruff: noqa: E501  # tables of words and sentences, one row a line
"""Chat over turns: small talk with a plain answer, and remembering what was said before."""

from __future__ import annotations

from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

SMALL_TALK = (("Hello!", "Hello! How can I help you?"), ("Hi", "Hello! How can I help you?"), ("Good morning", "Good morning! How can I help you?"),
              ("Thank you!", "You are welcome."), ("Thanks", "You are welcome."), ("How are you?", "I am fine, thank you."), ("Bye", "Goodbye!"),
              ("Who are you?", "I am a small language model."), ("Can you help me?", "Yes. What do you need?"), ("Goodbye", "Goodbye!"))  # fmt: skip
TELL = (("My name is {v}.", "What is my name?", "name"), ("I am {v}.", "Who am I?", "name"), ("I live in {v}.", "Where do I live?", "place"),
        ("I come from {v}.", "Where do I come from?", "place"), ("My dog is called {v}.", "What is my dog called?", "name"), ("My order is {v}.", "Which order is mine?", "id"),
        ("My code is {v}.", "What is my code?", "id"), ("I bought a {v}.", "What did I buy?", "product"), ("My favorite color is {v}.", "What is my favorite color?", "color"),
        ("The meeting is on {v}.", "When is the meeting?", "date"), ("My sister is called {v}.", "What is my sister called?", "name"), ("The password is {v}.", "What is the password?", "word"))  # fmt: skip
NOTED = ("Noted.", "OK.", "Thank you.", "I see.", "Good to know.")


def draw(rng: Random, held_out: bool) -> Draw:
    """A few turns of telling and small talk, then a question on what was told; sometimes the telling is corrected."""
    noted = pick(rng, NOTED)
    messages: list[Message] = []
    if rng.random() < 0.5:
        messages.append(
            (
                "system",
                pick(
                    rng,
                    (
                        f"Say {noted} when you are told something.",
                        f"When the user tells a fact, reply: {noted}",
                    ),
                ),
            )
        )
    else:
        noted = "Noted."
    told: list[tuple[str, str]] = []
    for tell, ask, sort in rng.sample(TELL, rng.randrange(1, 4)):
        value = _value(rng, held_out, sort)
        messages += [("user", tell.replace("{v}", value)), ("assistant", noted)]
        told.append((ask, value))
        if rng.random() < 0.15:
            value = _value(rng, held_out, sort)
            messages += [("user", "No, sorry. " + tell.replace("{v}", value)), ("assistant", noted)]
            told[-1] = (ask, value)
        if rng.random() < 0.3:
            said, answered = pick(rng, SMALL_TALK)
            messages += [("user", said), ("assistant", answered)]
    for ask, value in rng.sample(told, 1 if held_out else rng.randrange(1, len(told) + 1)):
        messages += [("user", ask), ("assistant", value)]
    return Draw("chat", tuple(messages), "exact")


def _value(rng: Random, held_out: bool, sort: str) -> str:
    if sort == "name":
        return words.first_name(rng, held_out)
    if sort == "place":
        return words.place(rng, held_out)
    if sort == "id":
        return words.order_id(rng)
    if sort == "product":
        return words.product(rng, held_out)
    if sort == "color":
        return pick(rng, words.COLORS)
    if sort == "date":
        return words.date(rng)
    return passages.any_value(rng, held_out) if rng.random() < 0.3 else words.pseudo(rng, held_out)
