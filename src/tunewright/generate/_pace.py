"""Pace: how many requests are under way at once, and when the next may begin.

    async with pace as begun: …        # waits for a turn
    pace.answered()
    pace.slower(begun, wait=2)         # the server says that it is too much

As many as are allowed at first; half as many each time the server says that it is too much, and with each answer a little
more again (additive increase, multiplicative decrease: Chiu and Jain, 1989). It belongs to one event loop; the next one
goes on `after` it.
"""

import asyncio
import random
import time


class Pace:
    """Turns to ask a server."""

    def __init__(self, most: int, after: "Pace | None" = None) -> None:
        self._most = most
        self._allowed: float = after._allowed if after else float(most)
        self._paused_until: float = after._paused_until if after else 0.0
        self._slowed = 0.0
        self._under_way = 0
        self._free = asyncio.Condition()
        self.answers = 0
        """Requests that were answered so far."""

    @property
    def allowed(self) -> int:
        """Requests that may be under way now."""
        return int(self._allowed)

    async def __aenter__(self) -> float:
        """Wait for a turn; returns when it began (monotonic seconds)."""
        async with self._free:
            await self._free.wait_for(lambda: self._under_way < self.allowed)
            self._under_way += 1
        try:
            await self._pause()
        except BaseException:
            self._under_way -= 1
            raise
        return time.monotonic()

    async def __aexit__(self, *_: object) -> None:
        self._under_way -= 1
        async with self._free:
            self._free.notify(2)  # the one that was given back, and the one that an answer may have added

    async def _pause(self) -> None:
        if (left := self._paused_until - time.monotonic()) > 0:
            await asyncio.sleep(left + random.uniform(0, min(0.5, left)))
            await self._pause()  # another answer may have asked for longer

    def answered(self) -> None:
        """A request was answered."""
        self.answers += 1
        self._allowed = min(self._most, self._allowed + 1 / self._allowed)

    def slower(self, begun: float, wait: float | None = None) -> None:
        """It was too much for the server: of the requests that were under way together, the first that hears it counts.

        Where the server says how many seconds to wait, every request does.
        """
        if begun >= self._slowed:
            self._slowed = time.monotonic()
            self._allowed = max(1.0, self._allowed / 2)
        if wait is not None:
            self._paused_until = max(self._paused_until, time.monotonic() + wait)
