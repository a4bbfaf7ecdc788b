"""Packed files and archives, made by the standard writers, and what is refused of those from strangers; Arrow files."""

import bz2
import datetime
import gzip
import io
import json
import lzma
import stat
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest

from tunewright.core.errors import DataError
from tunewright.data.files import InputFile, find_files, source_paths
from tunewright.data.rows import BadFile
from tunewright.data.sources import _lines, _unpack, _zip, open_file
from tunewright.data.spec import SourceSpec

CSV = b"input,expected\nhello,greeting\n,blank\n"
LINES = b'{"input": "hello", "expected": "greeting"}\n'


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


@pytest.fixture
def left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The files in the folder for temporary ones, which is an own one."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return lambda: list(folder.rglob("*"))


def failure(desk, path: str, **source: Any) -> str:
    with pytest.raises(DataError) as caught:
        desk.ingest(path, **source)
    return str(caught.value)


def make_zip(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_file_reads_as_what_it_holds(desk, left_behind, ending: str) -> None:
    desk.write(f"t.csv{ending}", PACKERS[ending](CSV))
    got = desk.ingest(f"t.csv{ending}")
    assert [(e.input_text, e.origin.file, e.origin.row) for e in got.examples] == [
        ("hello", f"t.csv{ending}", 2)
    ]
    assert got.reasons == [(3, "empty input: the user's message is blank")]
    desk.write(f"rows{ending}", PACKERS[ending](LINES))
    assert len(desk.ingest(f"rows{ending}", format="jsonl").examples) == 1
    assert failure(desk, f"rows{ending}").startswith(f"rows{ending}: the ending '' does not tell the format.")
    desk.write(f"b.md{ending}", PACKERS[ending](b"# Terms\n"))
    assert desk.ingest(f"b.md{ending}").examples[0].fields == {"title": "Terms", "document": "b.md"}
    assert left_behind() == []


def test_several_streams_in_one_file(desk) -> None:
    for ending, pack in PACKERS.items():
        more = b"bye,parting\n"
        desk.write(f"t.csv{ending}", pack(CSV) + pack(more))
        assert len(desk.ingest(f"t.csv{ending}").examples) == 2, ending
    desk.write("t.csv.xz", lzma.compress(CSV) + b"\0" * 8 + lzma.compress(b"bye,parting\n") + b"\0" * 4)
    assert len(desk.ingest("t.csv.xz").examples) == 2


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"not packed at all" * 9]
)
def test_broken_packing_is_one_sentence(desk, left_behind, ending: str, damage: Any) -> None:
    desk.write(f"t.csv{ending}", damage(PACKERS[ending](CSV * 1000)))
    assert f"t.csv{ending}: it cannot be unpacked as {_unpack.COMPRESSED[ending]} (" in failure(
        desk, f"t.csv{ending}"
    )
    assert left_behind() == []


def test_what_is_unpacked_goes_when_reading_ends_early(tmp_path: Path, left_behind) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(CSV))
    opened = open_file(tmp_path / "t.csv.gz", SourceSpec(path="t"))
    assert left_behind() != []
    opened.table.rows.close()
    assert left_behind() == []
    opened = open_file(tmp_path / "t.csv.gz", SourceSpec(path="t"))
    next(opened.table.rows)
    opened.table.rows.close()
    assert left_behind() == []


def test_packed_tables_and_workbooks(desk) -> None:
    import openpyxl

    made = openpyxl.Workbook()
    for row in (["input", "expected"], ["q", "a"]):
        made.active.append(row)
    made.save(desk.root / "t.xlsx")
    desk.write("t.xlsx.gz", gzip.compress((desk.root / "t.xlsx").read_bytes()))
    assert desk.ingest("t.xlsx.gz").examples[0].expected == "a"


def test_every_row_file_of_an_archive_is_a_file(desk, left_behind) -> None:
    files = {
        "README.md": b"# Read me",
        "a/t.csv": CSV,
        "b.jsonl": LINES,
        "__MACOSX/._t.csv": b"x",
        ".hidden.csv": b"x",
    }
    make_zip(desk.root / "d.zip", **files, **{"photo.png": b"x"})
    got = desk.ingest("d.zip")
    assert [(e.origin.file, e.origin.row) for e in got.examples] == [
        ("d.zip/a/t.csv", 2),
        ("d.zip/b.jsonl", 1),
    ]
    assert [reject["file"] for reject in got.rejects] == ["d.zip/a/t.csv"]
    assert list(got.summary.sources["s"].files) == ["d.zip/a/t.csv", "d.zip/b.jsonl"]
    assert [e.origin.file for e in desk.ingest("d.zip/*.csv").examples] == ["d.zip/a/t.csv"]
    assert [e.expected for e in desk.ingest("d.zip/README.md").examples] == ["# Read me"]
    make_zip(desk.root / "e.zip", **{"t.csv": CSV})
    assert len(desk.ingest("?.zip/*.csv").examples) == 2
    assert left_behind() == []


def test_names_that_begin_with_a_dot_and_a_slash(desk) -> None:
    make_zip(desk.root / "d.zip", **{"./a//t.csv": CSV})
    assert [e.origin.file for e in desk.ingest("d.zip").examples] == ["d.zip/a/t.csv"]


def test_what_an_archive_does_not_hold(desk) -> None:
    make_zip(desk.root / "d.zip", **{"t.csv": CSV, "u.csv": CSV})
    assert failure(desk, "d.zip/x.csv") == (
        "sources.s.path: d.zip: no entry of the archive matches 'x.csv'. List them: unzip -l."
    )
    assert "there is no file 'e.zip/t.csv'" in failure(desk, "e.zip/t.csv")
    with pytest.raises(BadFile, match=r"the archive holds 2 files to read \(t.csv, u.csv\)"):
        open_file(desk.root / "d.zip", SourceSpec(path="d"))
    make_zip(desk.root / "photos.zip", **{"a.png": b"x"})
    assert failure(desk, "photos.zip").startswith(
        "photos.zip/a.png: the ending '.png' does not tell the format."
    )
    make_zip(desk.root / "none.zip")
    assert "none.zip: no entry of the archive is a file." in failure(desk, "none.zip")


def test_the_plan_hashes_the_archive(tmp_path: Path) -> None:
    make_zip(tmp_path / "d.zip", **{"t.csv": CSV})
    for path in ("d.zip", "d.zip/t.csv", "*.zip/*.csv", "D.ZIP/../d.zip"):
        assert source_paths(tmp_path, path) == ([tmp_path / "d.zip"] if ".." not in path else [])
    assert find_files(SourceSpec(path="d.zip/*"), tmp_path) == [
        InputFile(tmp_path / "d.zip" / "t.csv", "d.zip/t.csv")
    ]


def refused(path: Path) -> str:
    with pytest.raises(BadFile) as caught:
        find_files(SourceSpec(path=path.name), path.parent)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../t.csv", "the archive's entry ../../t.csv leads out of the archive."),
        ("/etc/t.csv", "the archive's entry /etc/t.csv leads out of the archive."),
        ("a\\..\\..\\t.csv", "leads out of the archive."),
        ("//host/t.csv", "leads out of the archive."),
        ("C:\\t.csv", "leads out of the archive."),
        ("a\nb.csv", "has no name that can be printed."),
        ("in.zip", "the archive holds a packed file (in.zip), and only one layer is unpacked."),
        ("in.csv.gz", "the archive holds a packed file (in.csv.gz), and only one layer is unpacked."),
        ("in.tar", "the archive holds a packed file (in.tar), and only one layer is unpacked."),
    ],
)
def test_entries_that_are_refused(tmp_path: Path, name: str, why: str) -> None:
    assert why in refused(make_zip(tmp_path / "d.zip", **{name: CSV}))


def test_twice_packed_is_refused(desk) -> None:
    desk.write("t.csv.gz.bz2", bz2.compress(gzip.compress(CSV)))
    assert failure(desk, "t.csv.gz.bz2", format="csv").startswith(
        "t.csv.gz.bz2: the packed file holds another one, and only one layer is unpacked."
    )
    desk.write("t.tar.gz", gzip.compress(b"x"))
    assert "only one layer is unpacked" in failure(desk, "t.tar.gz", format="csv")


def test_locked_linked_and_doubled_entries(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "d.zip", **{"t.csv": CSV})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "is locked with a password" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("t.csv")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert "is a link to another file" in refused(path)
    make_zip(path, **{"t.csv": CSV, "u.csv": CSV})
    path.write_bytes(path.read_bytes().replace(b"u.csv", b"t.csv"))
    assert "stands in it twice" in refused(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_bombs_are_stopped_while_they_unpack(desk, left_behind, ending: str) -> None:
    """Zeros pack a thousandfold and more."""
    desk.write(f"t.txt{ending}", PACKERS[ending](b"\0" * 80_000_000))
    assert "and unpacks to more than 67,108,864; 67,108,864 are unpacked." in failure(desk, f"t.txt{ending}")
    assert left_behind() == []


def test_a_bomb_in_an_archive_is_refused_unread(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "d.zip", **{f"{at}.csv": b"\0" * 10_000_000 for at in range(8)})
    assert "and says that it unpacks to 80,000,000; 67,108,864 are unpacked." in refused(path)
    data = path.read_bytes().replace(struct.pack("<I", 10_000_000), struct.pack("<I", 1000))
    path.write_bytes(data)  # sizes that lie: what is more than stated is not unpacked
    file = find_files(SourceSpec(path="d.zip"), tmp_path)[0]
    with pytest.raises(BadFile, match="cannot be unpacked"):
        open_file(file.path, SourceSpec(path="d.zip"))


def test_a_line_without_end_is_refused(desk, left_behind) -> None:
    desk.write("t.jsonl.gz", gzip.compress(LINES + b'"' + b"ab" * (_lines.LINE // 2) + b"\n" + LINES, 1))
    assert failure(desk, "t.jsonl.gz").startswith("t.jsonl.gz: it has a line of more than 67,108,864 bytes.")
    assert left_behind() == []


def listing(names: list[bytes]) -> bytes:
    """An archive that is a list of entries alone, in the form of those with very many."""
    count = len(names)
    body = b"".join(
        b"PK\x01\x02" + b"\0" * 24 + struct.pack("<HHH", len(name), 0, 0) + b"\0" * 12 + name
        for name in names
    )
    end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(body), 0)
    end += b"PK\x06\x07" + struct.pack("<IQI", 0, len(body), 1)
    return body + end + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, *[2**16 - 1] * 2, *[2**32 - 1] * 2, 0)


def test_a_million_entries_are_refused(tmp_path: Path) -> None:
    names = [b"%06d.csv" % at for at in range(1_000_000)]
    with zipfile.ZipFile(io.BytesIO(listing(names[:1000]))) as archive:
        assert len(archive.infolist()) == 1000
    for count in (1_000_000, _zip.ENTRIES + 1):
        (tmp_path / "d.zip").write_bytes(listing(names[:count]))
        assert refused(tmp_path / "d.zip") == (
            "d.zip: the archive lists more entries than the 10,000 that are read."
        )


def test_an_entry_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "d.zip").write_bytes(listing([b""]))
    assert "has no name that can be printed" in refused(tmp_path / "d.zip")


def test_an_entry_whose_own_head_names_it_otherwise(desk) -> None:
    path = make_zip(desk.root / "d.zip", **{"t.csv": CSV})
    path.write_bytes(path.read_bytes().replace(b"t.csv", b"\xab(.sv", 1))
    assert "t.csv in the archive cannot be unpacked (its own head has another name)" in failure(desk, "d.zip")


def test_an_xz_dictionary_that_claims_the_memory(desk) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**30}]
    desk.write("t.csv.xz", lzma.compress(CSV, filters=filters))
    assert "cannot be unpacked as xz (Memory usage limit exceeded)" in failure(desk, "t.csv.xz")


def test_long_names_and_no_names(tmp_path: Path) -> None:
    name = "é" * 200 + ".csv"
    make_zip(tmp_path / "d.zip", **{name: CSV})
    (file,) = find_files(SourceSpec(path="d.zip"), tmp_path)
    opened = open_file(file.path, SourceSpec(path="d.zip"))
    assert opened.table.columns == ("input", "expected")
    opened.table.rows.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_arrow(desk, stream: bool, compression: str) -> None:
    rows = [
        {"input": f"q{at}", "expected": "a", "day": datetime.date(2024, 2, 29), "list": [at], "none": None}
        for at in range(3000)
    ]
    table = pa.Table.from_pylist(rows)
    if stream:
        with pa.ipc.new_stream(desk.root / "t.arrow", table.schema) as sink:
            sink.write_table(table, max_chunksize=1700)
    else:
        pyarrow.feather.write_feather(table, desk.root / "t.feather", compression=compression)
    got = desk.ingest("t.arrow" if stream else "t.feather")
    assert (got.summary.rows, len(got.examples)) == (3000, 3000)
    assert (got.examples[2999].origin.row, got.examples[2999].input_text) == (3000, "q2999")
    assert got.examples[5].fields == {"day": "2024-02-29", "list": [5], "none": None}


def test_chats_in_arrow(desk) -> None:
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    pyarrow.feather.write_feather(pa.Table.from_pylist([{"messages": talk}]), desk.root / "t.arrow")
    assert desk.ingest("t.arrow").examples[0].expected == "a"


def test_broken_arrow(desk) -> None:
    table = pa.table({"input": ["a"] * 5000, "expected": ["b"] * 5000})
    pyarrow.feather.write_feather(table, desk.root / "t.arrow", compression="uncompressed")
    data = (desk.root / "t.arrow").read_bytes()
    for content, message in [
        (b"text", "t.arrow: the file is not readable Arrow ("),
        (
            b"FEA1" + data,
            "t.arrow: the file is Feather of the first version. Write it anew as Feather 2 or Parquet.",
        ),
        (data[: len(data) // 2], "t.arrow: the file is not readable Arrow ("),
        (offsets_broken(data), "t.arrow: reading stopped after record 0 ("),
    ]:
        desk.write("t.arrow", content)
        assert failure(desk, "t.arrow").startswith(message)
    twice = pa.Table.from_arrays([pa.array(["a"])] * 2, names=["input", "input"])
    with pa.ipc.new_file(desk.root / "t.arrow", twice.schema) as sink:
        sink.write_table(twice)
    assert "the column 'input' stands in the file more than once" in failure(desk, "t.arrow")


def test_arrow_that_unpacks_to_too_much(desk) -> None:
    """Zeros, as values and as the values of a dictionary; both are told before they are unpacked."""
    zeros = pa.array(memoryview(bytes(80_000_000)).cast("q"))
    coded = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), zeros)
    for column in (zeros, coded):
        table = pa.table({"input": column})
        pyarrow.feather.write_feather(table, desk.root / "t.arrow", compression="zstd", chunksize=10**8)
        assert "one of its batches unpacks to 80,000,000; 67,108,864 are unpacked" in failure(desk, "t.arrow")


def test_arrow_with_rows_of_nothing(desk) -> None:
    table = pa.table({"input": pa.nulls(10**8)})
    with pa.ipc.new_stream(desk.root / "t.arrow", table.schema) as sink:
        sink.write_table(table)
    assert "one of its batches says that it has 100,000,000 rows" in failure(desk, "t.arrow")


def offsets_broken(data: bytes) -> bytes:
    """The file with an offset of a text that points far behind its end."""
    offsets = struct.pack("<4i", 0, 1, 2, 3)
    at = data.index(offsets)
    return data[: at + 8] + struct.pack("<i", 2**30) + data[at + 12 :]


def test_json_lines_of_documents_packed(desk) -> None:
    desk.write("t.jsonl.gz", gzip.compress(json.dumps({"text": "A page."}).encode()))
    assert desk.ingest("t.jsonl.gz").examples[0].is_document


def test_an_entry_that_stands_nowhere_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "d.zip", **{"a.csv": CSV, "b.csv": CSV})
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02") + 42
    for offset in (len(data) + 5, 2**32 - 5):
        path.write_bytes(data[:at] + struct.pack("<I", offset) + data[at + 4 :])
        assert refused(path) == "d.zip: the archive's entry a.csv is said to stand outside of the file."
