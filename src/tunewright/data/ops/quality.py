"""quality: rows are told apart by rules, and the worst may go.

The rules are those of data/quality.py. Each row gets the share that it passes in a field (`quality`) and the names of those
that it fails in another (`flaws`), to look at, filter, or let drop_near_duplicates keep the best by.
"""

from array import array
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.example import Example
from tunewright.data.ops._scored import ShareSpec, best
from tunewright.data.ops.op import Dropped, Kept, Rows, Said, Touched
from tunewright.data.quality import judged
from tunewright.data.quality_rules import Rules

RuleName = Literal[
    "empty",
    "placeholder",
    "echo",
    "cut",
    "refusal",
    "word_length",
    "symbols",
    "stop_words",
    "repeated_lines",
    "repeated_words",
    "ellipsis",
    "boilerplate",
    "numbers",
    "bullets",
    "unended_lines",
    "short_lines",
]


class Quality(ShareSpec):
    """Tell rows apart by rules, and drop the worst."""

    op: Literal["quality"] = "quality"
    """Chooses this op."""
    rules: Rules = Rules()
    """The rules and their limits."""
    drop: tuple[RuleName, ...] = ()
    """Rules of which one is enough to drop a row: [empty, placeholder, cut]."""
    drop_below: float | None = Field(None, gt=0, le=1)
    """Drop rows that pass a smaller share of the rules that can be asked of them; 1 drops every row with a flaw."""
    field: str = Field("quality", min_length=1)
    """The field that the share is written to."""
    flaws_field: str = Field("flaws", min_length=1)
    """The field that the names of the failed rules are written to."""

    @model_validator(mode="after")
    def _asks_what_it_drops_by(self) -> Self:
        if off := [name for name in self.drop if getattr(self.rules, name) in (None, False)]:
            raise ValueError(f"drop names {off[0]}, which rules turns off")
        return self


def writes(spec: Quality, given: frozenset[str]) -> frozenset[str]:
    """The fields with the share and the failed rules."""
    return frozenset({spec.field, spec.flaws_field})


def touches(spec: Quality, given: frozenset[str]) -> Touched:
    """The turns; a share that stands there already is another one now."""
    return Touched(changes=writes(spec, given), kinds={spec.field: "number", spec.flaws_field: "list"})


def apply(spec: Quality, rows: Rows) -> Iterator[Said]:
    """Every row with its two fields, or dropped with the reason."""
    scores = array("d")
    flaws = list[tuple[str, ...]]()
    for row in rows:
        found = judged(row, spec.rules)
        scores.append(found.score)
        flaws.append(found.flaws)
    whys = [_why(spec, score, failed) for score, failed in zip(scores, flaws, strict=True)]
    stays = best(scores, spec.keep_share, (at for at, why in enumerate(whys) if why is None))
    for at, row in enumerate(rows):
        why = whys[at] or (
            None if at in stays else f"not in the best {spec.keep_share:.0%}: quality {scores[at]:.2f}"
        )
        yield _told(spec, row, scores[at], flaws[at], why)


def _why(spec: Quality, score: float, flaws: tuple[str, ...]) -> str | None:
    """Why a row goes, whatever the others are."""
    if worst := [name for name in flaws if name in spec.drop]:
        return ", ".join(worst)
    if spec.drop_below is not None and score < spec.drop_below:
        return f"quality {score:.2f} ({', '.join(flaws)})"
    return None


def _told(spec: Quality, row: Example, score: float, flaws: tuple[str, ...], why: str | None) -> Said:
    if why is not None:
        return Dropped(row, why)
    fields = {**row.fields, spec.field: round(score, 4), spec.flaws_field: list(flaws)}
    return Kept(row.model_copy(update={"fields": fields}), row, dict.fromkeys(flaws, 1))
