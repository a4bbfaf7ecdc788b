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
from urllib.parse import quote, quote_plus

from tunewright.core.hashing import canonical_json
from tunewright.data.names import shown
from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.source_spec import SqlSpec
from tunewright.data.sources._json_form import row_of
from tunewright.data.text import broken

_AT_A_TIME, _OF_SQLITE = 1000, 16
"""Rows that are held at a time. SQLite's come from this machine, and cells may be as long as CELL."""
CELL = 64 * 2**20
"""The most bytes of a cell of SQLite."""
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
_READS = re.compile(r"(?:select|with|values|table|from)\b|\(", re.IGNORECASE)
_ASIDE = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
"""Texts, quoted names and comments, as most databases read them."""
_STEPS = 1_000_000
"""SQLite's steps after which Python has a word: a query that never ends could not be interrupted otherwise."""
_DOUBTFUL = re.compile(r"[\\#$`\[]|/\*!|--(?!\s|$)|/\*(?:(?!\*/).)*/\*", re.DOTALL)
"""Signs that end a text or a comment in one database and not in another: all of a query with one is taken for code."""
_WRITES = re.compile(r"\binto\b", re.IGNORECASE)
"""SELECT … INTO makes a table or a file, some databases in a transaction that only reads, too."""
_CHANGES = re.compile(
    r"\b(?:insert|update|delete|merge|drop|alter|create|truncate|grant|revoke|exec|execute|call|commit)\b",
    re.IGNORECASE,
)
"""Words that no query has to databases that cannot be held to reading: some take statements without a sign between them."""
_WAIT = 30
"""Seconds in which a server has to answer the call."""
_CAN_WAIT = frozenset({"psycopg", "psycopg2", "pymysql", "mysqldb"})
"""Drivers whose setting for it is `connect_timeout`."""


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
    if not _READS.match(_without_texts(query)):
        raise BadFile("the query is no SELECT.", fix="Sources are read, and never written.")
    code = _code(query)
    if ";" in code:
        doubt = _DOUBTFUL.search(query)
        said = f"may be more than one statement: it has a semicolon and {doubt[0][:2]}" if doubt else ""
        raise BadFile(f"the query {said or 'is more than one statement'}.", fix="Write one SELECT.")
    if _WRITES.search(code):
        raise BadFile("the query has an INTO.", fix="Sources are read, and never written.")


def _without_texts(query: str) -> str:
    bare = _ASIDE.sub(lambda found: " " if found[0][0] in "-/" else "''", query)
    return bare.strip().rstrip("; \t\r\n")


def _code(query: str) -> str:
    """What of a query may be code: in doubt, all of it."""
    return query.strip().rstrip("; \t\r\n") if _DOUBTFUL.search(query) else _without_texts(query)


def _rows(
    found: Iterator[Any], names: tuple[str, ...], spec: SqlSpec, stack: ExitStack
) -> Generator[Row | Reject | None, None, None]:
    number = 0
    with stack:
        yield None
        with _told(spec, lambda: f"reading stopped after row {number}"):
            for number, given in enumerate(found, 1):
                # a view's repr, which a reject would hold, is another in each run
                values = tuple(bytes(value) if isinstance(value, memoryview) else value for value in given)
                row = row_of(number, dict(zip(names, values, strict=True)))
                texts = values if isinstance(row, Row) else ()
                why = next(
                    filter(None, (broken(text, "utf-8") for text in texts if isinstance(text, str))), None
                )
                yield row if why is None else Reject(number, why, repr(values)[:2000])


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
            _hold_to_reading(connection, spec.query)
            rows = _OF_SQLITE if connection.dialect.name == "sqlite" else _AT_A_TIME
            streaming = connection.execution_options(stream_results=True, yield_per=rows, no_parameters=True)
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
        return sqlalchemy.create_engine(_with_a_limit(url), poolclass=sqlalchemy.pool.NullPool)
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


def _with_a_limit(url: Any) -> Any:
    """The URL, with a limit on the wait for a server that never answers where it sets none."""
    sets_one = "connect_timeout" in url.query or url.get_driver_name() not in _CAN_WAIT
    return url if sets_one else url.update_query_dict({"connect_timeout": str(_WAIT)})


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
    mode = "immutable=1" if _lies_still(path) else "mode=ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?{mode}", uri=True, check_same_thread=False
    )
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL)
    connection.set_progress_handler(lambda: None, _STEPS)
    return connection


def _lies_still(path: Path) -> bool:
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
    if connection.dialect.name not in _READ_ONLY and (word := _CHANGES.search(_code(query))):
        raise BadFile(
            f"the query has the word {word[0].upper()}, and {shown(connection.dialect.name)} cannot be held to reading.",
            fix="Sources are never written; where it is the name of a column, make a view that calls it otherwise.",
        )
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
        raise BadFile(f"{what()} ({_scrubbed(getattr(error, 'orig', None) or error, spec)}).") from None


def _scrubbed(error: Exception, spec: SqlSpec) -> str:
    """A message without anything that stands in the URL beside its kind: cut only then, or a part would stay."""
    try:
        url = _url(spec)
    except BadFile:
        return "the URL cannot be read"
    said = str(error)
    for secret in sorted(filter(None, _secrets(url, whole=bool(spec.url_env))), key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
            said = said.replace(form, "***")
    said = " ".join((said.strip().splitlines() or [""])[0][:200].split()).rstrip(".") or type(error).__name__
    return said if said.isprintable() else "it gives no reason that can be printed"


def _secrets(url: Any, whole: bool) -> set[str | None]:
    """What of a URL no message may hold; of the `whole` URL, its user and place, too."""
    found = {url.password}
    for value in url.query.values():  # an option that is given twice has several
        found |= {value} if isinstance(value, str) else set(value)
    if whole:
        found |= {url.username, url.host, url.database, None if url.port is None else str(url.port)}
    return found
