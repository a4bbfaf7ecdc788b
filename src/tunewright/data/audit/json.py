"""What is odd about answers in JSON: broken ones among good ones, and fields that are now of one type, now of another."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tunewright.core.example import Example
from tunewright.data.audit.recipes import keep_line
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.excerpt import excerpt
from tunewright.data.quality import is_cut

_MOSTLY = 0.5
"""The share of answers in JSON from which on the data set's answers are JSON. Our own choice: the majority."""
_ALWAYS = 0.95
"""The share from which on an answer in something else is a fault. Our own choice, because below it both are meant."""
_MOST_FIELDS, _DEEPEST = 500, 20
_LONGEST = 200_000
_NUMERIC = "text that holds a number"
_FEWEST = 10
_CUT = "{op: quality, drop: [cut]}"
_JSON_ALONE = keep_line("expected.lstrip()[:1] in ['{', '[', '`']")
_UNFENCED = (
    "{op: map, set: {expected: \"{{ (expected | trim).removeprefix('```json').removeprefix('```').removesuffix('```')"
    ' | trim }}"}}'
)
"""Lines that drop answers which break off, and such as are no JSON, and that take fences away."""
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d{0,8})(?:[.,]\d{1,6})?")
_ID = re.compile(
    r"(?i)(?:^|[_.])(?:id|no|nr|number|code|zip|postcode|phone|tel|sku|version|isbn|account)(?:\[\])?$|id$"
)
"""Fields whose digits are a name, not a number."""


class Json:
    """Parses each answer that looks like JSON."""

    kinds: tuple[str, ...] = ("broken_json", "mixed_types", "number_as_text")

    def __init__(self) -> None:
        self._answers = self._good = 0
        self._fenced = Hits()
        self._broken = Hits()
        self._open = 0
        self._plain = Hits()
        self._types: dict[str, dict[str, Hits]] = {}

    def see(self, row: Example) -> None:
        """Take a row in."""
        last = row.messages[-1]
        if row.is_document or not row.desirable or last.tool_calls:
            return
        self._answers += 1
        text = last.content.strip()
        fenced = text.startswith(("```json", "```\n{", "```\n["))
        if fenced:
            self._fenced.add(row, text)
            text = text[text.find("\n") + 1 :].removesuffix("```").strip()
        if text[:1] not in ("{", "[") or len(text) > _LONGEST:
            self._plain.add(row, text)
            return
        try:
            value = json.loads(text)
        except RecursionError:
            return
        except ValueError as error:
            self._broken.add(row, text, getattr(error, "pos", 0))
            self._open += is_cut(text)
            return
        self._good += 1
        for path, name in set(_types(value, "", 0)):
            if path in self._types or len(self._types) < _MOST_FIELDS:
                seen = self._types.setdefault(path, {})
                if name not in seen:
                    seen[name] = Hits()
                seen[name].add(
                    row, text, max(0, text.find(f'"{path.rpartition(".")[2].removesuffix("[]")}"'))
                )

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        tried = self._good + self._broken.count
        if not tried or tried < _MOSTLY * self._answers or not self._good:
            return
        if self._broken:
            message = f"{scope.share(self._broken.count)} answer in JSON that cannot be parsed."
            yield Oddity(
                "broken_json",
                self._broken,
                message,
                recipe=_CUT if self._open == self._broken.count else None,
            )
        if self._plain and tried >= _ALWAYS * self._answers:
            message = f"{scope.share(self._plain.count)} answer in something else than JSON, which nearly all others are."
            yield Oddity("broken_json", self._plain, message, recipe=_JSON_ALONE)
        if 0 < self._fenced.count < self._answers:
            message = (
                f"{scope.share(self._fenced.count)} answer in JSON within a fence (```), the others without."
            )
            yield Oddity("mixed_types", self._fenced, message, recipe=_UNFENCED)
        for path, types in self._types.items():
            yield from _field(path, types, scope)


def _field(path: str, types: dict[str, Hits], scope: Scope) -> Iterator[Oddity]:
    """What is odd about the types of one field; an absent value is no type."""
    counts = Counter({name: hits.count for name, hits in types.items() if name != "null"})
    digits = _ID.search(path) is not None
    if set(counts) == {_NUMERIC} and counts[_NUMERIC] >= _FEWEST and not digits:
        message = f"{excerpt(path)} is a text that holds a number in {scope.share(counts[_NUMERIC])}."
        yield Oddity("number_as_text", types[_NUMERIC], message)
    kinds = {"text" if name == _NUMERIC else name for name in counts}
    if len(kinds) > 1 or (digits is False and {"number", _NUMERIC} <= counts.keys()):
        usual, *others = [name for name, _ in counts.most_common()]
        odd = Hits()
        odd.count, odd.shown = sum(counts[name] for name in others), types[others[0]].shown
        named = ", ".join(f"{name} in {counts[name]:,}" for name in (usual, *others))
        yield Oddity(
            "mixed_types",
            odd,
            f"{excerpt(path)} is of several types in the answers of {scope.named}: {named}.",
        )


def _types(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """(path, type) of all that a value holds, of an array's first items."""
    if depth > _DEEPEST:
        return
    if path:
        yield path, _type(value)
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _types(part, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for part in value[:_DEEPEST]:
            yield from _types(part, f"{path}[]", depth + 1)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return _NUMERIC if _NUMBER.fullmatch(value) else "text"
    return {int: "number", float: "number", list: "array", dict: "object", type(None): "null"}[type(value)]
