"""Rewriting: the same content in another layout, case, order or date format."""

from __future__ import annotations

from random import Random

from tunewright.models.embedded import passages, words
from tunewright.models.embedded.curriculum import Draw
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


def draw(rng: Random, held_out: bool) -> Draw:
    """A list into a layout, pairs into a layout, a prose record into pairs, a date, a case, or an order."""
    ask, answer = pick(rng, (_items, _pairs, _told, _told, _date, _case, _order))(rng, held_out)
    return Draw("rewrite", (("user", ask), ("assistant", answer)), "exact")


def _items(rng: Random, held_out: bool) -> tuple[str, str]:
    items = [passages.any_value(rng, held_out) for _ in range(rng.randrange(2, 6))]
    source, target = rng.sample(list(LAYOUTS), 2)
    return f"Rewrite as {target}:\n{_lay(LAYOUTS[source], items)}", _lay(LAYOUTS[target], items)


def _lay(layout: tuple[str, str], items: list[str]) -> str:
    return layout[1].join(
        layout[0].replace("{n}", str(place + 1)).replace("{v}", item) for place, item in enumerate(items)
    )


def _lay_pairs(layout: tuple[str, str], pairs: list[tuple[str, str]]) -> str:
    return layout[1].join(layout[0].replace("{k}", key).replace("{v}", value) for key, value in pairs)


def _pairs(rng: Random, held_out: bool) -> tuple[str, str]:
    keys = rng.sample((*words.THINGS, *words.WORK_WORDS), rng.randrange(2, 5))
    pairs = [(key, passages.any_value(rng, held_out)) for key in keys]
    source, target = rng.sample(list(PAIRS), 2)
    return f"Rewrite as {target}:\n{_lay_pairs(PAIRS[source], pairs)}", _lay_pairs(PAIRS[target], pairs)


def _told(rng: Random, held_out: bool) -> tuple[str, str]:
    told = passages.record(rng, held_out, rng.choice((2, 3, 4)), fillers=rng.randrange(3))
    facts = rng.sample(told.facts, rng.randrange(1, len(told.facts) + 1))
    target = pick(rng, list(PAIRS))
    asked = ", ".join(fact.key for fact in facts)
    return f"Write {asked} as {target}.\n\n{told.passage}", _lay_pairs(
        PAIRS[target], [(fact.key, fact.text) for fact in facts]
    )


def _date(rng: Random, held_out: bool) -> tuple[str, str]:
    year, month, day = rng.randrange(2019, 2030), rng.randrange(1, 13), rng.randrange(1, 29)
    forms = {
        "YYYY-MM-DD": f"{year}-{month:02d}-{day:02d}",
        "DD.MM.YYYY": f"{day:02d}.{month:02d}.{year}",
        "day month year": f"{day} {words.MONTHS[month - 1]} {year}",
    }
    source, target = rng.sample(list(forms), 2)
    return f"Write the date {forms[source]} as {target}.", forms[target]


def _case(rng: Random, held_out: bool) -> tuple[str, str]:
    pool = [text for text in (*words.THINGS, *words.ANIMALS, *words.PLACES) if words.held(text) == held_out]
    text = " ".join(pick(rng, pool) for _ in range(rng.randrange(1, 4)))
    if rng.random() < 0.5:
        return f"Join with underscores: {text}", text.replace(" ", "_")
    return f"Split at the underscores: {text.replace(' ', '_')}", text


def _order(rng: Random, held_out: bool) -> tuple[str, str]:
    items = [passages.any_value(rng, held_out) for _ in range(rng.randrange(2, 5))]
    if rng.random() < 0.5:
        return f"Reverse the order: {', '.join(items)}", ", ".join(reversed(items))
    return f"Swap the two: {items[0]} and {items[1]}", f"{items[1]} and {items[0]}"
