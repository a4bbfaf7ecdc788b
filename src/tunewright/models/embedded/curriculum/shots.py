"""Formats from examples: an invented layout or rule that only the earlier turns show."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message, label
from tunewright.models.embedded.words import pick

MARKS = (
    "<",
    ">",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "#",
    "*",
    "-",
    "=",
    ":",
    ";",
    "|",
    "/",
    "+",
    "!",
    "&",
    "~",
    "->",
    "=>",
    "--",
    "::",
    "$",
    "%",
    "@",
)
UNSEEN = ("<<", ">>", "^")
"""Marks of the suite's unseen format: no training draw has them."""


Maker = Callable[[], tuple[str, str]]
"""Makes the examples of one invented task: what is asked and what is answered."""


def draw(rng: Random, held_out: bool) -> Draw:
    """Two or more examples of an invented task, then one more."""
    make = pick(rng, (_layout, _layout, _told, _wrap, _choose, _mapped))(rng, held_out)
    rounds = [make() for _ in range(rng.randrange(3, 7) if held_out else rng.randrange(3, 11))]
    messages: list[Message] = []
    for asked, answer in rounds:
        messages += [("user", asked), ("assistant", answer)]
    if rng.random() < 0.25:
        shown = "\n".join(f"{asked} => {answer}" for asked, answer in rounds[:-1])
        return Draw(
            "shots", (("user", f"{shown}\n{rounds[-1][0]} =>"), ("assistant", rounds[-1][1])), "exact"
        )
    return Draw("shots", tuple(messages), "exact", len(messages) - 2 if held_out else 4)


def _mark(rng: Random) -> str:
    mark = pick(rng, MARKS) if rng.random() < 0.7 else pick(rng, words.ACTIONS)
    return mark if rng.random() < 0.5 else f" {mark} "


def _form(rng: Random, n: int) -> str:
    """A layout of `n` places in any order between random marks, such as `[{1}] -> {0};`."""
    places = rng.sample(range(n), rng.randrange(1, n + 1))
    text = _mark(rng).lstrip() if rng.random() < 0.5 else ""
    text += "".join(
        f"{{{place}}}" + (_mark(rng) if index < len(places) - 1 else "") for index, place in enumerate(places)
    )
    return (text + (_mark(rng).rstrip() if rng.random() < 0.5 else "")).strip()


def _fill(form: str, values: list[str]) -> str:
    for place, value in enumerate(values):
        form = form.replace(f"{{{place}}}", value)
    return form


def _layout(rng: Random, held_out: bool) -> Maker:
    n = rng.randrange(2, 4)
    source = pick(rng, (", ", " ", "; ", " and ", " | ", "\n"))
    form = _form(rng, n)

    def one() -> tuple[str, str]:
        values = [passages.any_value(rng, held_out) for _ in range(n)]
        return source.join(values), _fill(form, values)

    return one


def _told(rng: Random, held_out: bool) -> Maker:
    kind = pick(rng, passages.KINDS)
    fields = rng.sample(kind.fields, min(len(kind.fields), rng.randrange(2, 4)))
    tells = [pick(rng, field.tell) for field in fields]
    form = _form(rng, len(fields))

    def one() -> tuple[str, str]:
        values = [field.draw(rng, held_out) for field in fields]
        return " ".join(tell.replace("{v}", value) for tell, value in zip(tells, values, strict=True)), _fill(
            form, values
        )

    return one


def _wrap(rng: Random, held_out: bool) -> Maker:
    before, after = _mark(rng).lstrip(), _mark(rng).rstrip()
    times = rng.choice((1, 1, 2))

    def one() -> tuple[str, str]:
        value = passages.any_value(rng, held_out)
        return value, before + " ".join([value] * times) + after

    return one


def _choose(rng: Random, held_out: bool) -> Maker:
    topics = rng.sample(list(label.TOPICS), 2)
    names = {topic: words.pseudo(rng, held_out) for topic in topics}

    def one() -> tuple[str, str]:
        topic = pick(rng, topics)
        return label.sentence(rng, held_out, topic), names[topic]

    return one


def _mapped(rng: Random, held_out: bool) -> Maker:
    pairs = {
        word: words.pseudo(rng, held_out)
        for word in rng.sample((*words.COLORS, *words.DAYS, *words.MONTHS), 3)
    }

    def one() -> tuple[str, str]:
        key = pick(rng, list(pairs))
        return f"{words.word(rng, words.THINGS, held_out)} {key}", pairs[key]

    return one
