"""Queries within bounds: asked once a run, ended when they take too long, rows held by their size; on real databases."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import postgres
import pytest
import sqlalchemy

import tunewright
from ends import ends
from tunewright.data.files import contents
from tunewright.data.rows import BadFile, Reject
from tunewright.data.sources import _sql_limits, _sql_once, open_file, sql
from tunewright.data.spec import SourceSpec

QUERY = "select id, said from t order by id"
ENDLESS = "with recursive r(x) as (select 1 union all select x + 1 from r) select max(x) as x from r"


def change(root: Path, *statements: str) -> None:
    with closing(sqlite3.connect(root / "shop.db")) as made, made:
        for statement in statements:
            made.execute(statement)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    change(
        tmp_path,
        "create table t (id integer, said text)",
        "insert into t values (1, 'é'), (2, cast(x'ff' as text)), (3, null), (4, 'b')",
    )
    return tmp_path


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The queries that databases were asked, without what they are told first."""
    said: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("PRAGMA", "SET")):
            said.append(statement)

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    yield said
    sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)


def source(query: str = QUERY, **more: Any) -> SourceSpec:
    return SourceSpec(sql={"query": query, **({"url": "sqlite:///shop.db"} | more)})


def rows(root: Path, spec: SourceSpec) -> list[Any]:
    return list(open_file(root, spec).table.rows)


def refusal(root: Path, spec: SourceSpec) -> str:
    with ends(60), pytest.raises(BadFile) as caught:
        rows(root, spec)
    return f"{caught.value.message} {caught.value.fix}"


def test_within_a_run_a_query_is_asked_once(shop: Path, asked: list[str]) -> None:
    before, outside = rows(shop, source()), contents(source(), shop)
    del asked[:]
    with sql.asked_once():
        first = contents(source(), shop)
        change(shop, "update t set said = 'other'")
        assert rows(shop, source()) == before
        assert [list(row.values) for row in rows(shop, source()) if not isinstance(row, Reject)] == [
            ["id", "said"]
        ] * 3
        with sql.asked_once():
            assert contents(source(), shop) == first == outside
        assert asked == [QUERY]
    assert contents(source(), shop) != first
    assert len(asked) == 2


def test_rows_that_are_let_go_are_asked_for_again_and_their_hash_stays(shop: Path, asked: list[str]) -> None:
    sql.let_go()  # of nothing
    with sql.asked_once():
        first = contents(source(), shop)
        one = open_file(shop, source()).table.rows
        next(one)
        one.close()
        sql.let_go()
        assert contents(source(), shop) == first
        assert asked == [QUERY]
        assert len(rows(shop, source())) == 4
        assert len(rows(shop, source())) == 4
    assert asked == [QUERY, QUERY]


def test_other_queries_and_other_folders_are_asked_for_themselves(shop: Path, asked: list[str]) -> None:
    (shop / "b").mkdir()
    (shop / "b" / "shop.db").write_bytes((shop / "shop.db").read_bytes())
    with sql.asked_once():
        for spec, root in ((source(), shop), (source(), shop / "b"), (source("select 1"), shop)):
            assert contents(spec, root) == contents(spec, root)
    assert asked == [QUERY, QUERY, "select 1"]


def test_two_read_what_is_kept_side_by_side(shop: Path, asked: list[str]) -> None:
    with sql.asked_once():
        contents(source(), shop)
        one, other = (open_file(shop, source()).table.rows for _ in range(2))
        assert list(zip(one, other, strict=True)) == [(row, row) for row in rows(shop, source())]
    assert asked == [QUERY]


def test_of_rows_too_many_to_keep_the_hash_is_that_of_the_rows_read(
    shop: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sql_once, "KEPT", 40)
    with sql.asked_once():
        first = contents(source(), shop)
        assert contents(source(), shop) == first
        change(shop, "update t set said = 'other'")
        rows(shop, source())
        assert contents(source(), shop) != first
    assert asked == [QUERY, QUERY]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("times", [1, 30_000])
def test_where_the_disk_is_full_the_rows_are_asked_for_again(
    shop: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """At its end, or on its way."""
    monkeypatch.setattr(_sql_once.tempfile, "TemporaryFile", lambda: open("/dev/full", "r+b"))  # noqa: SIM115  # the spool closes it
    change(shop, f"update t set said = '{'x' * times}' where id = 1")
    with sql.asked_once():
        first = contents(source(), shop)
        assert contents(source(), shop) == first
        assert len(rows(shop, source())) == 4
    assert asked == [QUERY, QUERY]


def test_a_reading_that_was_given_up_is_not_known(shop: Path, asked: list[str]) -> None:
    with sql.asked_once():
        table = open_file(shop, source()).table
        next(table.rows)
        table.rows.close()
        assert len(rows(shop, source())) == 4
    assert asked == [QUERY, QUERY]


PROJECT = """\
name: shop
task: {system: Sort the tickets.}
sources: {tickets: {sql: {query: "select said as input, id as expected from t where id != 2 and said not null", url: "sqlite:///shop.db"}}}
"""


def test_a_project_asks_once_and_sees_at_its_next_run_what_changed(shop: Path, asked: list[str]) -> None:
    (shop / "tunewright.yaml").write_text(PROJECT)
    with sql.asked_once():
        tunewright.open(shop).run("ingest")
    assert len(asked) == 1
    change(shop, "update t set said = 'other' where id = 1")
    with sql.asked_once():
        tunewright.open(shop).run("ingest")
    assert len(asked) == 2
    assert tunewright.open(shop).plan()[0].state == "fresh"


def test_a_row_of_a_query_is_followed_with_one_question(shop: Path, asked: list[str]) -> None:
    (shop / "tunewright.yaml").write_text(PROJECT)
    for _ in range(2):
        del asked[:]
        assert len(tunewright.open(shop).why("shop.db:1").found) == 1
        assert len(asked) == 1


def test_a_query_that_takes_too_long_is_ended(shop: Path) -> None:
    assert refusal(shop, source(ENDLESS, seconds=1)) == (
        "the database took longer than 1 s to give rows. Make the query quicker (an index, fewer rows), or let it take"
        " longer: sql: {seconds: …}."
    )


def test_a_query_that_takes_too_long_on_its_way_is_ended(shop: Path) -> None:
    query = f"select 1 as x union all select 2 union all select 3 union all select x from ({ENDLESS})"
    table = open_file(shop, source(query, seconds=1)).table
    assert next(table.rows).values == {"x": 1}
    with ends(60), pytest.raises(BadFile, match="took longer than 1 s"):
        list(table.rows)


def test_a_row_too_long_is_a_reject_alone(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunewright.data.sources.sql.ROW", 100)
    change(shop, f"update t set said = '{'x' * 200}' where id = 3")
    kinds = [(row.number, getattr(row, "reason", None)) for row in rows(shop, source())]
    assert kinds == [
        (1, None),
        (2, "broken text: byte 0xFF is not utf-8"),
        (3, "too long: the row has 208 bytes; 100 are read"),
        (4, None),
    ]


def test_a_value_too_long_for_sqlite_is_told_with_the_bound(shop: Path) -> None:
    table = open_file(
        shop, source("select 1 as a union all select 2 union all select zeroblob(67108865)")
    ).table
    with pytest.raises(
        BadFile, match=r"^reading stopped after row 1 \(a value has more than 67,108,864 bytes\)\.$"
    ):
        list(table.rows)


class Counted:
    """A result whose rows are counted as they are asked for."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.asked: list[int] = []

    def fetchmany(self, count: int) -> list[Any]:
        self.asked.append(count)
        return self._cursor.fetchmany(count)


def test_long_rows_are_held_few_at_a_time(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sql_limits, "ROW", 1000)
    change(
        shop,
        "delete from t",
        *(f"insert into t values ({at}, '{'x' * (1 if at < 9 else 300)}')" for at in range(16)),
    )
    engine = sqlalchemy.create_engine(f"sqlite:///{shop / 'shop.db'}")
    with engine.connect() as connection:
        result = Counted(connection.connection.dbapi_connection.execute(QUERY))
        found = list(_sql_limits.fetched(result, _sql_limits.Guard(connection, 60)))
    engine.dispose()
    assert [row[0] for row, _ in found] == list(range(16))
    assert result.asked == [1, 2, 4, 8, 3, 3]
    assert (
        _sql_limits.row_size(("é", b"ab", memoryview(b"abc"), {"a": ["bc", 1]}, None))
        == 2 + 2 + 3 + 1 + 2 + 8 + 16 + 8
    )
    assert _sql_limits.row_size(("ab", "日本", "\ud800")) == 2 + 6 + 3


needs_postgres = pytest.mark.skipif(None in postgres.PROGRAMS, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgres.server() as found:
        yield found


@needs_postgres
@pytest.mark.parametrize("off", ["", ", set_config('statement_timeout', '0', false)"])
def test_postgres_ends_it_or_the_clock_on_this_side(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    monkeypatch.setenv("SHOP_URL", f"postgresql+psycopg://shop:s3cr%40t%2Fpw@127.0.0.1:{port}/postgres")
    monkeypatch.setattr(_sql_limits, "_GRACE", 0.2)
    query = f"select 1 as a{off} union all select 2{off and ', pg_sleep(60)::text'}"
    query = query if off else "select pg_sleep(60)"
    spec = source(query, url="", url_env="SHOP_URL", seconds=1)
    assert refusal(tmp_path, spec).startswith("the database took longer than 1 s to give rows.")


@needs_postgres
def test_where_neither_server_nor_driver_ends_it_the_line_is_cut(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """pg8000 can break no query off; the query itself switches the server's clock off."""
    monkeypatch.setenv("SHOP_URL", f"postgresql+pg8000://shop:s3cr%40t%2Fpw@127.0.0.1:{port}/postgres")
    monkeypatch.setattr(_sql_limits, "_GRACE", 0.2)
    query = (
        "select 1 as a, set_config('statement_timeout', '0', false) union all select 2, pg_sleep(60)::text"
    )
    told = refusal(tmp_path, source(query, url="", url_env="SHOP_URL", seconds=1))
    assert told.startswith("the database took longer than 1 s to give rows.")
    assert rows(tmp_path, source("select 1 as a", url="", url_env="SHOP_URL")) == [(1, {"a": 1})]
    assert capfd.readouterr().err == ""


def test_a_driver_in_c_is_not_closed_under_a_call() -> None:
    """It would free what the call still uses."""
    raw = sqlite3.connect(":memory:")
    _sql_limits._hang_up(raw)
    assert raw.execute("select 1").fetchall() == [(1,)]
    raw.close()


@needs_postgres
def test_a_row_of_postgres_too_long_is_a_reject_alone(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", f"postgresql+psycopg://shop:s3cr%40t%2Fpw@127.0.0.1:{port}/postgres")
    said = f"repeat('x', case i when 2 then {70 * 2**20} else 1 end) as said"
    query = f"select i, {said} from generate_series(1, 3) as i order by i"
    found = rows(tmp_path, source(query, url="", url_env="SHOP_URL"))
    assert [row.number for row in found] == [1, 2, 3]
    assert found[1].reason == "too long: the row has 73,400,328 bytes; 67,108,864 are read"


@needs_postgres
def test_a_value_of_postgres_that_nests_too_deep_is_told_in_a_sentence(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", f"postgresql+psycopg://shop:s3cr%40t%2Fpw@127.0.0.1:{port}/postgres")
    query = "select (repeat('[', 3000) || repeat(']', 3000))::json as a"
    told = refusal(tmp_path, source(query, url="", url_env="SHOP_URL"))
    assert told.endswith(" (a JSON value nests too deep). None")
