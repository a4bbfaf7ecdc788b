"""Reading a row by its form, and which of its keys were read: what is left over is kept as fields."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from tunewright.data.forms._parts import refuse
from tunewright.data.forms.spec import FormSpec
from tunewright.data.side_keys import free_name
from tunewright.data.thinking import Thoughts

_CHAT_KEYS = frozenset(
    (
        *("messages", "tools", "functions", "rejected", "label", "kto_tag", "chosen", "prompt", "completion"),
        *("input", "preferred_output", "non_preferred_output", "text"),
    )
)
"""Keys that say something in a chat row or a document."""


class Made(NamedTuple):
    """A row, converted."""

    row: dict[str, Any]
    """The chat row or document, with the fields that are kept."""
    read: frozenset[str]
    """The row's keys that the form took up."""


def reader_of(spec: FormSpec) -> Callable[[Mapping[str, Any], Thoughts], Made]:
    """How rows of a form are read, and what becomes of their thinking. What it returns raises BadRow."""
    form = spec.form()
    read = import_module(f"tunewright.data.forms.{form.family}").read

    def made(row: Mapping[str, Any], thoughts: Thoughts) -> Made:
        refuse(row, form)
        noted = _Noted(row)
        found: dict[str, Any] = read(
            noted, form if thoughts.how is None else form._replace(thoughts=thoughts)
        )
        for key, value in row.items():
            if key not in noted.read:
                name = kept_as(key)
                found[free_name(key, found) if name in found else name] = value
        return Made(found, frozenset(noted.read))

    return made


def kept_as(key: str) -> str:
    """The field that a row's key is kept as: one that says something in a chat row is another's."""
    return f"other_{key}" if key in _CHAT_KEYS else key


class _Noted(Mapping[str, Any]):
    """A row that notes which of its keys were asked for."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        value = self._row[key]
        self.read.add(key)
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._row

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)
