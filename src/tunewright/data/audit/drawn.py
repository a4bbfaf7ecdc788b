"""Personal data and secrets in evenly drawn rows, where a look at all of them would take too long."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.audit.audit import Finding, audit
from tunewright.data.examples import evenly

_KINDS = frozenset(("secret", "personal_data"))
_MEASURED = 200
"""Rows by which the characters of a part are told."""


class Drawn(NamedTuple):
    """What was found in the rows that were drawn."""

    findings: tuple[Finding, ...]
    looked: int
    """Rows that were drawn, of all parts."""
    rows: int


def in_some(parts: Mapping[str, Sequence[Example]], kinds: frozenset[str] | None, chars: int) -> Drawn:
    """Look for these kinds of the two, in about so many characters of all parts together."""
    share = min(1.0, chars / max(1.0, sum(map(_chars, parts.values()))))
    drawn = {part: evenly(rows, max(1, int(len(rows) * share))) for part, rows in parts.items()}
    found = audit(drawn, deep=True, kinds=_KINDS if kinds is None else _KINDS & kinds).findings
    findings = tuple(
        one.model_copy(update={"message": f"{one.message.rstrip('.')}{_of(one, parts, drawn)}."})
        for one in found
        if one.kind in _KINDS
    )
    return Drawn(findings, sum(map(len, drawn.values())), sum(map(len, parts.values())))


def _of(
    found: Finding, parts: Mapping[str, Sequence[Example]], drawn: Mapping[str, Sequence[Example]]
) -> str:
    """How many of a part's rows were looked at, where these are not all."""
    looked, whole = (len(some.get(found.part or "", ())) for some in (drawn, parts))
    return f" ({looked:,} evenly drawn ones of {whole:,} were looked at)" if looked < whole else ""


def _chars(rows: Sequence[Example]) -> float:
    """About how many characters a part has."""
    some = evenly(rows, _MEASURED)
    told = sum(message.chars for row in some for message in row.messages)
    return told * len(rows) / max(1, len(some))
