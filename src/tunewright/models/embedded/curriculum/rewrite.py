"""Rewriting: the same content in another layout, case, order or date format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw, Message
from tunewright.models.embedded.words import pick

LAYOUTS: dict[str, tuple[str, str]] = {
    "one per line": ("{v}", "\n"),
    "a list with dashes": ("- {v}", "\n"),
    "a comma list": ("{v}", ", "),
    "a list with stars": ("* {v}", "\n"),
    "separated by semicolons": ("{v}", "; "),
    "separated by bars": ("{v}", " | "),
    "a numbered list": ("{n}. {v}", "\n"),
}
PAIRS: dict[str, tuple[str, str]] = {
    "key: value lines": ("{k}: {v}", "\n"),
    "key=value lines": ("{k}={v}", "\n"),
    "key -> value lines": ("{k} -> {v}", "\n"),
    "a list with dashes": ("- {k}: {v}", "\n"),
    "key=value pairs with semicolons": ("{k}={v}", "; "),
    "a table with bars": ("| {k} | {v} |", "\n"),
}


Round = tuple[str, str]
"""What is asked and what is answered."""


def draw(rng: Random, held_out: bool) -> Draw:
    """A list into a layout, pairs into a layout, a prose record into pairs, a date, a case, or an order.

    In training up to three more rounds on the same content, or on new content of the same kind.
    """
    rounds = pick(rng, (_items, _pairs, _told, _told, _date, _case, _order))(rng, held_out)
    messages: list[Message] = []
    for ask, answer in islice(rounds, 1 if held_out else rng.randrange(1, 5)):
        messages += [("user", ask), ("assistant", answer)]
    return Draw("rewrite", tuple(messages), "exact")


def _items(rng: Random, held_out: bool) -> Iterator[Round]:
    items = [passages.any_value(rng, held_out) for _ in range(rng.randrange(2, 6))]
    source, target = rng.sample(list(LAYOUTS), 2)
    yield f"Rewrite as {target}:\n{_lay(LAYOUTS[source], items)}", _lay(LAYOUTS[target], items)
    while True:
        if rng.random() < 0.3:
            items = items[::-1]
            yield "Reverse the order.", _lay(LAYOUTS[target], items)
        target = pick(rng, [name for name in LAYOUTS if name != target])
        yield f"Rewrite as {target}.", _lay(LAYOUTS[target], items)


def _lay(layout: tuple[str, str], items: list[str]) -> str:
    return layout[1].join(
        layout[0].replace("{n}", str(place + 1)).replace("{v}", item) for place, item in enumerate(items)
    )


def _lay_pairs(layout: tuple[str, str], pairs: list[tuple[str, str]]) -> str:
    return layout[1].join(layout[0].replace("{k}", key).replace("{v}", value) for key, value in pairs)


def _pairs(rng: Random, held_out: bool) -> Iterator[Round]:
    keys = rng.sample((*words.THINGS, *words.WORK_WORDS), rng.randrange(2, 5))
    pairs = [(key, passages.any_value(rng, held_out)) for key in keys]
    source, target = rng.sample(list(PAIRS), 2)
    yield f"Rewrite as {target}:\n{_lay_pairs(PAIRS[source], pairs)}", _lay_pairs(PAIRS[target], pairs)
    while True:
        target = pick(rng, [name for name in PAIRS if name != target])
        yield f"Rewrite as {target}.", _lay_pairs(PAIRS[target], pairs)


def _told(rng: Random, held_out: bool) -> Iterator[Round]:
    told = passages.record(rng, held_out, rng.choice((2, 3, 4)), fillers=rng.randrange(3))
    passage = f"\n\n{told.passage}"
    while True:
        facts = rng.sample(told.facts, rng.randrange(1, len(told.facts) + 1))
        target = pick(rng, list(PAIRS))
        asked = ", ".join(fact.key for fact in facts)
        yield (
            f"Write {asked} as {target}.{passage}",
            _lay_pairs(PAIRS[target], [(fact.key, fact.text) for fact in facts]),
        )
        passage = ""


def _date(rng: Random, held_out: bool) -> Iterator[Round]:
    while True:
        year, month, day = rng.randrange(2019, 2030), rng.randrange(1, 13), rng.randrange(1, 29)
        forms = {
            "YYYY-MM-DD": f"{year}-{month:02d}-{day:02d}",
            "DD.MM.YYYY": f"{day:02d}.{month:02d}.{year}",
            "day month year": f"{day} {words.MONTHS[month - 1]} {year}",
        }
        source, target = rng.sample(list(forms), 2)
        yield f"Write the date {forms[source]} as {target}.", forms[target]


def _case(rng: Random, held_out: bool) -> Iterator[Round]:
    pool = [text for text in (*words.THINGS, *words.ANIMALS, *words.PLACES) if words.held(text) == held_out]
    while True:
        text = " ".join(pick(rng, pool) for _ in range(rng.randrange(1, 4)))
        if rng.random() < 0.5:
            yield f"Join with underscores: {text}", text.replace(" ", "_")
        else:
            yield f"Split at the underscores: {text.replace(' ', '_')}", text


def _order(rng: Random, held_out: bool) -> Iterator[Round]:
    while True:
        items = [passages.any_value(rng, held_out) for _ in range(rng.randrange(2, 5))]
        if rng.random() < 0.5:
            yield f"Reverse the order: {', '.join(items)}", ", ".join(reversed(items))
        else:
            yield f"Swap the two: {items[0]} and {items[1]}", f"{items[1]} and {items[0]}"
