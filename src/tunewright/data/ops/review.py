"""review: rows as people judged them: accepted, edited, or rejected."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal

from pydantic import Field, field_validator

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.ops.op import (
    DESIRABLE,
    MESSAGES,
    REJECTED,
    Dropped,
    Kept,
    Means,
    Note,
    OpSpec,
    Rows,
    Said,
    Touched,
)
from tunewright.data.review.decision import Decision
from tunewright.data.review.edit import edited
from tunewright.data.review.estimate import Tally, quality
from tunewright.data.review.file import read_all
from tunewright.data.review.standing import Reviews, Search

USES = ("files",)
REVIEWS = "reviews.jsonl"
SHOWN = 3


class Review(OpSpec):
    """Drop the rows that people rejected, and put their edits in the place of others (`tunewright data review`)."""

    op: Literal["review"] = "review"
    """Chooses this op."""
    file: str = Field(REVIEWS, min_length=1)
    """The file of decisions, below the project's folder; a glob takes several, as of one file for each reviewer."""
    unreviewed: Literal["keep", "drop"] = "keep"
    """What becomes of rows that nobody reviewed."""

    @field_validator("file")
    @classmethod
    def _is_below(cls, file: str) -> str:
        path = PurePath(file)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("it lies outside the project's folder; name a file below it (reviews.jsonl)")
        return file


def files(spec: Review) -> tuple[str, ...]:
    """The files of decisions."""
    return (spec.file,)


def writes(spec: Review, given: frozenset[str]) -> None:
    """People may have put in any field."""


def touches(spec: Review, given: frozenset[str]) -> Touched:
    """People may have edited anything."""
    looked, beside = given | {MESSAGES}, frozenset({REJECTED, DESIRABLE})
    return Touched(looked, beside, changes=looked | beside, adds=beside, removes=given)


def apply(spec: Review, rows: Rows, means: Means) -> Iterator[Said]:
    """Judge each row as people did. Raises DataError for a line that is no decision."""
    reviews = Reviews(read_all(means.root, spec.file))
    search, tally = Search(reviews), Tally()
    disagreed, doubtful = list[str](), list[str]()
    for row in rows:
        standing = reviews.on(row)
        search.see(row)
        tally.take(row, standing.decision)
        if standing.disagreed:
            disagreed.append(row.place)
        if standing.doubtful:
            doubtful.append(row.place)
        yield _said(row, standing.decision, spec)
    lost = search.lost()
    told = {
        "judged differently by two people, the later judgement counts": disagreed,
        "equal to rows that were judged differently at two places, which counts for nothing": doubtful,
        "reviewed before, and no longer there": [key.place for key in lost.gone],
        "reviewed when they said something else, which counts for nothing": [key.place for key in lost.older],
    }
    yield Note(quality(tally))
    yield from (Note(f"{fate}: {_named(places)}") for fate, places in told.items() if places)


def _said(row: Example, decision: Decision | None, spec: Review) -> Said:
    if decision is None:
        return Dropped(row, "not reviewed") if spec.unreviewed == "drop" else Kept(row)
    if decision.verdict == "reject":
        return Dropped(row, f"rejected in review{f': {decision.reason}' if decision.reason else ''}")
    if decision.edit is None or (row.id == decision.becomes != decision.id):
        return Kept(row)
    try:
        return Kept(edited(row, decision.edit), row)
    except ValueError as error:
        raise DataError(
            f"the edit of {row.place} by {decision.by or 'somebody'} does not fit the row ({error})",
            where=spec.file,
            fix="Take its line out.",
        ) from None


def _named(places: list[str]) -> str:
    """How many rows, and where the first are."""
    more = f" and {len(places) - SHOWN:,} more" if len(places) > SHOWN else ""
    return f"{len(places):,} row{'s' * (len(places) > 1)} ({', '.join(places[:SHOWN])}{more})"
