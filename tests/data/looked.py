"""What checks of the audit find in rows made of words."""

from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.core.message import Message
from tunewright.data.audit.kinds import KINDS
from tunewright.data.audit.seen import Scope


def row(
    question: str, answer: str = "Fine.", *, system: str | None = None, number: int = 1, **more
) -> Example:
    """A row of a file that asks and answers."""
    return make_example(
        ask(question, answer, system=system), origin=Origin(source="s", file="rows.csv", row=number), **more
    )


def talk(*turns: tuple[str, str]) -> Example:
    """A row of these (role, text)."""
    return make_example(tuple(Message(role=role, content=text) for role, text in turns))


def found(check, rows, part: str = "all") -> list[tuple[str, str, int, str]]:
    """(kind, severity, count, message) of what a check finds."""
    for one in rows:
        check.see(one)
    oddities = check.found(Scope(part, len(rows)))
    return [
        (one.kind, one.severity or KINDS[one.kind].severity, one.hits.count, one.message) for one in oddities
    ]


def kinds(check, rows) -> dict[str, int]:
    """Kind → count of what a check finds."""
    return {kind: count for kind, _, count, _ in found(check, rows)}
