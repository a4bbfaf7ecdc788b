"""SQL: the rows of a query to a database, through SQLAlchemy; a row's number is its place in the result.

The database is only read: one SELECT, in a transaction that may not write where the database has such a thing. Rows stream
through as they are asked for, within limits of time and memory. Values take the same JSON form as those of Parquet.

    _sql_query.py    whether a query only reads        _sql_connect.py    connections that only read
    _sql_url.py      what a URL says, and to whom      _sql_limits.py     how long, how much
    _sql_once.py     a run asks a query once
"""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tunewright.data.names import shown
from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.source_spec import SqlSpec
from tunewright.data.sources._json_form import row_of
from tunewright.data.sources._sql_connect import connected
from tunewright.data.sources._sql_limits import ROW, Guard, fetched
from tunewright.data.sources._sql_once import (
    Digest,
    asked_once,
    keeping,
    kept,
    known_digest,
    let_go,
    remembered,
)
from tunewright.data.sources._sql_query import check_query, statement
from tunewright.data.sources._sql_url import database_name, told
from tunewright.data.text import broken

__all__ = ["asked_once", "database_name", "hash_rows", "let_go", "read"]


def read(root: Path, spec: SqlSpec) -> Table:
    """Ask a query; SQLite's file is looked for below `root`. Raises BadFile."""
    check_query(spec.query)
    return kept(root, spec) or keeping(root, spec, _asked(root, spec))


def hash_rows(root: Path, spec: SqlSpec) -> str:
    """The sha256 of the query's rows in their order. Raises BadFile."""
    known = known_digest(root, spec)
    if known:
        return known
    table = read(root, spec)
    digest = None if remembered() else Digest(table.columns)
    for row in table.rows:
        if digest is not None:
            digest.add(row)
    return known_digest(root, spec) if digest is None else digest.hex()


def _asked(root: Path, spec: SqlSpec) -> Table:
    try:
        import sqlalchemy  # noqa: F401  # whether it is there
    except ImportError:
        raise BadFile(
            "reading databases needs a package that is not installed.", fix="pip install 'tunewright[sql]'"
        ) from None
    with ExitStack() as stack:
        with told(spec, lambda: "the database cannot be asked"):
            connection = stack.enter_context(connected(root, spec))
            guard = stack.enter_context(Guard(connection, spec.seconds))
            streaming = connection.execution_options(stream_results=True, no_parameters=True)
            with guard.within():
                result = streaming.exec_driver_sql(statement(spec.query))
            stack.callback(result.close)
            if not result.returns_rows:
                raise BadFile("the query has no rows to give.", fix="Write a SELECT.")
            names = tuple(map(str, result.keys()))
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise BadFile(
                f"the query gives the column {shown(twice)} more than once.",
                fix=f"Give one of them another name: SELECT … AS {shown(twice)}_2.",
            )
        rows = _rows(result, names, spec, guard, stack.pop_all())
    next(rows)  # into its `with`, so that closing it closes the connection
    return Table(names, rows)  # type: ignore[arg-type]  # only the first item was none


def _rows(
    result: Any, names: tuple[str, ...], spec: SqlSpec, guard: Guard, stack: ExitStack
) -> Generator[Row | Reject | None, None, None]:
    number = 0
    with stack:
        yield None
        with told(spec, lambda: f"reading stopped after row {number}"):
            for number, (given, size) in enumerate(fetched(result, guard), 1):
                if size > ROW:
                    yield Reject(number, f"too long: the row has {size:,} bytes; {ROW:,} are read", "")
                else:
                    yield _row(number, names, given)


def _row(number: int, names: tuple[str, ...], given: Any) -> Row | Reject:
    # a view's repr, which a reject would hold, is another in each run
    values = tuple(bytes(value) if isinstance(value, memoryview) else value for value in given)
    row = row_of(number, dict(zip(names, values, strict=True)))
    texts = values if isinstance(row, Row) else ()
    why = next(filter(None, (broken(text, "utf-8") for text in texts if isinstance(text, str))), None)
    return row if why is None else Reject(number, why, repr(values)[:2000])
