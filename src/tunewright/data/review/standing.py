"""Which decision counts for a row, out of all that were made.

    reviews = Reviews(read(path))
    reviews.on(row).decision            # the latest on this row, or on the same row at another place; None: not reviewed

A row goes by its id, which is a hash of what it says: a file that got new lines above it leaves its decisions valid. What
was decided on a text that has changed since counts for nothing, and is told.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.review.decision import Decision, Key, key_of


class Standing(NamedTuple):
    """How a row stands."""

    decision: Decision | None
    """The one that counts; none: the row is not reviewed."""
    by: Mapping[str, Decision] = MappingProxyType({})
    """The latest of each reviewer, the one that counts among them."""
    doubtful: bool = False
    """Whether equal rows at other places were judged differently, so that none of their decisions counts here."""

    @property
    def disagreed(self) -> bool:
        """Whether reviewers judged it differently."""
        return len({one.judgement for one in self.by.values()}) > 1


UNREVIEWED = Standing(None)


class Reviews:
    """Decisions, by the rows that they are about."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        """Of the decisions on a row the latest counts, whoever made it; of equal times, the later one here."""
        self._on: dict[Key, dict[str, Decision]] = {}
        self._blind: dict[Key, dict[str, Decision]] = {}
        self._keys: dict[str, set[Key]] = defaultdict(set)
        self._became: dict[Key, Key] = {}
        self._reasons = Counter[str]()
        self._newest: dict[Key, datetime] = {}
        for decision in sorted(decisions, key=lambda one: one.at):
            self.add(decision)

    def add(self, decision: Decision) -> None:
        """Take in one more, later than the others."""
        self._newest[decision.key] = decision.at
        judges = self._on.setdefault(decision.key, {})
        judges.pop(decision.by, None)
        if decision.verdict == "reject" and decision.reason:
            self._reasons[decision.reason] += 1
        if decision.verdict != "withdraw":
            judges[decision.by] = decision  # last in the order of the dict: the latest
        self._add_blind(decision)
        if decision.becomes:
            self._became[decision.key._replace(id=decision.becomes)] = decision.key
        if judges:
            self._keys[decision.id].add(decision.key)
        else:
            del self._on[decision.key]
            self._keys[decision.id].discard(decision.key)

    def _add_blind(self, decision: Decision) -> None:
        blind = self._blind.setdefault(decision.key, {})
        if decision.verdict == "withdraw":
            blind.pop(decision.by, None)
        elif not decision.seen:
            blind[decision.by] = decision

    def on(self, row: Example) -> Standing:
        """How a row stands: by its own decisions, else by those on an equal row at another place, where they agree.

        A row that has come to say what an edit made of it stands by that edit.
        """
        key = key_of(row)
        if judges := self._on.get(key) or self._on.get(self._became.get(key, key)):
            return Standing(list(judges.values())[-1], judges)
        elsewhere = [self._on[key] for key in self._keys.get(row.id, ())]
        latest = [list(judges.values())[-1] for judges in elsewhere]
        if len({one.judgement for one in latest}) > 1:
            return Standing(None, doubtful=True)
        if not latest:
            return UNREVIEWED
        decision = max(latest, key=lambda one: one.at)
        return Standing(decision, self._on[decision.key])

    def mine(self, row: Example, by: str) -> Decision | None:
        """What one person decided on just this row."""
        return self._on.get(key_of(row), {}).get(by)

    def newest(self, key: Key) -> datetime | None:
        """When the last decision on just this row was made, taken back or not."""
        return self._newest.get(key)

    def __contains__(self, key: Key) -> bool:
        return key in self._on

    @property
    def keys(self) -> list[Key]:
        """The rows that were reviewed."""
        return list(self._on)

    def judges(self, key: Key) -> dict[str, Decision]:
        """The latest decision of each reviewer on a row, the one that counts last."""
        return self._on[key]

    def blind(self, key: Key) -> dict[str, Decision]:
        """The latest decision of each reviewer on a row that was made without another's before their eyes."""
        return self._blind.get(key, {})

    def fulfilled(self, row: Example) -> Key | None:
        """The row that this one was, where its source has come to say what an edit made of it."""
        return self._became.get(key_of(row))

    @property
    def reasons(self) -> list[str]:
        """The reasons ever given for rejections, the most frequent first."""
        return [reason for reason, _ in self._reasons.most_common()]


class Lost(NamedTuple):
    """Decisions that count for no row any more."""

    gone: list[Key]
    """Their rows are there no more."""
    older: list[Key]
    """Their rows' places have another text now."""


class Search:
    """Which reviewed rows are among the rows at hand: each is shown to `see`, and `lost` then tells what is missing."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews
        self._ids = {key.id for key in reviews.keys}
        self._places = {(key.source, key.place) for key in reviews.keys}
        self._seen = set[str]()
        self._free = set[tuple[str, str]]()

    def see(self, row: Example) -> None:
        """Take one row in."""
        source, place, name = key_of(row)
        if name in self._ids:
            self._seen.add(name)
        elif done := self._reviews.fulfilled(row):
            self._seen.add(done.id)
        elif (source, place) in self._places:
            self._free.add((source, place))

    def lost(self) -> Lost:
        """The reviewed rows that were not among them."""
        missing = [key for key in self._reviews.keys if key.id not in self._seen]
        older = {key for key in missing if (key.source, key.place) in self._free}
        return Lost([key for key in missing if key not in older], [key for key in missing if key in older])
