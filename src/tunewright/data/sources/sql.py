"""SQL: the rows of a query to a database, through SQLAlchemy; a row's number is its place in the result.

The database is only read: one SELECT, in a transaction that may not write where the database has such a thing. Rows stream
through as they are asked for. Values take the same JSON form as those of Parquet. No message holds what a URL says beyond
the database's kind, host and name; of a URL in an environment variable, not even that.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunewright.core.hashing import canonical_json
from tunewright.data.names import shown
from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.source_spec import SqlSpec
from tunewright.data.sources._json_form import row_of
from tunewright.data.sources.parquet import first_line
from tunewright.data.text import broken

_AT_A_TIME = 1000
CELL = 64 * 2**20
"""The most bytes of a cell of SQLite."""
_READ_ONLY = {
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TRANSACTION READ ONLY"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY",),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY",),
    "oracle": ("SET TRANSACTION READ ONLY",),
}
"""What a database is told first, so that nothing can be written; of SQLite the file itself is opened so."""
_READS = re.compile(r"(?:select|with|values|table|from)\b|\(", re.IGNORECASE)
_ASIDE = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
"""Texts, quoted names and comments. A backslash is no escape here: at worst a good query is refused."""


def database_name(spec: SqlSpec) -> str:
    """The name that the rows' place goes by: without user, password and options."""
    if spec.url_env:
        return f"${spec.url_env}"
    kind, _, rest = spec.url.partition("://")
    rest = rest.partition("?")[0].rpartition("@")[2]
    return shown(rest.lstrip("/") if kind.startswith("sqlite") else f"{kind.partition('+')[0]}://{rest}")


def read(root: Path, spec: SqlSpec) -> Table:
    """Ask a query; SQLite's file is looked for below `root`. Raises BadFile."""
    _check_query(spec.query)
    with ExitStack() as stack:
        names, found = stack.enter_context(_asked(root, spec))
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise BadFile(
                f"the query gives the column {shown(twice)} more than once.",
                fix=f"Give one of them another name: SELECT … AS {shown(twice)}_2.",
            )
        rows = _rows(found, names, spec, stack.pop_all())
    next(rows)  # into its `with`, so that closing it closes the connection
    return Table(names, rows)  # type: ignore[arg-type]  # only the first item was none


def hash_rows(root: Path, spec: SqlSpec) -> str:
    """The sha256 of the query's rows in their order. Raises BadFile."""
    table = read(root, spec)
    digest = hashlib.sha256(canonical_json(list(table.columns or ())).encode("utf-8", "surrogatepass"))
    for row in table.rows:
        said = [row.number, row.values] if isinstance(row, Row) else [row.number, row.reason, row.raw]
        digest.update(canonical_json(said).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def _check_query(query: str) -> None:
    bare = _ASIDE.sub(lambda found: " " if found[0][0] in "-/" else "''", query).strip().rstrip("; \t\r\n")
    if not _READS.match(bare):
        raise BadFile("the query is no SELECT.", fix="Sources are read, and never written.")
    if ";" in bare:
        raise BadFile("the query is more than one statement.", fix="Write one SELECT.")


def _rows(
    found: Iterator[Any], names: tuple[str, ...], spec: SqlSpec, stack: ExitStack
) -> Generator[Row | Reject | None, None, None]:
    number = 0
    with stack:
        yield None
        with _told(spec, lambda: f"reading stopped after row {number}"):
            for number, values in enumerate(found, 1):
                row = row_of(number, dict(zip(names, values, strict=True)))
                texts = values if isinstance(row, Row) else ()
                why = next(
                    filter(None, (broken(text, "utf-8") for text in texts if isinstance(text, str))), None
                )
                yield row if why is None else Reject(number, why, repr(tuple(values))[:2000])


@contextmanager
def _asked(root: Path, spec: SqlSpec) -> Iterator[tuple[tuple[str, ...], Iterator[Any]]]:
    """The names of the columns and the rows, for as long as the context lasts."""
    try:
        import sqlalchemy  # noqa: F401  # whether it is there
    except ImportError:
        raise BadFile(
            "reading databases needs a package that is not installed.", fix="pip install 'tunewright[sql]'"
        ) from None
    with ExitStack() as stack:
        with _told(spec, lambda: "the database cannot be asked"):
            engine = _engine(root, _url(spec), spec.url_env)
            stack.callback(engine.dispose)
            connection = stack.enter_context(engine.connect())
            _hold_to_reading(connection)
            streaming = connection.execution_options(
                stream_results=True, yield_per=_AT_A_TIME, no_parameters=True
            )
            result = streaming.exec_driver_sql(spec.query.strip().rstrip("; \t\r\n"))
            stack.callback(result.close)
            if not result.returns_rows:
                raise BadFile("the query has no rows to give.", fix="Write a SELECT.")
            names = tuple(map(str, result.keys()))
        yield names, iter(result)


def _url(spec: SqlSpec) -> Any:
    """The database's URL. Raises BadFile."""
    import sqlalchemy

    text = spec.url
    if spec.url_env:
        found = os.environ.get(spec.url_env, "").strip()
        if not found:
            raise BadFile(
                f"the environment variable {shown(spec.url_env)}, which is to hold the database's URL, is not set.",
                fix=f"Set it: export {spec.url_env}=…",
            )
        text = found
    try:
        return sqlalchemy.make_url(text.strip())
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise BadFile(
            "the database's URL cannot be read.",
            fix="Write it as sqlite:///shop.db or postgresql://host/shop.",
        ) from None


def _engine(root: Path, url: Any, variable: str) -> Any:
    import sqlalchemy

    if url.get_backend_name() == "sqlite":
        file = _sqlite_file(root, url.database, variable)
        return sqlalchemy.create_engine(
            "sqlite://", creator=lambda: _sqlite(file), poolclass=sqlalchemy.pool.NullPool
        )
    try:
        return sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
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
    mode = "mode=ro"
    if not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        mode = "immutable=1"  # where no file can be put beside it, nobody writes to it either
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?{mode}", uri=True, check_same_thread=False
    )
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL)
    return connection


def _hold_to_reading(connection: Any) -> None:
    """Whatever the query says, nothing is written."""
    if connection.dialect.name == "sqlite":
        for pragma in ("query_only = ON", "trusted_schema = OFF"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        return
    for statement in _READ_ONLY.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)


@contextmanager
def _told(spec: SqlSpec, what: Any) -> Iterator[None]:
    """What the database says is wrong, as BadFile, without the URL's secrets."""
    import sqlalchemy

    try:
        yield
    except (
        sqlalchemy.exc.SQLAlchemyError,
        sqlite3.Error,
        sqlite3.Warning,
        ValueError,
        OverflowError,
    ) as error:
        said = first_line(getattr(error, "orig", None) or error)
        raise BadFile(f"{what()} ({_scrubbed(said, spec)}).") from None


def _scrubbed(said: str, spec: SqlSpec) -> str:
    """A message without anything that stands in the URL beside its kind."""
    try:
        url = _url(spec)
    except BadFile:
        return "the URL cannot be read"
    secrets = {url.password, *map(str, url.query.values())}
    if spec.url_env:
        secrets |= {url.username, url.host, url.database, None if url.port is None else str(url.port)}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, quote(secret, safe="")):
            said = said.replace(form, "***")
    said = " ".join(said.split()).rstrip(".")
    return said if said.isprintable() else "it gives no reason that can be printed"
