"""Rows, and decisions on them, for the tests of reviews."""

from datetime import UTC, datetime, timedelta

from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.data.review.decision import Decision, Verdict
from tunewright.data.review.edit import edit_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(number: int, answer: str = "yes", **fields: object) -> Example:
    return make_example(
        ask(f"Question {number}?", answer), fields=fields, origin=Origin(source="s", file="f.csv", row=number)
    )


def said(
    row: Example,
    verdict: Verdict,
    by: str = "ann",
    *,
    minute: int = 0,
    new: Example | None = None,
    **more: str,
) -> Decision:
    edit = edit_of(row, new) if new else None
    return Decision.on(row, verdict, edit=edit, by=by, at=NOON + timedelta(minutes=minute), **more)  # type: ignore[arg-type]
