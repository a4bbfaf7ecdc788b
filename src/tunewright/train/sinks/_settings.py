"""Settings of a run as trackers take them: one flat table, by dotted names, so that runs can be told apart and sorted."""

from collections.abc import Iterator, Mapping
from typing import Any

Setting = str | int | float | bool


def flat(values: Mapping[str, Any]) -> dict[str, Setting]:
    """Nested values by dotted names: `{"train": {"seed": 1}}` is `train.seed`. Lists become text, and what is
    None is left out."""
    return dict(_flat(values, ""))


def _flat(values: Mapping[str, Any], head: str) -> Iterator[tuple[str, Setting]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{head}{name}", ", ".join(map(str, value))
        elif value is not None:
            yield f"{head}{name}", value
