"""What a database may take of a run: the time until it gives its next rows, and the memory that rows are held in.

A server is told its limit where it knows one (PostgreSQL, MySQL, MariaDB, Oracle). A clock on this side ends what goes on
all the same, or has no server (SQLite, DuckDB): by the driver, or, where that cannot break a query off, by hanging up, if
its socket can be found (pymysql, pg8000). Other drivers, libraries in C, may not be closed in the midst of a call: there the
server's limit is the only one, and read_timeout (mysqlclient). Rows are fetched so few at a time as their size asks for: a
driver gives whole rows, so one alone may take more before it is seen and set aside.
"""

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from tunewright.data.rows import BadFile

CELL = 64 * 2**20
"""The most bytes of a cell of SQLite."""
ROW = 64 * 2**20
"""The most bytes of a row, and of the rows that are held at a time as far as those before them foretell."""
AT_A_TIME, _OF_A_FILE = 1000, 16
"""Rows that are held at a time, at most: of a server, where each time is a way there and back, and of SQLite, whose file may
come from a stranger."""
_GRACE = 5.0
"""Seconds that a server has to end its query by itself."""
_LOOK = 0.25
"""Seconds between two looks at the clock."""
_SOCKETS = ("_sock", "_usock", "_socket")
"""Where drivers have their connection: pymysql, pg8000, MySQL's own."""
_OVER = frozenset({3024, 1969})
"""MySQL's and MariaDB's numbers for a query that took longer than it may, all its rows together."""


class Guard:
    """Ends what takes longer than it may: a context, for as long as the connection is used."""

    def __init__(self, connection: Any, seconds: int) -> None:
        """Tell the database of a SQLAlchemy connection its limit."""
        raw = connection.connection.dbapi_connection
        served = _told_server(connection, raw, seconds)
        self._seconds = seconds
        self._clock = seconds + (_GRACE if served else 0)
        ways = (getattr(raw, name, None) for name in ("interrupt", "cancel"))
        self._stop: Callable[[], object] = next(filter(None, ways), partial(_hang_up, raw))
        self._end = math.inf
        self._closed = threading.Event()
        self.most = _OF_A_FILE if connection.dialect.name == "sqlite" else AT_A_TIME
        """Rows that may be held at a time."""

    def __enter__(self) -> "Guard":
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()

    @contextmanager
    def within(self) -> Iterator[None]:
        """Hold what is done inside to the limit. Raises BadFile where it took longer."""
        began = time.monotonic()
        self._end = began + self._clock
        try:
            yield
        except Exception as error:
            if time.monotonic() - began >= self._seconds or _number(error) in _OVER:
                raise BadFile(
                    f"the database took longer than {self._seconds:,} s to give rows.",
                    fix="Make the query quicker (an index, fewer rows), or let it take longer: sql: {seconds: …}.",
                ) from None
            raise
        finally:
            self._end = math.inf

    def _watch(self) -> None:
        """Look now and then, which costs nothing where millions of fetches are short."""
        while not self._closed.wait(_LOOK):
            if (
                time.monotonic() >= self._end
            ):  # at each look: what comes between two of a driver's calls is lost
                with suppress(Exception):  # a connection that is gone needs no end
                    self._stop()


def _hang_up(raw: Any) -> None:
    """Close the line of a driver's connection under it: whoever waits for an answer is told that there is none.

    Drivers in C have no socket to be found, and may not be closed in the midst of a call: they are left to the server's
    clock, and to their own (read_timeout).
    """
    for name in _SOCKETS:
        found = getattr(raw, name, None)
        found = getattr(found, "sock", found)
        if isinstance(found, socket.socket):
            found.shutdown(socket.SHUT_RDWR)  # closing would wait for who reads from it
            return


def fetched(result: Any, guard: Guard) -> Iterator[tuple[Sequence[Any], int]]:
    """The rows of a SQLAlchemy result with their sizes in bytes, so few held at a time as their size asks for."""
    some = 1
    while True:
        with guard.within():
            rows = result.fetchmany(some)
        if not rows:
            return
        sizes = list(map(row_size, rows))
        some = max(1, min(2 * some, guard.most, ROW // max(1, *sizes)))
        yield from zip(rows, sizes, strict=True)


def row_size(row: Sequence[Any]) -> int:
    """About how many bytes a row's values have."""
    return sum(map(_size, row))


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, memoryview):
        return value.nbytes
    if isinstance(value, dict):
        return sum(_size(key) + _size(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size, value)) + 8 * len(value)
    return 8


def _told_server(connection: Any, raw: Any, seconds: int) -> bool:
    """Whether the server itself holds to the limit now."""
    import sqlalchemy

    name = connection.dialect.name
    if name == "postgresql":
        connection.exec_driver_sql(f"SET statement_timeout = {1000 * seconds}")
        return True
    if name in ("mysql", "mariadb"):
        limit = (
            f"max_statement_time = {seconds}"
            if _is_mariadb(connection)
            else f"max_execution_time = {1000 * seconds}"
        )
        with suppress(sqlalchemy.exc.DBAPIError):  # versions before 5.7 have none
            connection.exec_driver_sql(f"SET SESSION {limit}")
            return True
    if name == "oracle" and hasattr(raw, "call_timeout"):
        raw.call_timeout = 1000 * seconds
        return True
    if name == "mssql" and hasattr(raw, "timeout"):
        raw.timeout = seconds
        return True
    return False


def _is_mariadb(connection: Any) -> bool:
    return bool(getattr(connection.dialect, "is_mariadb", False))


def _number(error: Exception) -> Any:
    arguments = getattr(getattr(error, "orig", None) or error, "args", ())
    return arguments[0] if arguments else None
