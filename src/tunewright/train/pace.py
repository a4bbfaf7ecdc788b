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
"""Steps after which the time of a whole run is told: of one that had no long look before, and of every one."""


class Pace:
    """Watches the clock of one run. What a step takes is all from the end of the one before, looks apart."""

    def __init__(self, load: Load, step: int = 0, answering: float | None = None) -> None:
        """A run of which `step` steps are done. `answering` is what its looks at dev take to answer rows, in seconds, as
        far as that is known; none where they answer none.
        """
        self._load = load
        self._sums = [0, *accumulate(share.work for share in load.shares)]
        self._first = self._step = self._from = step
        self._took = 0.0
        self._answering = answering
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
        steps = rate * (self._sums[-1] - self._sums[self._step])
        plain = FORWARD * rate * self._load.look_tokens
        look = plain + (self._answering or 0.0) if self._look is None else self._look
        scored = self._load.scored_left(self._step)
        others = self._load.looks_left(self._step) - scored  # these answer nothing
        return steps + scored * look + others * (look if self._answering is None else plain)
