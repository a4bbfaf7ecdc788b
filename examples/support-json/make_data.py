"""Make the support tickets of this example: seeded, standard library only.

    python examples/support-json/make_data.py [--rows 2200] [--seed 7] [--out tickets.jsonl]

A ticket is one sentence that decides the category, at most one that decides the priority, and others around them that
carry values (order, price, e-mail, name) or nothing at all. Train, dev and test draw from separate worlds: no first name,
surname, brand or kind of product of one is in another. Two dev rows in three and two test rows in three also have at least
one sentence, the deciding one, that train has never seen. The column `held_out` says which.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import phrasings as say

PARTS = ("train", "dev", "test")
SHARE = {"train": 9, "dev": 1, "test": 1}
CATEGORIES = tuple(say.PROBLEMS)
ORDER_SHARE = {
    "delivery": 0.85,
    "defect": 0.6,
    "billing": 0.55,
    "return": 0.75,
    "account": 0.15,
    "question": 0.1,
}
PAID_SHARE = {"delivery": 0.1, "defect": 0.2, "billing": 0.0, "return": 0.3, "account": 0.0, "question": 0.0}

_ONSETS = (*"bcdfghjklmnprstvwz", "br", "dr", "fl", "gr", "kr", "pl", "pr", "st", "tr")
_VOWELS = (*"aeiouaeio", "ea", "io")
_CODAS = ("", "", "", *"nrlstxm", "nd", "rk")


class World(NamedTuple):
    """The names one part of the split may use."""

    first_names: list[str]
    surnames: list[str]
    brands: list[str]
    nouns: list[str]


class Ticket(NamedTuple):
    """A ticket's text and the JSON that says what is in it."""

    text: str
    answer: dict[str, Any]


def make_rows(n_rows: int, seed: int) -> list[dict[str, Any]]:
    """`n_rows` rows, nine for training to one for dev and one for test; no two tickets are equal."""
    rng = Random(seed)
    worlds = make_worlds(rng)
    total = sum(SHARE.values())
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    while len(rows) < n_rows:
        number = len(rows)
        part = PARTS[(number % total >= SHARE["train"]) + (number % total >= SHARE["train"] + SHARE["dev"])]
        new_phrasing = part != "train" and number // total % 3 > 0
        category = rng.choice(CATEGORIES)
        ticket = make_ticket(rng, worlds[part], category, part if new_phrasing else "train")
        if ticket.text.lower() in seen:
            continue
        seen.add(ticket.text.lower())
        held_out = "nothing" if part == "train" else "names and phrasing" if new_phrasing else "names"
        rows.append(
            {
                "ticket": ticket.text,
                "answer": ticket.answer,
                "split": part,
                "category": category,
                "held_out": held_out,
            }
        )
    return rows


def make_worlds(rng: Random) -> dict[str, World]:
    """Separate names for train, dev and test: three quarters of each list to train, an eighth to each other part."""
    brands = list(dict.fromkeys(_pseudo(rng).capitalize() for _ in range(900)))
    given = list(dict.fromkeys([*say.FIRST_NAMES, *(_pseudo(rng).capitalize() for _ in range(200))]))
    family = list(dict.fromkeys([*say.SURNAMES, *(_pseudo(rng).capitalize() for _ in range(300))]))
    used: set[str] = set()
    lists = []
    for words in (given, family, brands, say.NOUNS):
        fresh = [word for word in words if word.lower() not in used]
        used.update(word.lower() for word in fresh)
        rng.shuffle(fresh)
        lists.append(fresh)
    return {
        "train": World(*(words[: len(words) * 6 // 8] for words in lists)),
        "dev": World(*(words[len(words) * 6 // 8 : len(words) * 7 // 8] for words in lists)),
        "test": World(*(words[len(words) * 7 // 8 :] for words in lists)),
    }


def make_ticket(rng: Random, world: World, category: str, phrasing: str) -> Ticket:
    """One ticket. With `phrasing` dev or test, its deciding sentences are that part's own, its others mixed."""
    name = f"{rng.choice(world.first_names)} {rng.choice(world.surnames)}"
    values = {
        "name": name,
        "email": _email(rng, world, name),
        "product": _product(rng, world),
        "order": _order(rng),
    }
    number = _amount(rng)
    values |= {
        "amount": _money(rng, number),
        "person": _other_person(rng, world, name),
        "phone": f"555-01{_digits(rng, 2)}",
    }
    values |= {
        "days": rng.choice(say.DAYS),
        "when": rng.choice(say.WHEN),
        "since": rng.choice(say.SINCE),
        "date": f"{rng.randint(1, 28)} {rng.choice(say.MONTHS)}",
    }
    priority = rng.choices(("urgent", "low", "normal"), (3, 3, 4))[0]
    text = _compose(rng, category, priority, phrasing)
    return Ticket(
        text.format_map(values),
        {
            "customer": {"name": name} | ({"email": values["email"]} if "{email}" in text else {}),
            **({"product": values["product"]} if "{product}" in text else {}),
            **({"order_id": values["order"]} if "{order}" in text else {}),
            **({"amount": number} if "{amount}" in text else {}),
            "category": category,
            "priority": priority,
        },
    )


def _compose(rng: Random, category: str, priority: str, phrasing: str) -> str:
    """The ticket with its slots still open."""

    def decide(pool: say.Pool) -> str:
        return rng.choice(getattr(pool, phrasing))

    def other(pool: say.Pool) -> str:
        return rng.choice(
            pool.train if phrasing == "train" or rng.random() < 0.5 else getattr(pool, phrasing)
        )

    body = [decide(say.PROBLEMS[category])]
    if category == "billing" and rng.random() < 0.6:
        body.append(other(say.MENTIONS))
    if rng.random() < ORDER_SHARE[category]:
        body.insert(rng.choice((0, len(body), len(body))), other(say.ORDERS))
    if rng.random() < PAID_SHARE[category]:
        body.append(other(say.PAID))
    around = list(dict.fromkeys(_typo(rng, other(say.FILLERS)) for _ in range(rng.choice((0, 1, 2, 2, 3)))))
    if priority != "normal":
        around.append(decide(say.PRIORITY[priority]))
    if rng.random() < 0.4:
        around.append(other(say.EMAILS))
    rng.shuffle(around)
    cut = rng.choice((0, 0, 1)) if around else 0
    signed = rng.random() < 0.65
    opening = [] if signed else [other(say.INTROS)]
    closing = [_typo(rng, other(say.REQUESTS))] if rng.random() < 0.6 else []
    text = " ".join([*opening, *around[:cut], *body, *around[cut:], *closing])
    greeting = other(say.GREETINGS) + rng.choice(("\n", " ")) if rng.random() < 0.75 else ""
    ending = "\n" + other(say.SIGNATURES).replace("\\n", "\n") if signed else ""
    return greeting + text + ending


def _typo(rng: Random, sentence: str) -> str:
    """Now and then, two letters of a word that decides nothing change places."""
    places = [
        found.start()
        for found in re.finditer(r"(?<=[a-z])[a-z]{2}(?=[a-z])", sentence)
        if "{" not in sentence
    ]
    if not places or rng.random() > 0.06:
        return sentence
    at = rng.choice(places)
    return sentence[:at] + sentence[at + 1] + sentence[at] + sentence[at + 2 :]


def _pseudo(rng: Random) -> str:
    """A made-up word of two or three syllables."""
    syllables = rng.choice((2, 2, 3))
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(syllables)) + rng.choice(_CODAS)


def _product(rng: Random, world: World) -> str:
    brand, noun, model = (
        rng.choice(world.brands),
        rng.choice(world.nouns),
        rng.choice("ABCDEGHKMRSTVXZ") + _digits(rng, 2),
    )
    tail = rng.choice(say.TAILS)
    return rng.choice(
        (
            f"{brand} {noun}",
            f"{brand} {noun}",
            f"{brand} {noun} {model}",
            f"{brand} {tail} {noun}",
            f"{brand} {model}",
        )
    )


def _other_person(rng: Random, world: World, name: str) -> str:
    return rng.choice([first for first in world.first_names if first not in name])


def _email(rng: Random, world: World, name: str) -> str:
    first, last = name.lower().split()
    user = rng.choice(
        (
            f"{first}.{last}",
            f"{first}_{last}",
            first + _digits(rng, 2),
            f"{last}.{first}",
            f"{first[0]}{last}",
        )
    )
    host = rng.choice(
        (
            rng.choice(world.brands).lower() + ".example",
            "mail.example",
            "example.com",
            "example.org",
            "example.net",
        )
    )
    return f"{user}@{host}"


def _order(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=2))
    return rng.choice(
        (
            f"{letters}-{_digits(rng, 4)}",
            f"ORD-{_digits(rng, 5)}",
            _digits(rng, 6),
            f"{letters[0]}{_digits(rng, 5)}",
            f"{_digits(rng, 3)}-{_digits(rng, 3)}",
        )
    )


def _amount(rng: Random) -> float | int:
    """A price whose shortest form is how it is written: 49.95 or 120, never 49.90."""
    if rng.random() < 0.3:
        return rng.randint(5, 900)
    return float(f"{rng.randint(5, 400)}.{rng.randint(0, 9)}{rng.choice((5, 9, 1, 3))}")


def _money(rng: Random, number: float | int) -> str:
    return rng.choice((f"${number}", f"{number} euros", f"{number} dollars", f"€{number}", f"{number} EUR"))


def _digits(rng: Random, n: int) -> str:
    """`n` digits, the first not zero."""
    return str(rng.randrange(10 ** (n - 1), 10**n))


def main() -> None:
    """Write the tickets as JSON lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=2200, help="how many tickets (default 2200)")
    parser.add_argument(
        "--seed", type=int, default=7, help="names the tickets: the same seed gives the same file"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("tickets.jsonl"), help="the file to write"
    )
    asked = parser.parse_args()
    rows = make_rows(asked.rows, asked.seed)
    asked.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    print(f"{len(rows)} tickets in {asked.out}")


if __name__ == "__main__":
    main()
