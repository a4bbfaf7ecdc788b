"""mix: rows of several needs in given shares.

Shares that have worked, to begin with and to measure from:

- **General rows against forgetting**: one for every four of the task ({tickets: 4, general: 1}). With so many the
  embedded base lost 5 to 9 points of its other skills in training, with none 27 (LOG.md). `train.rehearsal: 0.25`
  does the same with the base's own answers, and needs no rows: have one of the two. For continued pretraining 5 % of
  what the base was trained on nearly held it (Ibrahim et al. 2024, arXiv:2403.08763).
- **Refusals**: 1 to 3 % of the rows. Some hundred of 20,000 made models safe, more made them shy of harmless questions
  (Bianchi et al. 2023, arXiv:2309.07875). Beside every refusal stands a harmless question of like words with its answer.
- **No answer in the text**: 10 to 20 % of rows that answer from a text, so that the model may say so; SQuAD 2.0 has
  a third in training (Rajpurkar, Jia and Liang 2018, arXiv:1806.03822), more than most traffic.
- **Synthetic rows**: at most half (`data.synthetic_share`).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tunewright.core.errors import DataError
from tunewright.data.ops._drawn import standing, times_each
from tunewright.data.ops.op import OpSpec, Rows, Said, judged
from tunewright.data.ops.sample import drawn

VERSION = "2"


class Mix(OpSpec):
    """Keep of each need as many rows as its share allows: the most there can be without repeating any, or with."""

    op: Literal["mix"] = "mix"
    """Chooses this op."""
    shares: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=2)
    """Of each need, how much of the result its rows are to be: {tickets: 4, general: 1} is four fifths and one;
    docs/quality.md has shares that have worked."""
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
        return self


def apply(spec: Mix, rows: Rows) -> Iterator[Said]:
    """Draw of each need its part; the rest is dropped. Raises DataError where a need has no rows."""
    empty = next((name for name, given in rows.given.items() if not len(given)), None)
    if empty is not None:
        raise DataError(
            f"{empty} has no rows, and no share of anything is nothing.",
            where="recipe, mix.needs",
            fix="Look at what leads to it (`tunewright data preview`), or take it out of the mix.",
        )
    there = {name: len(given) for name, given in rows.given.items()}
    if spec.upsample:
        yield from _upsampled(spec, rows, there)
        return
    wanted = counts(there, spec.shares, spec.rows)
    for name, given in rows.given.items():
        chosen = drawn(given, wanted[name], spec.seed)
        for number, row in enumerate(given):
            yield judged(row, None if number in chosen else _reason(name))


def _reason(name: str) -> str:
    return f"{name} has more than its share"


def _upsampled(spec: Mix, rows: Rows, there: Mapping[str, int]) -> Iterator[Said]:
    """As many as it takes to keep every row, if no row has to stand more than `repeats` times for that."""
    most = {name: spec.repeats * number for name, number in there.items()}
    whole = sum(spec.shares.values())
    enough = max(-(-number * whole // spec.shares[name]) for name, number in there.items())
    wanted = counts(most, spec.shares, int(min(enough, spec.rows or enough)))
    for name, given in rows.given.items():
        times = times_each([row.id for row in given], wanted[name], spec.seed)
        for row, number in zip(given, times, strict=True):
            yield from standing(row, number, _reason(name))


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
