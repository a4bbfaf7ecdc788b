"""Files that would fill a machine's memory, or keep it busy for ever, are refused in a sentence; good pages are read."""

import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ends import ends
from tunewright.core.errors import DataError
from tunewright.data import text
from tunewright.data.rows import BadFile, Reject, Row
from tunewright.data.sources import (
    _lines,
    _parquet_pages,
    _parquet_size,
    _window,
    if_empty,
    open_file,
    parquet,
    pdf,
)
from tunewright.data.sources import json as json_source
from tunewright.data.sources._apart import Apart
from tunewright.data.spec import SourceSpec


def refusal(desk, path: str, **source: Any) -> str:
    with pytest.raises(DataError) as caught:
        desk.ingest(path, **source)
    return str(caught.value)


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.tsv"])
def test_a_line_of_a_gigabyte_is_not_read(desk, name: str) -> None:
    path = desk.write(name, b'input\texpected\n{"input": "')
    with path.open("r+b") as stream:
        stream.truncate(2**30)  # a hole, which takes no room on the disk
    assert refusal(desk, name) == (
        f"{name}: it has a line of more than 67,108,864 bytes. Write one row a line, or set format:."
    )


def test_lines_are_counted_as_the_encoding_ends_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte that ends a line in ASCII is half a letter in UTF-16."""
    monkeypatch.setattr(_lines, "LINE", 100)
    path = tmp_path / "t.jsonl"
    path.write_text("ਊ" * 50 + "\n" + "ਊ" * 30, encoding="utf-16")
    with pytest.raises(BadFile, match="a line of more than 100 bytes"):
        open_file(path, SourceSpec(path="t", encoding="utf-16"))
    path.write_text("ਊ" * 30 + "\n" + "ਊ" * 30, encoding="utf-16")
    assert len(list(open_file(path, SourceSpec(path="t", encoding="utf-16")).table.rows)) == 2


@pytest.mark.parametrize("row", ['{"a": "' + "é" * 200 + '"}', "[" * 400 + "NaN", "9" * 400, '"' + "x" * 400])
def test_a_row_of_an_array_that_is_too_long(desk, monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    monkeypatch.setattr(_window, "LINE", 300)
    monkeypatch.setattr(text, "_BLOCK", 16)
    desk.write("t.json", f'[{{"input": "a", "expected": "b"}},\n {row}, 1]')
    assert refusal(desk, "t.json") == "t.json:2: row 2 has more than 300 bytes. Cut it into smaller ones."


def test_an_array_is_never_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text("[" + ", ".join(['{"a": "😀' + "x" * 1000 + '"}'] * 4000) + "]", encoding="utf-8")
    tracemalloc.start()
    try:
        rows = sum(isinstance(row, Row) for row in json_source.read(path, "utf-8").rows)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 4000
    assert most < 2_000_000, "the file has four million characters"


def wide(text: str, count: int) -> Any:
    """Rows that all point at one text."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([text]))


def listed(array: Any) -> Any:
    """The array as the list of a single row."""
    return pa.ListArray.from_arrays(pa.array([0, len(array)], pa.int32()), array)


LONG = "x" * 900_000
PARQUET_BOMBS = {
    "rows that point at one long text": (wide(LONG, 20_000), "and its rows come to more; 1,073,741,824 are read."),
    "a list that does": (listed(wide(LONG, 20_000)), "and its rows come to more; 1,073,741,824 are read."),
    "a page packed well": (pa.array(["z" * 2**27]), "and its pages unpack to 134,217,7"),
    "very many nulls": (pa.nulls(100_000_000, pa.int8()), "it says that it has 100,000,000 rows."),
    "a list of them": (listed(pa.nulls(100_000_000, pa.int8())), "says that it has 100,000,000 values, in a file of"),
}  # fmt: skip


@pytest.mark.parametrize("what", PARQUET_BOMBS)
def test_a_small_parquet_file_that_stands_for_very_much(desk, what: str) -> None:
    column, said = PARQUET_BOMBS[what]
    plain = what == "a page packed well"
    table = pa.table({"text": column})
    pq.write_table(table, desk.root / "t.parquet", compression="zstd", use_dictionary=not plain)
    assert (desk.root / "t.parquet").stat().st_size < 300_000
    sentence = refusal(desk, "t.parquet", columns={"text": "text"})
    assert said in sentence
    assert sentence.count("\n") == 0


def test_a_row_beyond_the_bound_is_set_aside_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW", 10_000)
    texts = [letter * length for letter, length in zip("abcd", (10, 20_000, 10, 9_000), strict=True)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "t.parquet")
    rows = list(parquet.read(tmp_path / "t.parquet", "utf-8").rows)
    assert [row.number for row in rows if not isinstance(row, Reject)] == [1, 3, 4]
    (reject,) = (row for row in rows if isinstance(row, Reject))
    assert (reject.number, reject.reason) == (
        2,
        "too long: the row has 20,004 bytes; 10,000 are read",
    )


MAP = pa.array([[("k", "v")], None, [("a", "b"), ("c", None)]], pa.map_(pa.string(), pa.string()))


def test_what_is_left_as_pointers_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds so narrow that every column of texts is."""
    nested = [{"role": "user", "content": ["a", None]}, None, {"role": "user", "content": ["b"]}]
    table = pa.table(
        {"t": ["x", None, "x"], "n": nested, "l": [["a"], [], None], "i": [1, 2, None], "m": MAP, "b": [b"\xff"] * 3}
    )  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    usual = list(parquet.read(tmp_path / "t.parquet", "utf-8").rows)
    monkeypatch.setattr(_parquet_size, "most_unpacked", lambda packed: 2**30)
    monkeypatch.setattr(_parquet_size, "HELD", 1_000)
    found = _parquet_size.plan_reading(tmp_path / "t.parquet", 3, 1024)
    assert found.pointers == sorted(["b", "l.list.element", "m.key_value.key", "m.key_value.value",
                                     "n.content.list.element", "n.role", "t"])  # fmt: skip
    monkeypatch.setattr(parquet, "ROW", 200)
    assert [row for row in usual if isinstance(row, Reject)] == []
    assert list(parquet.read(tmp_path / "t.parquet", "utf-8").rows) == usual


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_the_heads_of_pages_are_understood(tmp_path: Path, version: str, codec: str) -> None:
    table = pa.table({"t": [f"text {at % 7}" for at in range(5000)], "i": range(5000)})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, compression=codec, data_page_version=version, row_group_size=2000)
    found = list(_parquet_size.chunks(path))
    assert [(chunk.path, chunk.nested, chunk.values) for chunk in found] == [
        (path, False, values) for values in (2000, 2000, 1000) for path in ("t", "i")
    ]
    assert {chunk.longest for chunk in found if chunk.path == "t"} == {6}


def nested_forms(deep: int, wide: int) -> bytes:
    """A PDF whose first page draws a form that draws another `wide` times, and so on; its second page is plain."""
    font = b"/Font<</F1 5 0 R>>"

    def stream(head: bytes, data: bytes) -> bytes:
        return b"<<%b/Length %d>>stream\n%b\nendstream" % (head, len(data), data)

    def form(inner: int) -> bytes:
        return b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>%b>>" % (
            inner,
            font,
        )

    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents %d 0 R/Resources<<%b>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>",
        page % (4, font + b"/XObject<</X 8 0 R>>"),
        stream(b"", b"/X Do"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        page % (7, font),
        stream(b"", b"BT /F1 12 Tf 20 100 Td (good page) Tj ET"),
        *(stream(form(9 + at), b"/X Do " * wide) for at in range(deep)),
        stream(form(5), b"BT /F1 12 Tf (x) Tj ET"),
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    end = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(places) + 1, b"".join(places))
    return (
        out + end + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, len(out))
    )


def test_a_page_that_takes_for_ever_is_a_reject(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 1)
    desk.write("t.pdf", nested_forms(1, 1))
    assert [e.expected for e in desk.ingest("t.pdf").examples] == ["x", "good page"]
    desk.write("t.pdf", nested_forms(25, 2))
    got = desk.ingest("t.pdf")
    assert got.reasons == [(1, "broken page: it takes more than 1 s of processor time")]
    assert [(e.expected, e.origin.row) for e in got.examples] == [("good page", 2)]
    monkeypatch.setattr(pdf, "LOST", 1)
    assert refusal(desk, "t.pdf") == (
        "t.pdf: reading stopped after page 1: 1 pages are broken, the last of them takes more than 1 s of processor time. "
        "Save it anew, or leave it out."
    )


def test_a_reader_that_breaks_down_takes_nothing_along(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends in the middle of its work, as one does that a library crashes."""
    desk.write("t.pdf", nested_forms(1, 1))
    (desk.root / "ends_at_once.py").write_text("import sys\nsys.stdin.readline()\n")
    monkeypatch.syspath_prepend(str(desk.root))
    with monkeypatch.context() as patch:
        patch.setattr(pdf, "_READER", Apart("ends_at_once"))
        assert refusal(desk, "t.pdf") == (
            "t.pdf: the PDF cannot be opened: it breaks the reader down. Save it anew."
        )
    assert len(desk.ingest("t.pdf").examples) == 2


def test_two_files_are_read_in_turns(desk) -> None:
    (desk.root / "a.pdf").write_bytes(nested_forms(1, 1))
    (desk.root / "b.pdf").write_bytes(nested_forms(1, 2))
    tables = [pdf.read(desk.root / name, "utf-8").rows for name in ("a.pdf", "b.pdf")]
    with ends():
        texts = [next(rows).values["text"] for _ in range(2) for rows in tables]
    assert texts[0] == "x"
    assert texts[2:] == ["good page", "good page"]


def pack(path: Path, **files: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def test_exports_of_chat_tools_are_known_by_what_lies_in_them(desk) -> None:
    pack(desk.root / "slack.zip", **{"users.json": "[]", "help/2024-02-29.json": "[]"})
    assert refusal(desk, "slack.zip") == (
        "sources.s.path: slack.zip: the archive is the export of a Slack workspace. Set format: slack."
    )
    pack(desk.root / "gpt.zip", **{"user.json": "{}", "conversations.json": "[]", "chat.html": ""})
    assert refusal(desk, "gpt.zip") == (
        "sources.s.path: gpt.zip: the archive is the export of a ChatGPT account. "
        "Set format: chatgpt, and path: gpt.zip/conversations.json."
    )
    pack(desk.root / "plain.zip", **{"users.json": '[{"input": "a", "expected": "b"}]'})
    assert len(desk.ingest("plain.zip").examples) == 1


@pytest.mark.parametrize(
    ("name", "columns", "said"),
    [
        ("t.pdf", ("text", "page"), "says nothing"),
        ("t.vtt.gz", ("text",), "says nothing"),
        ("t.csv", ("a",), "has a header and no rows"),
        ("t.csv", (), "is empty"),
        ("t.jsonl", None, "holds no rows"),
    ],
)
def test_what_is_said_of_a_file_without_rows(name: str, columns: tuple[str, ...] | None, said: str) -> None:
    assert if_empty(Path(name), SourceSpec(path=name), columns) == said


def test_a_footer_that_the_library_breaks_down_over_is_refused(tmp_path: Path) -> None:
    """Statistics of sizes that contradict the schema: asked for by the library's own way, they end the process."""
    pq.write_table(pa.table({"a": ["x", "y"]}), tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    broken = 0
    for at in range(len(data) - 8 - int.from_bytes(data[-8:-4], "little"), len(data) - 8):
        for bit in (1, 2, 4):
            (tmp_path / "t.parquet").write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
            try:
                list(parquet.read(tmp_path / "t.parquet", "utf-8").rows)
            except BadFile as refused:
                broken += "histogram size mismatch" in refused.message
    assert broken > 0


def test_a_parquet_footer_that_says_very_much_is_not_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte of a list of empty structs would be a dictionary."""
    monkeypatch.setattr(_parquet_pages, "_VALUES", 1000)
    for count, said in ((500, "its footer is broken"), (2000, "it says too much of itself")):
        footer = b"\xf9\xfc" + bytes([count & 127 | 128, count >> 7]) + bytes(count + 1)
        path = tmp_path / "t.parquet"
        path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
        with pytest.raises(ValueError, match=said):
            list(_parquet_pages.chunks(path))
