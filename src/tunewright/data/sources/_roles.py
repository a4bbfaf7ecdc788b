"""What people said to one another as the messages of a conversation."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tunewright.data.names import listed, shown
from tunewright.data.rows import BadFile, BadRow, NoAnswer
from tunewright.data.source_spec import Side

_OTHERS = "*"
"""Stands for everyone who is not named."""


class Said(NamedTuple):
    """What somebody said."""

    side: Side
    name: str | None
    text: str


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


class Sides:
    """Who is which side of a conversation, as a source's `roles` says it; letter case plays no part."""

    def __init__(self, roles: Mapping[str, Side]) -> None:
        """Raises BadFile where a name has two sides."""
        self._sides: dict[str, Side] = {}
        for name, side in roles.items():
            if self._sides.setdefault(_folded(name), side) != side:
                raise BadFile(
                    f"roles says twice, and differently, who {shown(name)} is; letter case and blanks play no part.",
                    fix="Leave one of them out.",
                )

    def of(self, *names: str | None) -> Side:
        """The side of who goes by these names, the first that is known. Raises BadRow."""
        for name in (*(name for name in names if name), _OTHERS):
            if (side := self._sides.get(_folded(name))) is not None:
                return side
        who = shown(names[0]) if names and names[0] else "somebody without a name"
        raise BadRow(f"unknown speaker: {who} speaks; roles names {listed(self._sides)}, and no '*'")


def conversation(said: Iterable[Said]) -> dict[str, object]:
    """What was said as messages, and who asked and answered. Raises NoAnswer where nobody answers."""
    parts = [part for part in said if part.side != "skip" and part.text]
    messages = joined((part.side, part.text) for part in parts)
    sides = [part.side for part in parts]
    kept = parts[sides.index("user") : len(sides) - sides[::-1].index("assistant")]
    return {
        "messages": messages,
        "asked_by": _names(kept, "user"),
        "answered_by": _names(kept, "assistant"),
    }


def _names(parts: Iterable[Said], side: Side) -> str | None:
    """Who is on a side, each as first written."""
    found: dict[str, str] = {}
    for part in parts:
        if part.side == side and part.name:
            found.setdefault(_folded(part.name), part.name)
    return ", ".join(found.values()) or None


def joined(said: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Messages from (role, text), roles taking turns from a user's to an assistant's: what one says in a row is joined by a
    blank line; what stands before the first question or after the last answer is left out. Raises NoAnswer where none is.
    """
    turns: list[tuple[str, list[str]]] = []
    spoke = set[str]()
    for role, text in said:
        spoke.add(role)
        if turns and turns[-1][0] == role:
            turns[-1][1].append(text)
        elif turns or role == "user":
            turns.append((role, [text]))
    if turns and turns[-1][0] == "user":
        turns.pop()
    if not turns and spoke == {"assistant"}:
        raise NoAnswer("no question: nobody asks in words what is answered")
    if not turns:
        raise NoAnswer("no answer: nobody answers what is asked")
    return [{"role": role, "content": "\n\n".join(texts)} for role, texts in turns]
