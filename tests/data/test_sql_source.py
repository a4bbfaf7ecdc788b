"""Queries as sources, on real SQLite and PostgreSQL: read and never written, without a secret in any message."""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import postgres
import pytest
from pydantic import ValidationError

import tunewright
from ends import ends
from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data.files import contents
from tunewright.data.ingest import inspect_sources
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import SqlSpec
from tunewright.data.sources import _sql_connect, _sql_url, open_file
from tunewright.data.spec import SourceSpec

TASK = TaskSpec()
URL = "sqlite:///shop.db"


def make(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as made, made:
        for statement in statements:
            made.execute(statement)


@pytest.fixture
def shop(desk) -> Any:
    make(
        desk.root / "shop.db",
        "create table tickets (id integer, question text, label text, price decimal, extra blob)",
        """insert into tickets values (1, 'lamp broken', 'repair', 9.5, x'ff'), (2, 'where is it', 'order', null, 'text'),
        (3, '', 'order', 1, null), (4, cast(x'ff41' as text), 'order', 1, null), (5, 'how: much %', 'price', 1e999, null)""",
    )
    return desk


def spec(query: str, url: str = URL, **source: Any) -> SourceSpec:
    return SourceSpec(sql={"query": query, "url": url}, **source)


def rows(root: Path, query: str, **sql: Any) -> list[Any]:
    source = SourceSpec(sql={"query": query, **(sql or {"url": URL})})
    return list(open_file(root, source).table.rows)


def refusal(root: Path, query: str, **sql: Any) -> str:
    with pytest.raises(BadFile) as caught:
        rows(root, query, **sql)
    return f"{caught.value.message} {caught.value.fix or ''}".strip()


def test_rows_have_their_place_in_the_result(shop) -> None:
    query = "select question, label, price, extra from tickets where question not like 'x%' order by id;"
    got = shop.ingest(
        "", sql={"query": query, "url": URL}, columns={"input": "question", "expected": "label"}
    )
    assert [(e.place, e.input_text, e.expected, e.fields) for e in got.examples] == [
        ("shop.db:1", "lamp broken", "repair", {"price": 9.5, "extra": "/w=="}),
        ("shop.db:2", "where is it", "order", {"price": None, "extra": "text"}),
    ]
    assert got.reasons == [
        (3, "empty input: the user's message is blank"),
        (4, "broken text: byte 0xFF is not utf-8"),
        (5, "not JSON: a number is infinite"),
    ]


def test_a_query_for_chats_and_for_documents(shop) -> None:
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    make(
        shop.root / "shop.db",
        f"create table chats as select '{json.dumps(chat)}' as messages union select '[{{'",
    )
    got = shop.ingest("", sql={"query": "select * from chats order by messages", "url": URL})
    assert [e.expected for e in got.examples] == ["b"]
    assert got.reasons[0][1].startswith("bad messages: 'messages' is no JSON: ")
    got = shop.ingest("", sql={"query": "select label from tickets", "url": URL}, columns={"text": "label"})
    assert all(e.is_document for e in got.examples)
    with pytest.raises(DataError, match=r"the source has no rows \(shop\.db .*\)"):
        shop.ingest(
            "", sql={"query": "select question as input, label as expected from tickets where 0", "url": URL}
        )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("drop table tickets", "the query is no SELECT. Sources are read, and never written."),
        ("", "the query is no SELECT. Sources are read, and never written."),
        ("pragma journal_mode = delete", "the query is no SELECT. Sources are read, and never written."),
        ("select 1; drop table tickets", "the query is more than one statement. Write one SELECT."),
        (
            "select ';' /* ; */; -- ;\n drop table tickets",
            "the query is more than one statement. Write one SELECT.",
        ),
        (
            "with a as (select 1) update tickets set label = 'x'",
            "the database cannot be asked (attempt to write a readonly database).",
        ),
        ("select x from tickets", "the database cannot be asked (no such column: x)."),
        (
            "select * into copy from tickets",
            "the query has an INTO. Sources are read, and never written.",
        ),
        ("select load_extension('x')", "the database cannot be asked (not authorized)."),
        ("select id, 1 as id", "the database cannot be asked (no such column: id)."),
        (
            "select id, 1 as id from tickets",
            "the query gives the column id more than once. Give one of them another name: SELECT … AS id_2.",
        ),
    ],
)
def test_what_is_no_plain_reading_is_refused(shop, query: str, said: str) -> None:
    before = (shop.root / "shop.db").read_bytes()
    assert refusal(shop.root, query) == said
    assert (shop.root / "shop.db").read_bytes() == before
    assert sorted(path.name for path in shop.root.iterdir()) == ["shop.db"]


@pytest.mark.parametrize(
    "query",
    [
        r"select 'a\'' ; drop table t -- '",
        "select 1 # ' \n ; drop table t # '",
        "select 1 /*! ; drop table t */",
        "select 5--1 ; drop table t",
        "select 1 as a$b$ ; drop table t; select 1 as c$b$",
        "select 1 as [a'] ; drop table t; select 1 as [']",
        "select 1 /* /* */ ' */ ; drop table t -- '",
    ],
)
def test_a_second_statement_is_not_hidden_in_what_some_database_takes_for_a_text(
    tmp_path: Path, query: str
) -> None:
    assert refusal(tmp_path, query).startswith("the query may be more than one statement: it has a semicolon")


def test_signs_of_many_meanings_are_plain_where_no_semicolon_follows(shop) -> None:
    (row,) = rows(shop.root, r"select 'a\#$' as [b], 5--1" "\n as c;")
    assert row.values == {"b": r"a\#$", "c": 5}


@pytest.fixture
def other() -> Iterator[None]:
    """A database that cannot be held to reading: SQLite under a name that is not known."""
    import sqlalchemy
    from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

    dialect = type("Other", (SQLiteDialect_pysqlite,), {"name": "other", "supports_statement_cache": True})
    sqlalchemy.dialects.registry.impls["other"] = lambda: dialect
    yield
    del sqlalchemy.dialects.registry.impls["other"]


@pytest.mark.usefixtures("other")
def test_of_a_database_that_cannot_be_held_to_reading_the_words_are_looked_at(shop) -> None:
    url = f"other:///{shop.root / 'shop.db'}"
    assert [
        row.values for row in rows(shop.root, "select count(*) as n, 'drop' as a from tickets", url=url)
    ] == [{"n": 5, "a": "drop"}]
    assert refusal(shop.root, "with a as (select 1) delete from tickets", url=url) == (
        "the query has the word DELETE, and other cannot be held to reading. Sources are never written; where it is"
        " the name of a column, make a view that calls it otherwise."
    )


def test_a_file_in_a_folder_that_may_not_be_written_is_locked_where_it_can_be(
    shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shop.root / "shop.db"
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # whoever runs this may write anywhere
    assert not _sql_connect.lies_still(file)
    make(file, "pragma journal_mode = wal")
    assert _sql_connect.lies_still(file)
    assert len(rows(shop.root, "select id from tickets")) == 5
    file.with_name("shop.db-wal").touch()
    assert not _sql_connect.lies_still(file)


def test_a_query_that_never_ends_can_be_interrupted(shop) -> None:
    query = "with recursive r(x) as (select 1 union all select x from r) select count(*) from r"
    with ends(0.5):  # which interrupts it, as Ctrl-C does
        assert refusal(shop.root, query) == "the database cannot be asked (interrupted)."


def test_a_secret_is_taken_out_before_a_message_is_cut() -> None:
    said = SqlSpec(
        query="select 1", url="postgresql://host/shop?sslrootcert=/home/anna&sslrootcert=/home/otto"
    )
    error = ValueError("x" * 195 + "/home/anna and /home/otto")
    assert _sql_url.scrubbed(error, said) == "x" * 195 + "*** a"


def test_a_server_that_never_answers_is_not_waited_for_without_end() -> None:
    from sqlalchemy import make_url

    def limits(url: str) -> dict[str, str]:
        return dict(_sql_connect.with_a_limit(make_url(url), 7).query)

    assert limits("postgresql+psycopg://host/shop") == {"connect_timeout": "30"}
    assert limits("mysql+pymysql://host/shop?connect_timeout=5") == {
        "connect_timeout": "5",
        "read_timeout": "7",
    }
    assert limits("mysql+mysqldb://host/shop?read_timeout=9") == {
        "read_timeout": "9",
        "connect_timeout": "30",
    }
    assert limits("oracle://host/shop") == {}


def test_marks_that_drivers_give_a_meaning_to_are_plain(shop) -> None:
    (row,) = rows(shop.root, "select ':x %s %% ; ?' as a /* :y ; */ -- ; z")
    assert row.values == {"a": ":x %s %% ; ?"}


def test_a_database_that_somebody_writes_to_is_read_as_it_stood(shop) -> None:
    with closing(sqlite3.connect(shop.root / "shop.db")) as writer:
        writer.execute("pragma journal_mode = wal")
        table = open_file(shop.root, spec("select id from tickets order by id")).table
        first = next(table.rows)
        writer.execute("delete from tickets")
        writer.commit()
        assert [row.values["id"] for row in (first, *table.rows)] == [1, 2, 3, 4, 5]
        assert rows(shop.root, "select id from tickets") == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///nope.db", "there is no database file 'nope.db' in "),
        ("sqlite://", "the database's URL names no file. Write it as sqlite:///shop.db."),
        (
            "nonsense",
            "the database's URL cannot be read. Write it as sqlite:///shop.db or postgresql://host/shop.",
        ),
        ("foo://host/shop", "there is no database called foo here. "),
        ("mysql+nodriver://host/shop", "there is no database called mysql+nodriver here. "),
        ("oracle://host/shop", "asking oracle needs the Python module "),
    ],
)
def test_urls_that_name_no_database(tmp_path: Path, url: str, said: str) -> None:
    assert refusal(tmp_path, "select 1", url=url).startswith(said)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:s3cret@host/shop",
        "postgresql://host/shop?password=s3cret",
        "mysql://host/shop?ssl_key=s3cret",
        "mssql+pyodbc:///?odbc_connect=PWD%3Ds3cret",
        "bigquery://shop?credentials_base64=s3cret",
        "foo://shop?api-key=s3cret",
    ],
)
def test_a_password_may_not_stand_in_the_project_file(url: str) -> None:
    with pytest.raises(ValidationError, match="name that: url_env: SHOP_URL") as caught:
        spec("select 1", url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "a source has one of path and sql"),
        ({"path": "a.csv", "sql": {"query": "select 1", "url": URL}}, "a source has one of path and sql"),
        ({"sql": {"query": "select 1"}}, "a query has one of url and url_env"),
        ({"sql": {"query": "select 1", "url": URL, "url_env": "X"}}, "a query has one of url and url_env"),
        ({"sql": {"query": "select 1", "url": URL}, "format": "csv"}, "so it has no format"),
    ],
)
def test_settings_that_contradict_each_other(source: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SourceSpec(**source)


def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert refusal(tmp_path, "select 1") == (
        "reading databases needs a package that is not installed. pip install 'tunewright[sql]'"
    )


def test_its_content_is_that_of_its_rows(shop) -> None:
    query = spec("select id, label from tickets where id < 3 order by id")
    (name,), (before,) = zip(*contents(query, shop.root).items(), strict=True)
    assert name.startswith("shop.db ")
    make(shop.root / "shop.db", "update tickets set label = 'other' where id = 5")
    assert contents(query, shop.root) == {name: before}
    make(shop.root / "shop.db", "update tickets set label = 'other' where id = 2")
    assert contents(query, shop.root) != {name: before}
    other = spec(query.sql.query, "sqlite:///./shop.db")
    assert (
        contents(other, shop.root).keys().isdisjoint({name})
    )  # two that ask alike hide nothing from one another


PROJECT = """\
name: shop
task: {system: Sort the tickets.}
sources:
  tickets:
    sql: {query: "select question as input, label as expected from tickets where id < 3", url: "sqlite:///shop.db"}
"""


def test_a_project_is_stale_when_the_rows_change(shop) -> None:
    (shop.root / "tunewright.yaml").write_text(PROJECT)
    tunewright.open(shop.root).run("ingest")
    state = {planned.step.name: planned.state for planned in tunewright.open(shop.root).plan()}
    assert state["ingest"] == "fresh"
    make(shop.root / "shop.db", "update tickets set label = 'other' where id = 2")
    state = {planned.step.name: planned.state for planned in tunewright.open(shop.root).plan()}
    assert state["ingest"] == "stale"
    (shop.root / "shop.db").unlink()
    with pytest.raises(
        DataError, match=r"tunewright\.yaml:4: sources\.tickets: there is no database file 'shop\.db' in "
    ):
        tunewright.open(shop.root).plan()


needs_postgres = pytest.mark.skipif(None in postgres.PROGRAMS, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgres.server() as found:
        yield found


@pytest.fixture
def database(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The folder to ask from; SHOP_URL names the server. What zone this machine is in says nothing of the rows."""
    import psycopg

    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("SHOP_URL", f"postgresql+psycopg://shop:s3cr%40t%2Fpw@127.0.0.1:{port}/postgres")
    with psycopg.connect(
        host="127.0.0.1", port=port, user="shop", password=postgres.PASSWORD, dbname="postgres"
    ) as made:
        made.execute("drop table if exists t")
        made.execute("create sequence if not exists numbers")
        made.execute(
            "create table t (id int, at timestamptz, day date, price numeric, doc jsonb, raw bytea, who uuid,"
            " ip inet)"
        )
        made.execute(
            """insert into t values (1, '2026-01-02T03:04:05Z', '2026-01-02', 1.50, '{"a": [1, null]}', '\\xff',
            '12345678-1234-5678-1234-567812345678', '10.0.0.1'), (2, null, null, 'NaN', null, null, null, null)"""
        )
    return tmp_path


@needs_postgres
def test_values_of_postgres_take_their_json_form(database: Path) -> None:
    first, second = rows(database, "select * from t order by id", url_env="SHOP_URL")
    assert first.values == {
        "id": 1, "at": "2026-01-02T03:04:05+00:00", "day": "2026-01-02", "price": "1.50", "doc": {"a": [1, None]},
        "raw": "/w==", "who": "12345678-1234-5678-1234-567812345678", "ip": "10.0.0.1",
    }  # fmt: skip
    assert second.values["price"] == "NaN"


@needs_postgres
def test_rows_of_postgres_stream(database: Path) -> None:
    """The first row of a result that no memory holds comes at once."""
    query = "select generate_series(1, 1000000000) as a, repeat('x', 1000) as b"
    table = open_file(database, SourceSpec(sql={"query": query, "url_env": "SHOP_URL"})).table
    assert [next(table.rows).values["a"] for _ in range(3000)] == list(range(1, 3001))
    table.rows.close()


@needs_postgres
@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "with a as (delete from t returning id) select * from a",
            "DECLARE CURSOR must not contain data-modifying statements in WITH",
        ),
        ("select nextval('numbers')", "cannot execute nextval() in a read-only transaction"),
        ("select 1; commit; drop table t", "the query is more than one statement."),
        ("select x from t", 'column "x" does not exist'),
        ("select 1/(id-1) from t", "division by zero"),
    ],
)
def test_postgres_is_read_and_never_written(database: Path, query: str, said: str) -> None:
    assert said in refusal(database, query, url_env="SHOP_URL")
    assert len(rows(database, "select * from t", url_env="SHOP_URL")) == 2


@needs_postgres
def test_no_message_holds_what_the_variable_says(desk, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (
        f"postgresql+psycopg://shopper:s3cret-word@127.0.0.1:{port}/nowhere",
        "postgresql+psycopg://shopper:s3cret-word@127.0.0.1:1/nowhere",
        "postgresql+psycopg://shopper:s3cret-word@no-such-host.invalid/nowhere",
        f"postgresql+psycopg://shop:s3cr%40t%2Fpw@127.0.0.1:{port}/nowhere",
    ):
        monkeypatch.setenv("SHOP_URL", url)
        sources = {"s": SourceSpec(sql={"query": "select 1", "url_env": "SHOP_URL"})}
        (problem,) = inspect_sources(sources, TASK, desk.root, reject_budget=0)
        assert str(problem).startswith("$SHOP_URL: the database cannot be asked (")
        for secret in ("shopper", "s3cr", "127.0.0.1", "nowhere", str(port), "no-such-host"):
            assert secret not in str(problem)


def test_a_file_that_a_variable_names_is_no_secret_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", "sqlite:////home/anna/customers.db")
    assert (
        refusal(tmp_path, "select 1", url_env="SHOP_URL") == "there is no database file where SHOP_URL says."
    )


def test_a_variable_that_is_not_set(tmp_path: Path) -> None:
    assert refusal(tmp_path, "select 1", url_env="NO_SUCH_URL") == (
        "the environment variable NO_SUCH_URL, which is to hold the database's URL, is not set. "
        "Set it: export NO_SUCH_URL=…"
    )
