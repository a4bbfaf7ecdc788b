"""person: somebody who does not exist, from our own lists of common names; nobody's data is read for it."""

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Cells, ColumnSpec, Desk

Locale = Literal["de", "en_GB", "en_US", "es", "fr", "it", "nl", "pl", "pt", "sv", "tr"]
_FOLDER = Path(__file__).parent.parent / "people"
_SPELT = {"ß": "ss", "ø": "oe", "æ": "ae", "ł": "l", "ı": "i"}
_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue"}
"""How letters are written in mail addresses, where taking the accent off is not enough."""


class PersonColumn(ColumnSpec):
    """Somebody who does not exist: {name, first_name, last_name, gender, age, city, email, locale}. Mail addresses end with
    example.com, which is nobody's (RFC 2606)."""

    KIND: ClassVar[Kind] = "object"

    type: Literal["person"] = "person"
    """Chooses this column."""
    locales: tuple[Locale, ...] = ("en_US",)
    """Whose names: en_US, en_GB, de, es, fr, it, nl, pl, pt, sv, tr; of several, each as often as the others."""
    gender: Literal["any", "female", "male"] = "any"
    """Which first names."""
    least_age: int = Field(18, ge=0, le=120)
    """The least age in years."""
    most_age: int = Field(80, ge=0, le=120)
    """The greatest age in years."""

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not self.locales:
            raise ValueError("a person is of some locale: [en_US]")
        if self.least_age > self.most_age:
            raise ValueError(f"least_age ({self.least_age}) is above most_age ({self.most_age})")
        return self


class People(NamedTuple):
    """A locale's lists."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    last: tuple[str, ...]
    cities: tuple[str, ...]


def each(spec: PersonColumn, name: str, means: Desk) -> Callable[[Cells], dict[str, str | int]]:
    """Somebody of the row's own."""

    def cell(cells: Cells) -> dict[str, str | int]:
        chance = cells.chance(name)
        locale = chance.choice(spec.locales)
        people = people_of(locale)
        gender = chance.choice(("female", "male")) if spec.gender == "any" else spec.gender
        first = chance.choice(people.female if gender == "female" else people.male)
        last = chance.choice(people.last)
        age = chance.randint(spec.least_age, spec.most_age)
        return {
            "name": f"{first} {last}",
            "first_name": first,
            "last_name": last,
            "gender": gender,
            "age": age,
            "city": chance.choice(people.cities),
            "email": f"{_plain(first, locale)}.{_plain(last, locale)}{chance.randint(1, 99)}@example.com",
            "locale": locale,
        }

    return cell


@lru_cache
def people_of(locale: str) -> People:
    """A locale's lists, from its file: a line for each, which begins with its name."""
    lines = (_FOLDER / f"{locale}.txt").read_text("utf-8").splitlines()
    found = {head: _words(rest) for head, _, rest in (line.partition(": ") for line in lines)}
    return People(found["female"], found["male"], found["last"], found["cities"])


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _plain(name: str, locale: str) -> str:
    signs = {**_SPELT, **_GERMAN} if locale == "de" else _SPELT
    letters = unicodedata.normalize("NFKD", "".join(signs.get(letter, letter) for letter in name.lower()))
    return "".join(letter for letter in letters if letter.isascii() and (letter.isalnum() or letter == "-"))
