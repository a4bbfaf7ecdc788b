"""Rows of dev and test that training nearly shows."""

import random

from tunewright.core.example import Example, ask, make_example
from tunewright.data.audit.audit import audit
from tunewright.data.audit.close import close_rows

WORDS = [f"word{n}" for n in range(60)]


def rows(count: int, seed: int) -> list[Example]:
    rng = random.Random(seed)
    return [make_example(ask(" ".join(rng.choices(WORDS, k=14)), "x")) for _ in range(count)]


def edited(row: Example) -> Example:
    """The same question with a word more."""
    return make_example(ask(f"please {row.input_text}", row.expected))


def test_edited_copies_in_test_are_told_with_both_rows() -> None:
    train, test = rows(600, 1), rows(80, 2)
    held = [*test, *map(edited, train[:20])]
    found = audit({"train": train, "dev": rows(50, 3), "test": held})
    (close,) = [finding for finding in found.findings if finding.kind == "near_leak"]
    assert (close.part, close.count, close.severity, close.mend) == (
        "test",
        20,
        "warning",
        "recipe: drop_near_duplicates",
    )
    assert close.message.startswith("20 of 100 rows (20.0%) of test are nearly what a row of train says")
    assert close.examples[:2] == (held[80].id, train[0].id)


def test_clean_parts_and_what_chance_makes_are_not_told() -> None:
    train = rows(600, 1)
    for held in (rows(100, 2), [*rows(99, 2), edited(train[0])]):
        assert not [
            finding
            for finding in audit({"train": train, "test": held}).findings
            if finding.kind == "near_leak"
        ]


def test_too_few_rows_to_calibrate_on_tell_nothing() -> None:
    train = rows(50, 1)
    assert not audit({"train": train, "test": [edited(row) for row in train]}).findings


def test_rows_are_drawn_evenly_and_every_turn_of_train_is_looked_at() -> None:
    """As a split by time has them: the copies are the newest, and training holds them in an earlier turn."""
    train, held = rows(600, 1), rows(1000, 2)
    asked = held[900:]
    for at, row in enumerate(asked):
        turns = (*ask(f"please {row.input_text}", "It is on its way."), *ask("Thank you!", "y"))
        train[at] = make_example(turns)
    (close,) = close_rows({"train": train, "test": held}, "train")
    assert (close.part, close.looked) == ("test", 500)
    assert len({name for name, _ in close.pairs} & {row.id for row in asked}) == 50
    assert len(close.pairs) <= 50 + 10
