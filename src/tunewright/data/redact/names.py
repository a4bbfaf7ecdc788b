"""The lists of names that ship: first names, surnames, and words that are no names, or as often something else."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

_LISTS = Path(__file__).parent / "lists"


class Names(NamedTuple):
    """Case-folded: what a capitalised word may be."""

    first: frozenset[str]
    last: frozenset[str]
    words: frozenset[str]
    """Ordinary words, places, months and brands. Some are names too: those count only beside another name."""


@cache
def names() -> Names:
    """The lists, read once."""
    return Names(*(_read(name) for name in ("first_names", "surnames", "words")))


def _read(name: str) -> frozenset[str]:
    lines = (_LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
