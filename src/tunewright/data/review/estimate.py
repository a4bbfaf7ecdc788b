"""What a review of some rows says of all of them."""

from collections import Counter
from datetime import datetime

from tunewright.core.example import Example
from tunewright.core.interval import Estimate, wilson
from tunewright.data.review.decision import Decision, Verdict, key_of

_DONE: tuple[tuple[Verdict, str], ...] = (("accept", "accepted"), ("edit", "edited"), ("reject", "rejected"))


class Tally:
    """How rows were judged, all of them told one after the other."""

    def __init__(self) -> None:
        self.rows = 0
        self.judged = Counter[Verdict]()
        self.drawn = Counter[Verdict]()
        """Of these, the ones that were drawn at random: they speak for the rows that nobody reviewed."""
        self._began: datetime | None = None
        """When the first of the drawn rows was judged."""
        self._others = list[tuple[datetime, Verdict]]()
        """When the other rows were judged."""

    def take(self, row: Example, decision: Decision | None) -> None:
        """One more row, and the decision that counts for it."""
        self.rows += 1
        if decision is None:
            return
        self.judged[decision.verdict] += 1
        # a row that goes by the decision on an equal one was not drawn itself
        if decision.drawn == "random" and decision.key[:2] == key_of(row)[:2]:
            self.drawn[decision.verdict] += 1
            self._began = min(self._began or decision.at, decision.at)
        else:
            self._others.append((decision.at, decision.verdict))

    @property
    def reviewed(self) -> int:
        """Rows that were judged."""
        return self.judged.total()

    @property
    def good(self) -> Estimate | None:
        """The share of all rows that are right as they are, with Wilson's interval. None where no row was drawn at random,
        and some are not reviewed.

        Rows that were drawn speak for those that they were drawn from: all but the ones that had been judged before. What
        was chosen afterwards was among these, and must not be taken out of them: whoever goes on to look for bad rows
        finds them, and the rest is better than the draw says. What is known of all rows bounds the estimate.
        """
        left, drawn = self.rows - self.reviewed, self.drawn.total()
        if not self.rows or (left and not drawn):
            return None
        accepted = self.judged["accept"]
        before = [verdict for at, verdict in self._others if self._began and at < self._began]
        known = before.count("accept") + self.drawn["accept"]
        rest = self.rows - len(before) - drawn
        bounds = (known + rest * bound for bound in wilson(self.drawn["accept"], drawn))
        return Estimate(*(min(max(bound, accepted), accepted + left) / self.rows for bound in bounds))


def quality(tally: Tally) -> str:
    """In words: how many rows were reviewed, with what result, and what that says of the others."""
    reviewed = f"{tally.reviewed:,} of {tally.rows:,} rows are reviewed"
    if not tally.reviewed:
        return reviewed
    counts = ", ".join(f"{tally.judged[verdict]:,} {done}" for verdict, done in _DONE)
    if (good := tally.good) is None:
        return f"{reviewed}: {counts}; they were chosen, and say nothing of the others"
    if tally.reviewed == tally.rows:
        return f"{reviewed}: {counts}"
    return (
        f"{reviewed}: {counts}; as {tally.drawn.total():,} of them were drawn at random, about {good.value:.1%} of all rows"
        f" are right as they are (95 % interval {good.low:.1%} to {good.high:.1%})"
    )
