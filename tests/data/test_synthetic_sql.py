"""SQL that a model wrote: planned, never run, and never for long."""

from pathlib import Path

import pytest

from ends import ends
from tunewright.data.synthetic.sql_syntax import sql_fault

TOO_MUCH = "it has more than 200 named queries, or they use one another more than 2,000 times"
DOUBLED = ', t{0}(x) AS {1} (SELECT x FROM t{2} UNION ALL SELECT x FROM "T{2}")'


def doubled(times: int, hint: str = "") -> str:
    """A query that SQLite would write out 2^times times."""
    queries = "".join(DOUBLED.format(n, hint, n - 1) for n in range(1, times + 1))
    return f"WITH t0(x) AS (SELECT 1){queries} SELECT * FROM t{times}"


@pytest.mark.parametrize("hint", ["", "NOT MATERIALIZED", "MATERIALIZED"])
def test_queries_that_double_one_another_are_counted_before_they_are_planned(hint: str) -> None:
    with ends(20):
        assert sql_fault(doubled(4, hint)) is None
        assert sql_fault(doubled(60, hint)) == TOO_MUCH


def test_so_are_views_and_queries_that_name_later_ones() -> None:
    views = "".join(
        f"CREATE VIEW v{n} AS SELECT a FROM v{n - 1} UNION ALL SELECT a FROM v{n - 1};" for n in range(1, 40)
    )
    tables = "CREATE TABLE t (a); CREATE VIEW v0 AS SELECT a FROM t;"
    late = ", ".join(f"q{n} AS (SELECT * FROM q{n + 1}, q{n + 1})" for n in range(40))
    with ends(20):
        assert sql_fault("SELECT * FROM v39", tables + views) == TOO_MUCH
        assert sql_fault("SELECT * FROM v0", tables) is None
        assert sql_fault(f"WITH {late}, q40 AS (SELECT 1) SELECT * FROM q0") == TOO_MUCH


@pytest.mark.parametrize(
    "query",
    [
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 9) SELECT x FROM c",
        "SELECT CAST(a AS text) AS b, count(*) OVER (PARTITION BY a) AS n FROM t AS q WHERE a IN (SELECT a FROM t)",
        "INSERT INTO t SELECT a FROM t; UPDATE t SET a = 1; DELETE FROM t",
    ],
)
def test_what_people_write_is_planned(query: str) -> None:
    assert (
        sql_fault(query, "CREATE TABLE t (a CHECK (length(a) > 1)); INSERT INTO t VALUES ('xx'), ('yy');")
        is None
    )


@pytest.mark.parametrize(
    "tables",
    [
        "CREATE TABLE t AS SELECT hex(zeroblob(400000000)) AS a",
        "CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
        "PRAGMA temp_store_directory = '/'",
        "ATTACH 'here.db' AS h",
        "VACUUM INTO 'here.db'",
    ],
)
def test_tables_are_defined_and_hold_nothing(
    tables: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ends(20):
        said = sql_fault("SELECT 1", tables)
    assert said in (
        "the tables cannot be made: not authorized",
        "the tables cannot be made: authorization denied",
    )
    assert list(tmp_path.iterdir()) == []


def test_rows_of_tables_are_passed_over() -> None:
    blob = "CREATE TABLE t (a); INSERT INTO t VALUES (hex(zeroblob(400000000))); INSERT INTO t SELECT 1"
    with ends(20):
        assert sql_fault("SELECT a FROM t", blob) is None
    assert sql_fault("SELECT b FROM t", blob) == "it is not SQL that SQLite takes: no such column: b"
