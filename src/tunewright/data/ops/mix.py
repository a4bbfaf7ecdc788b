"""mix: rows of several needs in given shares.

    - {op: mix, needs: [tickets, chats, declined], shares: {tickets: 1, chats: general, declined: refusals}}

Shares that have worked, to begin with and to measure from, have names (`KNOWN`), docs/quality.md their sources. A need
with such a name takes its share of the whole, as far as it has rows, and never makes the task's rows fewer; numbers share
out the rest. `train.rehearsal: 0.25` does the same as general rows with the base's own answers: have one of the two. Beside
every refusal stands a harmless question of like words with its answer. Synthetic rows are held by `data.synthetic_share`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from tunewright.core.errors import DataError
from tunewright.data.ops._drawn import standing, times_each
from tunewright.data.ops.op import Note, OpSpec, Rows, Said, Touched, judged
from tunewright.data.ops.sample import drawn
from tunewright.data.repeats import REPEAT

VERSION = "3"
Role = Literal["general", "refusals", "no_answer"]


class Known(NamedTuple):
    """A share of the whole that has worked."""

    share: float
    why: str


KNOWN: dict[Role, Known] = {
    "general": Known(
        0.2,
        "one row for every four of the task: with so many the embedded base lost 5 to 9 points of its other skills in"
        " training, with none 27",
    ),
    "refusals": Known(
        0.02,
        "1 to 3 % have worked: some hundred of 20,000 rows made models safe, more made them shy of harmless questions"
        " (arXiv:2309.07875)",
    ),
    "no_answer": Known(
        0.15,
        "10 to 20 % of rows that answer from a text: a third, as in SQuAD 2.0 (arXiv:1806.03822), is more than most"
        " traffic has",
    ),
}
"""What rows beside the task's are for, and how many of them to begin with."""


class Mix(OpSpec):
    """Keep of each need as many rows as its share allows: the most there can be without repeating any, or with."""

    op: Literal["mix"] = "mix"
    """Chooses this op."""
    shares: dict[str, Annotated[float, Field(gt=0)] | Role] = Field(min_length=2)
    """Of each need, how much of the result its rows are to be: {tickets: 4, chats: 1} is four fifths and one. Or what they
    are for, which has a share that has worked: `general` (rows against forgetting, 20 %), `refusals` (2 %), `no_answer` (the
    text does not say, 15 %); numbers then share out the rest: {tickets: 1, chats: general}."""
    rows: int | None = Field(None, gt=0)
    """How many rows in all, at most."""
    upsample: bool = False
    """Repeat rows of needs that have too few, rather than drop rows of the others. Repetitions are kept out of dev
    and test."""
    repeats: int = Field(4, ge=2, le=100)
    """With upsample, a row stands so many times at most: up to four passes teach nearly as much as new rows would
    (arXiv:2305.16264)."""
    seed: int = 0
    """Seeds the draw."""

    @model_validator(mode="after")
    def _names_its_needs(self) -> Self:
        if set(self.needs) != set(self.shares):
            raise ValueError("shares and needs name other rows; name the same in both")
        if not self.task:
            raise ValueError(
                "no share is a number: the task's own rows have one ({tickets: 1, chats: general})"
            )
        return self

    @property
    def task(self) -> dict[str, float]:
        """The shares that are numbers."""
        return {name: share for name, share in self.shares.items() if not isinstance(share, str)}

    @property
    def beside(self) -> dict[str, float]:
        """Of each need that has a role, its share of the whole; needs of one role divide its share."""
        roles = [share for share in self.shares.values() if isinstance(share, str)]
        return {
            name: KNOWN[role].share / roles.count(role)
            for name, role in self.shares.items()
            if isinstance(role, str)
        }


def writes(spec: Mix, given: frozenset[str]) -> frozenset[str]:
    """The mark of rows that stand again."""
    return frozenset({REPEAT} if spec.upsample else ())


def touches(spec: Mix, given: frozenset[str]) -> Touched:
    """It draws rows, whatever is in them."""
    return Touched(frozenset(), kinds={REPEAT: "object"})


def apply(spec: Mix, rows: Rows) -> Iterator[Said]:
    """Draw of each need its part; the rest is dropped. Raises DataError where a need has no rows."""
    empty = next((name for name, given in rows.given.items() if not len(given)), None)
    if empty is not None:
        raise DataError(
            f"{empty} has no rows, and no share of anything is nothing.",
            where="recipe, mix.needs",
            fix="Look at what leads to it (`tunewright data preview`), or take it out of the mix.",
        )
    wanted = counts_of(spec, {name: len(given) for name, given in rows.given.items()})
    for name, given in rows.given.items():
        if spec.upsample:
            times = times_each([row.id for row in given], wanted[name], spec.seed)
            for row, number in zip(given, times, strict=True):
                yield from standing(row, number, _reason(name))
        else:
            chosen = drawn(given, wanted[name], spec.seed)
            for number, row in enumerate(given):
                yield judged(row, None if number in chosen else _reason(name))
    yield from _told(spec, wanted)


def _reason(name: str) -> str:
    return f"{name} has more than its share"


def counts_of(spec: Mix, there: Mapping[str, int]) -> dict[str, int]:
    """How many rows of each need the result has."""
    most = {name: number * (spec.repeats if spec.upsample else 1) for name, number in there.items()}
    task = {name: most[name] for name in spec.task}
    enough = _enough(spec, there) if spec.upsample else sum(task.values())
    held = dict[str, int]()
    if spec.beside:
        held = _beside(spec, most, sum(counts(task, spec.task, enough).values()))
    left = enough if spec.rows is None else min(enough, max(0, spec.rows - sum(held.values())))
    return counts(task, spec.task, left) | held


def _beside(spec: Mix, most: Mapping[str, int], alone: int) -> dict[str, int]:
    """How many rows of each role stand beside so many of the task.

    A role with too few rows makes the whole smaller, and by that the others' parts, of which then no more may be too few.
    """
    scarce = sorted(spec.beside, key=lambda name: most[name] / spec.beside[name])
    total = float(spec.rows or "inf")
    for short in range(len(scarce) + 1):
        given = alone + sum(most[name] for name in scarce[:short])
        whole = given / (1 - sum(spec.beside[name] for name in scarce[short:]))
        if all(most[name] >= whole * spec.beside[name] for name in scarce[short:]):
            total = min(total, whole)
            break
    return {name: min(most[name], int(total * share + 0.5)) for name, share in spec.beside.items()}


def _enough(spec: Mix, there: Mapping[str, int]) -> int:
    """As many of the task's rows as it takes to keep each, if none has to stand more than `repeats` times for that."""
    whole = sum(spec.task.values())
    return int(max(-(-there[name] * whole // share) for name, share in spec.task.items()))


def _told(spec: Mix, wanted: Mapping[str, int]) -> Iterator[Note]:
    """What the known shares came to, and why they are what they are."""
    total = sum(wanted.values())
    for name, share in spec.beside.items():
        role = spec.shares[name]
        assert isinstance(role, str)
        has = f"{name} ({role}) is {wanted[name]:,} of {total:,} rows, {wanted[name] / max(1, total):.1%}"
        few = f", all there are: {share:.1%} were wanted" if wanted[name] + 1 < share * total else ""
        yield Note(f"{has}{few} ({KNOWN[role].why}).")


def counts(there: Mapping[str, int], shares: Mapping[str, float], most: int | None) -> dict[str, int]:
    """How many rows of each, so that the shares hold, none is wanted more often than it is there, and there are at
    most so many.

    Rounded down, and what is left goes to the largest remainders (Hamilton's method).
    """
    whole = sum(shares.values())
    total = int(min(there[name] * whole / share for name, share in shares.items()) + 1e-9)
    total = total if most is None else min(total, most)
    exact = {name: total * share / whole for name, share in shares.items()}
    wanted = {name: min(there[name], int(part + 1e-9)) for name, part in exact.items()}
    for name in sorted(exact, key=lambda name: wanted[name] - exact[name]):
        if sum(wanted.values()) < total and wanted[name] < there[name]:
            wanted[name] += 1
    return wanted
