"""Formats from examples: an invented layout or rule that only the earlier turns show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import TypeVar

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message, asked_after, label
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
AROUND = (
    *(("[", "]"), ("(", ")"), ("{", "}"), ("[[", "]]"), ("((", "))"), ("{{", "}}"), ("<", ">"), ('"', '"')),
    *(
        ("*", "*"),
        ("**", "**"),
        ("|", "|"),
        ("||", "||"),
        ("#", "#"),
        ("##", "##"),
        ("~~", "~~"),
        ("!!", "!!"),
        ("{{{", "}}}"),
        ("==", "=="),
        ("--", "--"),
        ("::", "::"),
        ("$$", "$$"),
        ("++", "++"),
    ),
)
"""Marks around a value."""
SIGNS = "<>[](){}#*-=:;|/+!&~$%@?.,_"
"""Signs that odd marks are made of."""
UNSEEN = ("<<", ">>", "^")
"""Marks of the suite's unseen format: no training draw has them."""
SYSTEM = (
    "Reply as in the examples.",
    "Do as the examples do.",
    "Write it in the format shown.",
    "Give the values in this format.",
    "Rewrite each text in the same form.",
    "Copy the values and put the marks around them.",
)


Item = TypeVar("Item")
Maker = Callable[[], tuple[str, str]]
"""Makes the examples of one invented task: what is asked and what is answered."""


def draw(rng: Random, held_out: bool) -> Draw:
    """Two or more examples of an invented task, then one more; in training several more."""
    rounds = _rounds(rng, held_out)
    while any(mark in answer for mark in UNSEEN for _, answer in rounds):
        rounds = _rounds(rng, held_out)
    messages: list[Message] = [("system", pick(rng, SYSTEM))] if rng.random() < 0.3 else []
    if rng.random() < 0.25:
        rounds = [(f"{asked} =>", answer) for asked, answer in rounds]
        messages += asked_after(rounds, len(rounds) - 1 if held_out else 3)
        return Draw("shots", tuple(messages), "exact")
    for asked, answer in rounds:
        messages += [("user", asked), ("assistant", answer)]
    # The first three answers cannot be known: they are where the examples begin.
    given = len(messages) - 2 if held_out else len(messages) - 2 * len(rounds) + 6
    return Draw("shots", tuple(messages), "exact", given)


def _rounds(rng: Random, held_out: bool) -> list[tuple[str, str]]:
    make = pick(rng, (_layout, _layout, _told, _wrap, _choose, _mapped))(rng, held_out)
    return [make() for _ in range(rng.randrange(4, 7) if held_out else rng.randrange(4, 11))]


def _mark(rng: Random) -> str:
    kind = rng.random()
    mark = pick(rng, MARKS) if kind < 0.5 else pick(rng, words.ACTIONS) if kind < 0.75 else _odd(rng)
    if len(mark) == 1 and mark not in UNSEEN[0] + UNSEEN[1] and rng.random() < 0.35:
        mark *= rng.choice((2, 2, 3))
    return mark if rng.random() < 0.5 else f" {mark} "


def _odd(rng: Random) -> str:
    """One to three signs in any order."""
    return "".join(rng.choice(SIGNS) for _ in range(rng.choice((1, 2, 2, 3))))


def _around(rng: Random) -> tuple[str, str]:
    if rng.random() < 0.6:
        return pick(rng, AROUND)
    mark = _odd(rng)
    return mark, mark if rng.random() < 0.5 else _odd(rng)


def _form(rng: Random, n: int) -> str:
    """A layout of `n` places in any order between random marks, such as `[{1}] -> {0};` or `[[{0}]]+[[{1}]]`."""
    places = rng.sample(range(n), rng.randrange(1, n + 1))
    if rng.random() < 0.35:
        left, right = _around(rng)
        between = pick(rng, (*MARKS, "", " ", "  ")) if rng.random() < 0.6 else _odd(rng)
        return between.join(f"{left}{{{place}}}{right}" for place in places)
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
    source = pick(rng, (", ", "; ", " and ", " | ", "\n"))
    form = _form(rng, n)

    def one() -> tuple[str, str]:
        values = [_without(source, rng, held_out) for _ in range(n)]
        return source.join(values), _fill(form, values)

    return one


def _without(joint: str, rng: Random, held_out: bool) -> str:
    """A value that does not hold the joint, so that it is plain where one value ends."""
    while joint in (value := passages.any_value(rng, held_out)):
        pass
    return value


def _told(rng: Random, held_out: bool) -> Maker:
    """Fields of one kind told in one to three ways, each in an order and words of its own; not all of them are wanted."""
    kind = pick(rng, passages.KINDS)
    fields = rng.sample(kind.fields, min(len(kind.fields), rng.randrange(2, 5)))
    form = _form(rng, len(fields))
    ways = [
        [(place, pick(rng, fields[place].tell)) for place in rng.sample(range(len(fields)), len(fields))]
        for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    turns = _turns(rng, ways)

    def one() -> tuple[str, str]:
        values = [field.draw(rng, held_out) for field in fields]
        text = " ".join(tell.replace("{v}", values[place]) for place, tell in next(turns))
        return text, _fill(form, values)

    return one


def _wrap(rng: Random, held_out: bool) -> Maker:
    before, after = _around(rng) if rng.random() < 0.5 else (_mark(rng).lstrip(), _mark(rng).rstrip())
    times = rng.choice((1, 1, 2))

    def one() -> tuple[str, str]:
        value = passages.any_value(rng, held_out)
        return value, before + " ".join([value] * times) + after

    return one


def _choose(rng: Random, held_out: bool) -> Maker:
    topics = rng.sample(list(label.TOPICS), 2)
    names = {topic: words.pseudo(rng, held_out) for topic in topics}
    turns = _turns(rng, topics)

    def one() -> tuple[str, str]:
        topic = next(turns)
        return label.sentence(rng, held_out, topic), names[topic]

    return one


def _mapped(rng: Random, held_out: bool) -> Maker:
    keys = rng.sample((*words.COLORS, *words.DAYS, *words.MONTHS), 3)
    pairs = {word: words.pseudo(rng, held_out) for word in keys}
    turns = _turns(rng, keys)

    def one() -> tuple[str, str]:
        key = next(turns)
        return f"{words.word(rng, words.THINGS, held_out)} {key}", pairs[key]

    return one


def _turns(rng: Random, items: list[Item]) -> Iterator[Item]:
    """Each item once, then any: the first examples show whatever is asked for later."""
    yield from rng.sample(items, len(items))
    while True:
        yield pick(rng, items)
