"""Length table: how long inputs and answers are, in characters."""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from tunewright.data.keyed import Keyed


class LengthRow(BaseModel):
    """Lengths in characters of one part's inputs (all messages of the prompt together, a document's text) or answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    what: Literal["input", "answer"]
    min: int
    median: int
    p95: int
    max: int
    longest: str
    """The id of the longest row."""


def length_rows(rows: Keyed) -> Iterator[LengthRow]:
    """A row for each part's inputs and one for its answers, where it has some. Quantiles are nearest-rank: lengths that
    occur.
    """
    for part in rows.rows:
        places = rows.of(part)
        if len(places):
            yield _row(rows, part, "input", places)
        if len(answered := places[~rows.document[places]]):
            yield _row(rows, part, "answer", answered)


def _row(
    rows: Keyed, part: str, what: Literal["input", "answer"], places: npt.NDArray[np.int64]
) -> LengthRow:
    sizes = (rows.input_chars if what == "input" else rows.answer_chars)[places]
    ordered = np.sort(sizes)

    def quantile(share: float) -> int:
        return int(ordered[max(0, math.ceil(share * len(ordered)) - 1)])

    return LengthRow(
        part=part,
        what=what,
        min=int(ordered[0]),
        median=quantile(0.5),
        p95=quantile(0.95),
        max=int(ordered[-1]),
        longest=rows.name(int(places[np.argmax(sizes)])),
    )
