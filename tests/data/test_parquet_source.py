import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data.rows import BadFile
from tunewright.data.sources import _parquet_pages, parquet


def test_values_take_their_json_form(desk):
    when = datetime.datetime(2026, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "input": ["a", "b"],
            "expected": ["x", "y"],
            "score": [0.5, float("nan")],
            "price": [decimal.Decimal("1.50"), None],
            "when": pa.array([when, when], pa.timestamp("ns")),
            "blob": [b"text", b"\xff"],
            "nested": [{"k": [1, 2]}, None],
        }
    )
    pq.write_table(table, desk.root / "t.parquet")
    got = desk.ingest("t.parquet")
    assert [(e.origin.row, e.fields) for e in got.examples] == [
        (1, {"score": 0.5, "price": "1.50", "when": "2026-01-02T03:04:05", "blob": "text", "nested": {"k": [1, 2]}}),
        (2, {"score": None, "price": None, "when": "2026-01-02T03:04:05", "blob": "/w==", "nested": None}),
    ]  # fmt: skip


def test_chat_rows_in_parquet(desk):
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]
    pq.write_table(pa.table({"messages": [messages]}), desk.root / "t.parquet")
    assert desk.ingest("t.parquet").examples[0].expected == "yo"


def test_answers_that_are_structs(desk):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    pq.write_table(pa.table({"input": ["q"], "expected": [{"b": "x", "a": 1}]}), desk.root / "t.parquet")
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": schema}})
    assert desk.ingest("t.parquet", task).examples[0].expected == '{"a": 1, "b": "x"}'


def test_a_member_that_some_rows_lack(desk):
    schema = {"type": "object", "properties": {"a": {}, "b": {"type": "string"}}, "required": ["a"]}
    answers = [{"a": 1, "b": "x"}, {"a": 2}, {"a": None, "b": "y"}]
    pq.write_table(pa.table({"input": ["q"] * 3, "expected": answers}), desk.root / "t.parquet")
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": schema}})
    got = desk.ingest("t.parquet", task).examples
    assert [e.expected for e in got] == ['{"a": 1, "b": "x"}', '{"a": 2}', '{"a": null, "b": "y"}']


@pytest.mark.parametrize("content", [b"PAR1 no more", b"text"])
def test_no_parquet(desk, content):
    desk.write("t.parquet", content)
    with pytest.raises(DataError, match=r"^t\.parquet: the file is not readable Parquet"):
        desk.ingest("t.parquet")


def test_missing_column(desk):
    pq.write_table(pa.table({"text": ["q"], "label": ["x"]}), desk.root / "t.parquet")
    with pytest.raises(
        DataError, match="there is no column 'expected' for 'expected'; the columns are text, label"
    ):
        desk.ingest("t.parquet")


def test_a_row_that_python_has_no_values_for_is_a_reject_alone(desk):
    texts = pa.array([b"q1", b"q\xff", b"q3", b"q4"], pa.binary()).view(pa.string())
    late = pa.array([0, 0, 2**60, 1_000_000], pa.timestamp("us"))
    pq.write_table(pa.table({"input": texts, "expected": ["a"] * 4, "when": late}), desk.root / "t.parquet")
    got = desk.ingest("t.parquet")
    assert [(e.origin.row, e.fields["when"]) for e in got.examples] == [
        (1, "1970-01-01T00:00:00"), (4, "1970-01-01T00:00:01"),
    ]  # fmt: skip
    assert [(number, reason.partition(":")[0]) for number, reason in got.reasons] == [
        (2, "no value"),
        (3, "no value"),
    ]


def tiny_pages(path, rows: int, **how) -> pa.Table:
    """A file whose pages have one row each; every third text is longer."""
    table = pa.table({"text": [f"{at:05}{'x' * (at % 3)}" for at in range(rows)], "n": [*range(rows)]})
    pq.write_table(table, path, data_page_size=1, write_batch_size=1, use_dictionary=False, **how)
    return table


@pytest.mark.parametrize("statistics", [True, False])
@pytest.mark.parametrize("alike", [4, 1])
@pytest.mark.parametrize("window", [2**20, 4096])
def test_pages_of_one_row(tmp_path, monkeypatch, statistics, alike, window):
    monkeypatch.setattr(_parquet_pages, "_ALIKE", alike)
    monkeypatch.setattr(_parquet_pages, "_WINDOW", window)
    table = tiny_pages(tmp_path / "t.parquet", 3000, row_group_size=2000, write_statistics=statistics)
    found = list(_parquet_pages.chunks(tmp_path / "t.parquet"))
    assert [chunk.values for chunk in found] == [2000, 2000, 1000, 1000]
    assert len({chunk.page for chunk in found if chunk.path == "text"}) == 1
    read = list(parquet.read(tmp_path / "t.parquet", "utf-8").rows)
    assert [row.values for row in read] == table.to_pylist()


def test_pages_small_and_large_by_turns(tmp_path):
    texts = [("x" * 50_000 if at % 40 == 0 else f"{at}") for at in range(400)]
    pq.write_table(
        pa.table({"text": texts}),
        tmp_path / "t.parquet",
        data_page_size=1,
        write_batch_size=1,
        use_dictionary=False,
    )
    (chunk,) = _parquet_pages.chunks(tmp_path / "t.parquet")
    assert chunk.values == 400
    assert 50_000 < chunk.page < 50_100


def test_too_many_pages_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_parquet_pages, "PAGES", 1000)
    tiny_pages(tmp_path / "t.parquet", 501)
    with pytest.raises(BadFile) as refused:
        parquet.read(tmp_path / "t.parquet", "utf-8")
    assert (refused.value.message, refused.value.fix) == (
        "it has more than 1,000 pages.",
        "Write it anew, with pages of more rows.",
    )
