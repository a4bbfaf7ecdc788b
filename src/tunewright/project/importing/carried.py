"""What became of a config's keys: carried over, changed, or without counterpart. No key is passed over.

    ledger = Ledger(config, {"name": …, "task": {}, "base": …, "sources": {…}})
    ledger.carry("lora_r", 16, "train.adapter.rank")
    ledger.values, ledger.lines

A value is laid into the project file only where the file takes it; else its key is told as one without counterpart.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from tunewright.project.file import ProjectFile

Fate = Literal["carried", "changed", "without"]
SAYS_NOTHING = "it says nothing"
_SHOWN = 60


class Line(NamedTuple):
    """What became of one key."""

    key: str
    """As the config has it: `datasets[0].type`."""
    value: str
    """Its value as JSON, perhaps cut."""
    fate: Fate
    to: str
    """The field it went to; empty where it went nowhere."""
    why: str


class Ledger:
    """The project file's values as they grow, and a line for each key of the config."""

    def __init__(self, config: Mapping[str, Any], start: Mapping[str, Any]) -> None:
        self.config = config
        self.values: dict[str, Any] = deepcopy(dict(start))
        self._lines: list[Line] = []

    @property
    def lines(self) -> list[Line]:
        """The lines in the order of the config's keys; those of its defaults last."""
        place = {key: at for at, key in enumerate(self.config)}
        return sorted(self._lines, key=lambda line: place.get(self._head(line.key), len(place)))

    def told(self, key: str) -> bool:
        """Whether there is a line of a key, or of what lies in it."""
        return any(self._head(line.key) == key for line in self._lines)

    def carry(self, key: str, value: Any, field: str, laid: Any = None, why: str = "") -> None:
        """Lay a key's value, or `laid`, into a field; with a reason it is one that was changed."""
        problem = self.lay(field, value if laid is None else laid)
        if problem:
            self.leave(key, value, f"{field} does not take it: {problem}")
        else:
            self.tell(key, value, "changed" if why else "carried", field, why)

    def leave(self, key: str, value: Any, why: str) -> None:
        """Tell that a key has no counterpart."""
        self.tell(key, value, "without", "", why)

    def leave_rest(self, at: str, values: Mapping[str, Any]) -> None:
        """Tell of the keys of an entry (a data set's) that have no line yet: they say nothing, or cannot be read."""
        told = [line.key for line in self._lines]
        for key, value in values.items():
            place = f"{at}.{key}"
            if not any(each == place or each.startswith((f"{place}.", f"{place}[")) for each in told):
                self.leave(place, value, SAYS_NOTHING if value in (None, "", [], {}) else "it cannot be read")

    def tell(self, key: str, value: Any, fate: Fate, to: str, why: str) -> None:
        """Write a line."""
        self._lines.append(Line(key, shown(value), fate, to, why))

    def lay(self, field: str, value: Any) -> str | None:
        """Set a dotted field, or say why the project file does not take it there."""
        trial = deepcopy(self.values)
        *way, last = field.split(".")
        node = trial
        for part in way:
            node = node.setdefault(part, {})
        node[last] = value
        try:
            ProjectFile.model_validate(trial)
        except ValidationError as error:
            return str(error.errors()[0]["msg"]).removeprefix("Value error, ").removeprefix("Input ")
        self.values = trial
        return None

    def get(self, field: str) -> Any:
        """What a dotted field holds so far, or nothing."""
        node: Any = self.values
        for part in field.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        return node

    def _head(self, key: str) -> str:
        """The config's own key that a line's key is, or lies in."""
        return key if key in self.config else key.partition("[")[0].partition(".")[0]


def shown(value: Any) -> str:
    """A value as one short line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
