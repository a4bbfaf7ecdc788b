"""Pace: how long a run still takes, by the steps and the looks at dev that it has done in this process.

pace = Pace(load, step)         before the first step of this process
with pace.looking(): …          at each look at dev
pace.stepped()                  after each step
pace.left                       seconds
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from time import perf_counter

from tunewright.train.layout import FORWARD
from tunewright.train.preflight import Load

PLAIN, SURE = 2, 20
"""Steps after which the time of a whole run is told: of one that was not looked at before, and of every one."""


class Pace:
    """Watches the clock of one run. What a step takes is all from the end of the one before, looks apart."""

    def __init__(self, load: Load, step: int = 0) -> None:
        """A run of which `step` steps are done."""
        self._load = load
        self._sums = [0, *accumulate(share.work for share in load.shares)]
        self._first = self._step = self._from = step
        self._took = 0.0
        self._look: float | None = None
        self._mark = perf_counter()

    def stepped(self) -> None:
        """One more step is done."""
        begin, self._mark = self._mark, perf_counter()
        self._step += 1
        if self.seen == 2:  # the first one alone brings libraries and caches
            self._took, self._from = 0.0, self._step - 1
        self._took += self._mark - begin

    @contextmanager
    def looking(self, measured: bool = True) -> Iterator[None]:
        """A look at dev lasts as long as this, and the next ones too where it is `measured`."""
        begin = perf_counter()
        yield
        took = perf_counter() - begin
        self._mark += took
        if measured:
            self._look = took

    @property
    def seen(self) -> int:
        """Steps of this process."""
        return self._step - self._first

    @property
    def left(self) -> float:
        """Seconds to the end of the last epoch, when a step at least is done."""
        rate = self._took / (self._sums[self._step] - self._sums[self._from])
        look = FORWARD * rate * self._load.look_tokens if self._look is None else self._look
        return rate * (self._sums[-1] - self._sums[self._step]) + look * self._load.looks_left(self._step)
