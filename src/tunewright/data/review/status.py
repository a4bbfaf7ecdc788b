"""How far a review has come: shares of the verdicts with their intervals, by reviewer, and how far reviewers agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.core.interval import wilson
from tunewright.data.review.agreement import cohens_kappa
from tunewright.data.review.decision import Verdict
from tunewright.data.review.estimate import Tally, quality
from tunewright.data.review.standing import Reviews, Search

SHOWN = 20


class Part(BaseModel):
    """How many, and which share of all that were judged. It speaks for these alone, and has no interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    value: float


class Share(BaseModel):
    """A share with its 95 % interval (Wilson), which speaks for rows that nobody looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    of: int
    value: float
    low: float
    high: float


class Reviewer(BaseModel):
    """What one person reviewed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    rows: int
    accept: Part
    edit: Part
    reject: Part
    drawn_accept: Share | None
    """Of the rows that were drawn at random, how many this person accepts; none where none was drawn."""


class Pair(BaseModel):
    """How two people agree on the rows that both judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    second: str
    rows: int
    """Those that each judged without seeing what the other had decided, by what each said then."""
    alike: Share
    """How many they judge alike: accept, edit or reject, whatever an edit says."""
    by_chance: float
    """The share that they would judge alike, were each to give as many of each verdict blindly."""
    kappa: float | None
    """Cohen's κ: 1 for always, 0 for as often as chance makes it; none where both say the same of every row."""
    kappa_low: float | None
    kappa_high: float | None
    """Its 95 % interval."""


class ReviewStatus(BaseModel):
    """All of it, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    """Rows that there are to review."""
    reviewed: int
    accept: Part
    edit: Part
    reject: Part
    drawn_accept: Share | None
    """Of the rows that were drawn at random, how many were accepted; none where none was drawn."""
    good: Share | None
    """The share of all rows that are right as they are, with how many that makes; none where it cannot be told."""
    words: str
    """The same in a sentence."""
    reviewers: tuple[Reviewer, ...]
    pairs: tuple[Pair, ...]
    shown: int
    """Rows that somebody judged last with another's decision shown: that decision is left out of `pairs`."""
    disagreed: tuple[str, ...]
    """Places of the rows that reviewers judged differently, the first twenty."""
    reasons: dict[str, int]
    """How often each reason was given for a rejection, the most frequent first."""
    gone: tuple[str, ...]
    """Places of reviewed rows that are there no more, the first twenty."""
    older: tuple[str, ...]
    """Places of rows that said something else when they were reviewed, the first twenty."""

    @property
    def left(self) -> int:
        """Rows that nobody reviewed."""
        return self.rows - self.reviewed


def status(rows: Iterable[Example], reviews: Reviews) -> ReviewStatus:
    """Where the review of these rows stands."""
    tally, search = Tally(), Search(reviews)
    for row in rows:
        search.see(row)
        tally.take(row, reviews.on(row).decision)
    lost, good = search.lost(), tally.good
    judged = [reviews.judges(key) for key in reviews.keys]
    torn = [key.place for key in reviews.keys if len({d.judgement for d in reviews.judges(key).values()}) > 1]
    reasons = Counter(
        one.reason for by in judged for one in by.values() if one.verdict == "reject" and one.reason
    )
    return ReviewStatus(
        rows=tally.rows,
        reviewed=tally.reviewed,
        **_parts(tally.judged),
        drawn_accept=_accepted(tally.drawn),
        good=good and Share(count=round(good.value * tally.rows), of=tally.rows, **good._asdict()),
        words=quality(tally),
        reviewers=tuple(_reviewers(reviews)),
        pairs=tuple(_pairs(reviews)),
        shown=sum(any(one.seen for one in by.values()) for by in judged),
        disagreed=tuple(torn[:SHOWN]),
        reasons=dict(reasons.most_common()),
        gone=tuple(key.place for key in lost.gone[:SHOWN]),
        older=tuple(key.place for key in lost.older[:SHOWN]),
    )


def _parts(judged: Counter[Verdict]) -> dict[str, Part]:
    verdicts: tuple[Verdict, ...] = ("accept", "edit", "reject")
    rows = judged.total()
    return {name: Part(count=judged[name], value=judged[name] / rows if rows else 0) for name in verdicts}


def _accepted(drawn: Counter[Verdict]) -> Share | None:
    rows = drawn.total()
    if not rows:
        return None
    return Share(count=drawn["accept"], of=rows, **wilson(drawn["accept"], rows)._asdict())


def _reviewers(reviews: Reviews) -> Iterable[Reviewer]:
    judged, drawn = defaultdict[str, Counter[Verdict]](Counter), defaultdict[str, Counter[Verdict]](Counter)
    for key in reviews.keys:
        for by, decision in reviews.judges(key).items():
            judged[by][decision.verdict] += 1
            drawn[by][decision.verdict] += decision.drawn == "random"
    for by, verdicts in sorted(judged.items()):
        yield Reviewer(by=by, rows=verdicts.total(), **_parts(verdicts), drawn_accept=_accepted(drawn[by]))


def _pairs(reviews: Reviews) -> Iterable[Pair]:
    both = defaultdict[tuple[str, str], list[tuple[Verdict, Verdict]]](list)
    for key in reviews.keys:
        judges = reviews.blind(key)
        for one, other in combinations(sorted(judges), 2):
            both[one, other].append((judges[one].verdict, judges[other].verdict))
    for (one, other), verdicts in sorted(both.items()):
        agreement = cohens_kappa(verdicts)
        assert agreement is not None
        alike, kappa, rows = agreement.observed, agreement.kappa, agreement.things
        yield Pair(
            first=one,
            second=other,
            rows=rows,
            alike=Share(count=round(alike.value * rows), of=rows, **alike._asdict()),
            by_chance=agreement.by_chance,
            kappa=kappa and kappa.value,
            kappa_low=kappa and kappa.low,
            kappa_high=kappa and kappa.high,
        )
