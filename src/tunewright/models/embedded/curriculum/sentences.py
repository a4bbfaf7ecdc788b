"""Plain English: sentences from a grammar, questions on who did what, tense, negation and word order."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tunewright.models.embedded import words
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

PAST, PRESENT = (
    dict(words.VERBS),
    {verb: verb + ("es" if verb.endswith(("s", "sh", "ch", "x")) else "s") for verb in words.VERBS},
)
PRESENT |= {"carry": "carries", "buy": "buys", "steal": "steals"}


@dataclass(frozen=True)
class Clause:
    """Who does what to which thing, where."""

    who: str
    verb: str
    what: str
    where: str

    def past(self) -> str:
        """The sentence in the past."""
        return f"{self.who} {PAST[self.verb]} {self.what} {self.where}."

    def present(self) -> str:
        """The sentence in the present."""
        return f"{self.who} {PRESENT[self.verb]} {self.what} {self.where}."


def clause(rng: Random, held_out: bool) -> Clause:
    """A clause from the grammar."""
    who = (
        words.first_name(rng, held_out)
        if rng.random() < 0.6
        else "The " + words.word(rng, words.JOBS, held_out)
    )
    thing = words.word(rng, words.THINGS, held_out)
    adjective = words.word(rng, words.ADJECTIVES, held_out) + " " if rng.random() < 0.5 else ""
    where = pick(rng, ("in the ", "near the ", "behind the ", "at the ")) + words.word(
        rng, words.PLACES, held_out
    )
    return Clause(who, pick(rng, list(words.VERBS)), f"the {adjective}{thing}", where)


def draw(rng: Random, held_out: bool) -> Draw:
    """One to four sentences, then questions on them, or a sentence to turn."""
    return _questions(rng, held_out) if rng.random() < 0.65 else _turn(rng, held_out)


def _questions(rng: Random, held_out: bool) -> Draw:
    clauses = [clause(rng, held_out) for _ in range(rng.randrange(1, 5))]
    story = " ".join(one.past() for one in clauses)
    messages: list[Message] = []
    for place in range(rng.randrange(1, 3) if held_out else rng.randrange(3, 9)):
        one = pick(rng, clauses)
        clear = sum(other.verb == one.verb for other in clauses) == 1
        things = {
            "who": (f"Who {PAST[one.verb]} {one.what}?", one.who),
            "where": (f"Where did {_low(one.who)} {one.verb} {one.what}?", one.where),
        }
        if clear:
            things["what"] = (f"What did {_low(one.who)} {one.verb}?", one.what)
        ask, answer = pick(rng, list(things.values()))
        messages += [("user", f"{story}\n\n{ask}" if place == 0 else ask), ("assistant", answer)]
    return Draw("sentences", tuple(messages), "exact")


def _turn(rng: Random, held_out: bool) -> Draw:
    one = clause(rng, held_out)
    shape = rng.randrange(4)
    if shape == 0:
        pair = f"Put in the past: {one.present()}", one.past()
    elif shape == 1:
        pair = f"Put in the present: {one.past()}", one.present()
    elif shape == 2:
        pair = f"Make it negative: {one.past()}", f"{one.who} did not {one.verb} {one.what} {one.where}."
    else:
        pair = (
            f"Turn into a question: {one.past()}",
            f"Did {_low(one.who)} {one.verb} {one.what} {one.where}?",
        )
    return Draw("sentences", (("user", pair[0]), ("assistant", pair[1])), "exact")


def _low(who: str) -> str:
    return "the" + who.removeprefix("The") if who.startswith("The ") else who
