"""The parts of a data set, and the words that data sets have for them."""

from typing import Any, Literal

Part = Literal["train", "dev", "test"]
PARTS: tuple[Part, ...] = ("train", "dev", "test")
_WORDS: dict[str, Part] = {
    "train": "train", "training": "train",
    "dev": "dev", "development": "dev", "val": "dev", "valid": "dev", "validation": "dev",
    "test": "test", "testing": "test",
}  # fmt: skip


def part_named(value: Any) -> Part | None:
    """The part that a column's value names, letter case and blanks around it aside; None for another value."""
    return _WORDS.get(str(value).strip().lower())
