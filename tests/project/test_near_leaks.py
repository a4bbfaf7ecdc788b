"""Near leaks are compared once, and told whoever holds the project."""

import random
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import Problem
from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.core.files import write_json
from tunewright.evals.suite import Suite
from tunewright.project.near_leaks import known_near_leaks
from tunewright.store.artifact import Artifact, Derivation
from tunewright.store.store import Store


def rows(file: str, *said: tuple[str, str]) -> tuple[Example, ...]:
    return tuple(
        make_example(ask(*pair), origin=Origin(source="s", file=file, row=number))
        for number, pair in enumerate(said, 1)
    )


def questions(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices([f"word{n}" for n in range(60)], k=14)) for _ in range(count)]


def suite(*asked: str) -> Suite:
    return Suite("mine", rows("mine.jsonl", *((one, "a") for one in asked)), lambda _: (), ())


ASKED = questions(20, 2)
TRAIN = rows(
    "rows.csv",
    *(("Write one.", f"please {one}") for one in ASKED[:4]),
    *((one, "b") for one in questions(60, 1)),
)


class Place:
    """A project's store with a split in it, and what was told while it was asked."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, Store(root)
        self.compared = 0
        derivation = Derivation(step="split", version="1", spec={}, inputs={})
        with self.store.lock():
            out = self.store.work(derivation) / "out"
            out.mkdir()
            write_json(out / "x.json", {})
            self.split: Artifact = self.store.publish(derivation, out, {})

    def _hear(self, kind: str, **_: Any) -> None:
        self.compared += kind == "check.leaks"

    def ask(self, *asked: str) -> dict[str, Problem]:
        return known_near_leaks(self.store, self.split, [suite(*asked)], TRAIN, self._hear)

    @property
    def kept(self) -> int:
        return sum(name.startswith("near-leaks") for name in self.store.names())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_was_found_is_kept_until_a_suite_changes(place: Place) -> None:
    first = place.ask(*ASKED)
    assert first["mine"].message.startswith("of 20 of its examples, 4 are nearly what training rows say")
    assert (place.ask(*ASKED), place.compared, place.kept) == (first, 1, 1)
    assert (place.ask(*ASKED[10:]), place.compared, place.kept) == ({}, 2, 2)
    assert (place.ask(*ASKED[10:]), place.compared, place.kept) == ({}, 2, 2)


def test_while_another_holds_the_project_it_is_told_and_not_kept(place: Place) -> None:
    with Store(place.root).lock():
        held = place.ask(*ASKED)
        assert (place.compared, place.kept) == (1, 0)
    assert (place.ask(*ASKED), place.compared, place.kept) == (held, 2, 1)
    with Store(place.root).lock():  # what is known needs no lock
        assert (place.ask(*ASKED), place.compared) == (held, 2)


def test_who_holds_the_project_itself_keeps_it(place: Place) -> None:
    """As the run does that writes its report."""
    with place.store.lock():
        held = place.ask(*ASKED)
        assert (place.store.is_held, place.compared, place.kept) == (True, 1, 1)
    assert not place.store.is_held
    assert (place.ask(*ASKED), place.compared, place.kept) == (held, 1, 1)


def test_who_was_quicker_is_not_overwritten(place: Place) -> None:
    """While one compares, another may have published the same."""
    quicker = Place.__new__(Place)
    quicker.store, quicker.split, quicker.compared = Store(place.root), place.split, 0

    def hear(kind: str, **_: Any) -> None:
        quicker.ask(*ASKED)

    found = known_near_leaks(place.store, place.split, [suite(*ASKED)], TRAIN, hear)
    assert (found, place.kept, quicker.compared) == (quicker.ask(*ASKED), 1, 1)
