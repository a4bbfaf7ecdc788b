"""What a person decided on a row: accept it, reject it for a reason, or edit it.

    decision = Decision.on(row, "edit", edit=edit_of(row, new), by="ann")
    edited(row, decision.edit)              # the row as it was edited (`edit.py`)

`file.py` keeps decisions in a file, `standing.py` says which of them counts for a row.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from tunewright.core.example import Example
from tunewright.data.review.edit import Edit, edited

Verdict = Literal["accept", "reject", "edit", "withdraw"]
"""`withdraw` takes back what the same person decided on the row before."""
Drawn = Literal["random", "chosen"]
LONGEST_NAME, LONGEST_REASON = 200, 10_000
"""Characters."""


class Decision(BaseModel):
    """One line of a file of reviews."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=64)
    """The row as it was judged: another text has another id."""
    place: str = Field(max_length=4096)
    """Where it came from (tickets.csv:12)."""
    source: str = Field("", max_length=4096)
    verdict: Verdict
    reason: str = Field("", max_length=LONGEST_REASON)
    edit: Edit | None = None
    becomes: str = Field("", max_length=64)
    """The id of the edited row."""
    drawn: Drawn = "chosen"
    """Whether the row was drawn at random, and speaks for others, or was chosen."""
    by: str = Field("", max_length=LONGEST_NAME)
    """Who decided."""
    at: AwareDatetime
    """When."""
    seen: bool = False
    """Whether another person's decision was shown: then it says nothing of how far the two agree by themselves."""

    @model_validator(mode="after")
    def _edits_where_it_says_so(self) -> Self:
        if (self.verdict == "edit") != (self.edit is not None):
            raise ValueError("an `edit` stands with the verdict edit, and with no other")
        return self

    @classmethod
    def on(
        cls,
        row: Example,
        verdict: Verdict,
        *,
        reason: str = "",
        edit: Edit | None = None,
        drawn: Drawn = "chosen",
        by: str = "",
        at: datetime | None = None,
        seen: bool = False,
    ) -> Self:
        """A decision on a row, made now unless it says when."""
        key = key_of(row)
        return cls(
            id=row.id,
            place=key.place,
            source=key.source,
            verdict=verdict,
            reason=reason,
            edit=edit,
            becomes=edited(row, edit).id if edit else "",
            drawn=drawn,
            by=by,
            at=at or now(),
            seen=seen,
        )

    @property
    def key(self) -> "Key":
        """The row that it is about."""
        return Key(self.source, self.place, self.id)

    @property
    def judgement(self) -> tuple[str, str]:
        """What two people have to agree on: the verdict, and of an edit what it changes."""
        if self.edit is None:
            return self.verdict, ""
        changes = self.edit.model_dump(mode="json", exclude_unset=True)
        return self.verdict, json.dumps(changes, sort_keys=True)

    def plain(self) -> dict[str, Any]:
        """As JSON values; what says nothing is left out."""
        row = self.model_dump(mode="json", exclude_unset=True)
        kept = {name: value for name, value in row.items() if value not in ("", None, False)}
        if self.edit is not None:
            kept["edit"] = self.edit.model_dump(mode="json", exclude_unset=True)
        return kept


class Key(NamedTuple):
    """Which row: its place, and the text that it had there."""

    source: str
    place: str
    id: str


def key_of(row: Example) -> Key:
    """What tells a row from others."""
    return Key(row.origin.source if row.origin else "", row.place, row.id)


def wrong(error: ValidationError) -> str:
    """The first thing that is wrong with settings or a line, in words: where, and what."""
    first = error.errors(include_url=False, include_input=False)[0]
    at = ".".join(map(str, first["loc"]))
    said = first["msg"].removeprefix("Value error, ")
    return f"{f'{at}: ' if at else ''}{said[:1].lower()}{said[1:]}"


def now(after: datetime | None = None) -> datetime:
    """The time, to the millisecond, and `after` another time in any case: a clock that is behind makes no older decision."""
    time = datetime.now(UTC)
    time = time.replace(microsecond=time.microsecond // 1000 * 1000)
    return time if after is None or time > after else after + timedelta(milliseconds=1)
