"""Connections to databases that only read: SQLite's file, or a server by the driver that the URL names."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import SqlSpec
from tunewright.data.sources._sql_limits import CELL
from tunewright.data.sources._sql_query import word_that_writes
from tunewright.data.sources._sql_url import database_url

_UTC = "SET SESSION time_zone = '+00:00'"
_READ_ONLY = {
    "postgresql": (
        "SET TIME ZONE 'UTC'",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET TRANSACTION READ ONLY",
    ),
    "mysql": (_UTC, "SET SESSION TRANSACTION READ ONLY"),
    "mariadb": (_UTC, "SET SESSION TRANSACTION READ ONLY"),
    "oracle": ("SET TRANSACTION READ ONLY",),
}
"""What a database is told first, so that nothing can be written; of SQLite the file itself is opened so. A moment has
the same text wherever it is asked for."""
_STEPS = 1_000_000
"""SQLite's steps after which Python has a word: a query that never ends could not be interrupted otherwise."""
_WAIT = 30
"""Seconds in which a server has to answer the call."""
_CAN_WAIT = frozenset({"psycopg", "psycopg2", "pymysql", "mysqldb"})
"""Drivers whose setting for it is `connect_timeout`."""

_CAN_READ = frozenset({"pymysql", "mysqldb"})
"""Drivers that end a query themselves where nothing comes for `read_timeout` seconds."""


@contextmanager
def connected(root: Path, spec: SqlSpec) -> Iterator[Any]:
    """A connection of SQLAlchemy that is held to reading; SQLite's file is looked for below `root`. Raises BadFile."""
    engine = _engine(root, database_url(spec), spec)
    try:
        with engine.connect() as connection:
            _hold_to_reading(connection, spec.query)
            yield connection
    finally:
        engine.dispose()


def _engine(root: Path, url: Any, spec: SqlSpec) -> Any:
    import sqlalchemy

    if url.get_backend_name() == "sqlite":
        file = _sqlite_file(root, url.database, spec.url_env)
        return sqlalchemy.create_engine(
            "sqlite://", creator=lambda: _sqlite(file), poolclass=sqlalchemy.pool.NullPool
        )
    try:
        return sqlalchemy.create_engine(with_a_limit(url, spec.seconds), poolclass=sqlalchemy.pool.NullPool)
    except sqlalchemy.exc.NoSuchModuleError:
        raise BadFile(
            f"there is no database called {shown(url.drivername)} here.",
            fix="Install what SQLAlchemy needs for it, or write sqlite, postgresql+psycopg, mysql+pymysql, …",
        ) from None
    except ImportError as error:
        raise BadFile(
            f"asking {shown(url.drivername)} needs the Python module {error.name}, which is not installed.",
            fix="Install it, or name another driver in the URL (postgresql+psycopg://…, mysql+pymysql://…).",
        ) from None


def with_a_limit(url: Any, seconds: int) -> Any:
    """The URL, with a limit on the wait for a server that never answers, and on a query's, where it sets none."""
    driver = url.get_driver_name()
    limits = {"connect_timeout": str(_WAIT)} if driver in _CAN_WAIT else {}
    limits |= {"read_timeout": str(seconds)} if driver in _CAN_READ else {}
    return url.update_query_dict({name: limit for name, limit in limits.items() if name not in url.query})


def _sqlite_file(root: Path, name: str | None, variable: str) -> Path:
    if not name or name.startswith((":memory:", "file:")):
        raise BadFile("the database's URL names no file.", fix="Write it as sqlite:///shop.db.")
    path = root / name
    if not path.is_file():
        what = f"where {shown(variable)} says" if variable else f"{name!r} in {root}"
        raise BadFile(f"there is no database file {what}.")
    return path


def _sqlite(path: Path) -> sqlite3.Connection:
    """A connection that reads; texts with broken bytes come out with surrogates in their place."""
    mode = "immutable=1" if lies_still(path) else "mode=ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?{mode}", uri=True, check_same_thread=False
    )
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL)
    connection.set_progress_handler(lambda: None, _STEPS)
    return connection


def lies_still(path: Path) -> bool:
    """Whether a file in WAL mode is in nobody's hands, in a folder where its lock cannot be put beside it.

    Without the lock SQLite opens it only as one that never changes. Files in other modes are locked in themselves.
    """
    if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
        return False
    with path.open("rb") as stream:
        return stream.read(20)[18:] == b"\x02\x02"  # sqlite.org/fileformat2.html, 1.3.3


def _hold_to_reading(connection: Any, query: str) -> None:
    """Whatever the query says, nothing is written. Raises BadFile where only its words can tell that."""
    if connection.dialect.name == "sqlite":
        for pragma in ("query_only = ON", "trusted_schema = OFF"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        return
    if connection.dialect.name not in _READ_ONLY and (word := word_that_writes(query)):
        raise BadFile(
            f"the query has the word {word.upper()}, and {shown(connection.dialect.name)} cannot be held to reading.",
            fix="Sources are never written; where it is the name of a column, make a view that calls it otherwise.",
        )
    for statement in _READ_ONLY.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)
