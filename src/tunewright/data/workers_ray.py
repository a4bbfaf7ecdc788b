"""Work on pieces shared out over a Ray cluster: what `workers.py` does with processes, with the same results.

    with RayWorkers(2) as workers:
        for lines in workers.each(partial(convert, settings), pieces): ...

The cluster is the one at RAY_ADDRESS; without that, one is started on this machine and ends with the work. Pieces go out as
they are read and come back in order, some for each core at a time, so that neither end holds more than these. Ray's
core is enough for that; Ray Data would put every row into its own tables and back.
"""

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any, Self, TypeVar

from tunewright import __version__
from tunewright.core.errors import UserError

_AHEAD = 4
"""Pieces that wait for each core."""
_STORE = 1 << 28
"""Bytes of shared memory of a cluster of our own: pieces are a fraction of a megabyte."""
_PATIENCE = 10
"""Seconds in which a cluster's door has to open."""
_WHERE = "data.scale"
Piece = TypeVar("Piece")
Made = TypeVar("Made")


class RayWorkers:
    """The cores of a cluster."""

    def __init__(self, number: int) -> None:
        """`number` is how many processes a cluster of our own has. Raises UserError where Ray is not installed."""
        check()
        self._number = number
        self._cores = 0
        self._ours = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            _ray().shutdown()
            self._ours, self._cores = False, 0

    def each(self, work: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """What `work` makes of each piece, in order. Raises what it raises, and UserError where the cluster does not answer
        or its machines have another version of this package.

        A piece whose machine dies goes to another; where that fails again and again, it is done here.
        """
        ray = self._connected()
        do = ray.remote(num_cpus=1, max_retries=3)(work_on)
        held = ray.put(work)
        waiting: deque[tuple[Piece, Any]] = deque()
        try:
            for piece in pieces:
                waiting.append((piece, do.remote(held, piece, __version__)))
                if len(waiting) >= _AHEAD * self._cores:
                    yield _result(ray, work, *waiting[0])
                    waiting.popleft()
            while waiting:
                yield _result(ray, work, *waiting[0])
                waiting.popleft()
        finally:
            for _, asked in waiting:
                ray.cancel(asked)

    def _connected(self) -> Any:
        ray = _ray()
        if not self._cores:
            if not ray.is_initialized():
                _connect(ray, self._number)
                self._ours = True
            self._cores = _cores(ray)
            _check_versions(ray)
        return ray


def check() -> None:
    """Raises UserError where Ray is not installed."""
    if find_spec("ray") is None:
        raise UserError(
            "`scale: ray` needs a package that is not installed",
            where=_WHERE,
            fix="pip install 'tunewright[ray]', or leave scale out: one machine's processes do the same.",
        )


def work_on(work: Callable[[Piece], Made], piece: Piece, asked_by: str) -> Made:
    """What a core of the cluster does for a package of that version. Raises UserError where it has another: of many
    machines, one may have been left behind.
    """
    if asked_by != __version__:
        raise _other_version(f"tunewright {__version__}", asked_by)
    return work(piece)


def version() -> str:
    """The version of this package where it is asked for."""
    return __version__


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry
    os.environ.setdefault(
        "RAY_IGNORE_UNHANDLED_ERRORS", "1"
    )  # of the pieces behind the one whose error is raised
    import ray

    return ray


def _connect(ray: Any, number: int) -> None:
    address = os.environ.get("RAY_ADDRESS")
    own = {"num_cpus": number, "object_store_memory": _STORE, "include_dashboard": False}
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            _knock(address)
        ray.init(address=address or "local", **quiet, **({} if address else own))
    except (OSError, RuntimeError, ValueError, TimeoutError) as error:
        said = " ".join((getattr(error, "strerror", None) or str(error)).split())[:200]
        where = f"the Ray cluster at {address}" if address else "Ray on this machine"
        raise UserError(
            f"{where} does not answer ({said})",
            where=_WHERE,
            fix="Look at RAY_ADDRESS, or leave scale out.",
        ) from None


def _knock(address: str) -> None:
    """Raises OSError where nothing listens at host:port. Ray itself would try for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _check_versions(ray: Any) -> None:
    """A machine with another version would make other rows of the same recipe."""
    try:
        there = ray.get(ray.remote(num_cpus=1)(version).remote())
    except ray.exceptions.RayError:
        there = None
    if there != __version__:
        has = f"tunewright {there}" if there else "no tunewright that can be imported"
        raise _other_version(has, __version__)


def _other_version(there: str, here: str) -> UserError:
    return UserError(
        f"a machine of the Ray cluster has {there}, and here is {here}",
        where=_WHERE,
        fix="Install the same version on all of them, with the same extras.",
    )


def _cores(ray: Any) -> int:
    """Cores of the cluster. Raises UserError where it has none: its work would wait for ever."""
    cores = int(ray.cluster_resources().get("CPU", 0))
    if not cores:
        raise UserError(
            "the Ray cluster has no machine with a core for work", where=_WHERE, fix="Look at `ray status`."
        )
    return cores


def _result(ray: Any, work: Callable[[Piece], Made], piece: Piece, asked: Any) -> Made:
    try:
        made: Made = ray.get(asked)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None  # what the work itself raised, as it would be raised here
    except ray.exceptions.RayError:  # its machine died, for want of memory mostly, and so did the next ones
        return work(piece)
    return made
