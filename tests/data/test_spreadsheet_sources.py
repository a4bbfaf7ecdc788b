"""Spreadsheets, written by the libraries that people write them with."""

import datetime
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from tunewright.core.errors import DataError
from tunewright.data.rows import BadFile, Reject, Row
from tunewright.data.sources import spreadsheet
from tunewright.data.sources._sheet_size import CELLS, check_sheets


def book(path: Path, *rows: list[object], title: str = "Sheet") -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    made.save(path)
    return made


def rows_of(path: Path, sheet: str | None = None) -> list[Row | Reject]:
    return list(spreadsheet.read(path, "utf-8", sheet).rows)


def failure(desk, path: str, **source: object) -> str:
    with pytest.raises(DataError) as caught:
        desk.ingest(path, **source)
    return str(caught.value)


@pytest.mark.parametrize("ending", ["xlsx", "xlsm"])
def test_a_sheet_of_questions(desk, ending: str) -> None:
    book(
        desk.root / f"t.{ending}",
        [],
        ["input", "expected", None, "lang"],
        ["hello", "greeting", None, "en"],
        [None, None, None, None],
        [" ", "greeting", None, "en"],
        ["ciao", None, None, "it"],
    )
    got = desk.ingest(f"t.{ending}")
    assert [(e.input_text, e.expected, e.fields, e.origin.row) for e in got.examples] == [
        ("hello", "greeting", {"lang": "en"}, 3)
    ]
    assert [number for number, _ in got.reasons] == [5, 6]


def test_values_take_their_json_form(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 2, 29, 13, 5)
    cells = [3, 2.5, True, day, day.date(), day.time(), datetime.timedelta(hours=30), " a ", "=1+1", "#N/A"]
    book(tmp_path / "t.xlsx", [f"c{at}" for at in range(len(cells))], cells)
    (row,) = rows_of(tmp_path / "t.xlsx")
    assert isinstance(row, Row)
    assert list(row.values.values()) == [
        *(3, 2.5, True, "2024-02-29T13:05:00", "2024-02-29", "13:05:00", "1 day, 6:00:00", " a ", None, None)
    ]
    assert [type(value) for value in row.values.values()][:3] == [int, float, bool]


def test_the_first_visible_sheet_or_the_one_named(tmp_path: Path) -> None:
    made = book(tmp_path / "t.xlsx", ["a"], ["hidden"], title="old")
    made.active.sheet_state = "hidden"
    for name in ("rows", "more"):
        made.create_sheet(name).append(["a"])
        made[name].append([name])
    made.active = 1
    made.save(tmp_path / "t.xlsx")
    assert [row.values for row in rows_of(tmp_path / "t.xlsx")] == [{"a": "rows"}]
    assert [row.values for row in rows_of(tmp_path / "t.xlsx", "old")] == [{"a": "hidden"}]
    with pytest.raises(BadFile) as caught:
        rows_of(tmp_path / "t.xlsx", "mroe")
    assert (caught.value.message, caught.value.fix) == (
        "there is no sheet 'mroe'; the sheets are old, rows, more.",
        "Did you mean 'more'?",
    )


def test_the_sheet_is_a_setting(desk) -> None:
    made = book(desk.root / "t.xlsx", ["notes"], ["nothing here"])
    made.create_sheet("rows").append(["input", "expected"])
    made["rows"].append(["q", "a"])
    made.save(desk.root / "t.xlsx")
    assert [e.expected for e in desk.ingest("t.xlsx", sheet="rows").examples] == ["a"]


def test_headers(desk) -> None:
    book(desk.root / "twice.xlsx", [], ["input", "expected", "input"], ["a", "b", "c"])
    assert failure(desk, "twice.xlsx") == (
        "twice.xlsx:2: the header names 'input' more than once (it has input, expected, input). "
        "Give each column its own name."
    )
    book(desk.root / "stray.xlsx", ["input", "expected"], ["a", "b"], ["c", "d", "e"])
    assert desk.ingest("stray.xlsx").reasons == [
        (3, "wrong number of columns: value 3 stands in a column that the header does not name")
    ]
    book(desk.root / "none.xlsx")
    assert failure(desk, "none.xlsx").startswith("sources.s: the source has no rows (none.xlsx is empty)")


def ods(path: Path, *rows: tuple[str, ...], times: int = 1, at_end: bool = False) -> None:
    """A sheet of texts; a row of blanks that says it stands there `times` over comes before the last row, or after it."""
    made = OpenDocumentSpreadsheet()
    table = Table(name="one")
    blank = TableRow(numberrowsrepeated=times)
    blank.addElement(TableCell(numbercolumnsrepeated=16384))
    for at, cells in enumerate(rows):
        if at == len(rows) - 1 and not at_end:
            table.addElement(blank)
        row = TableRow()
        for text in cells:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    if at_end:
        table.addElement(blank)
    made.spreadsheet.addElement(table)
    made.save(str(path))


def test_ods(tmp_path: Path) -> None:
    ods(tmp_path / "t.ods", ("input", "expected"), ("a", "b"), times=1_048_570, at_end=True)
    assert rows_of(tmp_path / "t.ods") == [Row(2, {"input": "a", "expected": "b"})]
    ods(tmp_path / "gap.ods", ("input", "expected"), ("a", "b"), times=5)
    assert rows_of(tmp_path / "gap.ods") == [Row(7, {"input": "a", "expected": "b"})]


def test_values_of_ods(tmp_path: Path) -> None:
    made = OpenDocumentSpreadsheet()
    table = Table(name="one")
    kinds = [
        *({"valuetype": "float", "value": "3"}, {"valuetype": "float", "value": "2.5"}),
        *({"valuetype": "boolean", "booleanvalue": "true"}, {"valuetype": "date", "datevalue": "2024-02-29"}),
    ]
    header, row = TableRow(), TableRow()
    for at, kind in enumerate(kinds):
        name = TableCell(valuetype="string")
        name.addElement(P(text=f"c{at}"))
        header.addElement(name)
        row.addElement(TableCell(**kind))
    for each in (header, row):
        table.addElement(each)
    made.spreadsheet.addElement(table)
    made.save(str(tmp_path / "t.ods"))
    (found,) = rows_of(tmp_path / "t.ods")
    assert isinstance(found, Row)
    assert list(found.values.values()) == [3, 2.5, True, "2024-02-29"]


def test_one_cell_far_out_is_refused_before_it_takes_the_memory(tmp_path: Path) -> None:
    made = book(tmp_path / "t.xlsx", ["a"], ["b"])
    made.active["XFD1048576"] = 1
    made.save(tmp_path / "t.xlsx")
    ods(tmp_path / "t.ods", ("a",) * 40, ("b",), times=1_000_000_000)
    for name, reach in (("t.xlsx", 17_179_869_184), ("t.ods", 40_000_000_080)):
        with pytest.raises(BadFile, match=f"reach over {reach:,} places; 16,777,216 are read") as caught:
            rows_of(tmp_path / name)
        assert caught.value.fix == "Delete what stands far outside of the table, or save the sheet as CSV."


def sheet_xml(path: Path, xml: str, source: Path) -> None:
    """A workbook with another XML for its first sheet."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            data = xml.encode() if entry.filename.endswith("sheet1.xml") else old.read(entry)
            new.writestr(entry.filename, data)


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            '<row><c t="n" x=">" r="A1"><v>1</v></c></row><row r="2"><c r="XFD1048576"><v>1</v></c></row>',
            "reach over 17,179,869,184 places",
        ),
        ("<row><c r  =  '&#120;fd1048576'><v>1</v></c></row>", "reach over 17,179,869,184 places"),
        (
            '<row r="1048576"><c r="A1048576"><v>1</v></c></row><row r="1"><c r="ZZ1"/></row>',
            "reach over 736,100,352 places",
        ),
        (
            "<row>" + "<c><v>1</v></c>" * 5000 + '</row><row r="5000"><c><v>2</v></c></row>',
            "reach over 25,000,000 places",
        ),
        ('<row><c x="<" r="XFD1048576"/></row>', "is broken XML"),
    ],
)
def test_places_are_found_however_they_are_written(tmp_path: Path, rows: str, message: str) -> None:
    book(tmp_path / "plain.xlsx", ["a"])
    sheet_xml(tmp_path / "t.xlsx", SHEET.format(rows), tmp_path / "plain.xlsx")
    with pytest.raises(BadFile, match=message):
        check_sheets(tmp_path / "t.xlsx")


def shared(path: Path, rows: int) -> None:
    """A column of one long text, which the file holds once."""
    made = xlsxwriter.Workbook(str(path))
    sheet = made.add_worksheet()
    for row in range(rows):
        sheet.write_string(row, 0, "x" * 30_000)
    made.close()


def test_a_long_text_that_many_cells_share(tmp_path: Path) -> None:
    """Each cell would hold its own copy: 20,000 cells of 30,000 characters."""
    shared(tmp_path / "t.xlsx", 200)
    assert len(rows_of(tmp_path / "t.xlsx")) == 199
    shared(tmp_path / "t.xlsx", 20_000)
    with pytest.raises(BadFile, match=r"hold 600,\d{3},\d{3} characters; 536,870,912 are read"):
        rows_of(tmp_path / "t.xlsx")


def test_a_text_that_repeats_in_ods(tmp_path: Path) -> None:
    made = OpenDocumentSpreadsheet()
    table = Table(name="one")
    row = TableRow(numberrowsrepeated=1000)
    cell = TableCell(valuetype="string", numbercolumnsrepeated=1000)
    cell.addElement(P(text="x" * 1000))
    row.addElement(cell)
    table.addElement(row)
    made.spreadsheet.addElement(table)
    made.save(str(tmp_path / "t.ods"))
    with pytest.raises(BadFile, match=r"content.xml hold 1,01\d,\d{3},\d{3} characters"):
        rows_of(tmp_path / "t.ods")


def test_cells_without_places_are_counted_along(tmp_path: Path) -> None:
    book(tmp_path / "plain.xlsx", ["a"])
    line = "<row>" + "<c><v>1</v></c>" * 200 + "</row>"
    sheet_xml(tmp_path / "t.xlsx", SHEET.format(line * 1000), tmp_path / "plain.xlsx")
    check_sheets(tmp_path / "t.xlsx")


@pytest.mark.slow
def test_a_sheet_of_the_largest_size_stays_within_the_memory(tmp_path: Path) -> None:
    """The bound holds what it is for: a sheet just below it is read in less than 3 GiB, the interpreter included."""
    made = book(tmp_path / "t.xlsx", ["a"])
    made.active.cell(row=CELLS // 64, column=64, value=1)
    made.save(tmp_path / "t.xlsx")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 30,) * 2)\n"
        "from pathlib import Path\nfrom tunewright.data.sources import spreadsheet\n"
        "print(list(spreadsheet.read(Path(sys.argv[1]), '').rows))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "t.xlsx"], capture_output=True, text=True)
    assert "wrong number of columns: value 64" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.xlsx",
            b"text",
            "t.xlsx: the file is not a spreadsheet that can be read (File is not a zip file).",
        ),
        ("t.xls", b"\xd0\xcf\x11\xe0", "t.xls: files that end in .xls are not read. Save it as XLSX."),
        ("t.xlsb", b"x", "t.xlsb: files that end in .xlsb are not read. Save it as XLSX."),
    ],
)
def test_what_is_no_spreadsheet(desk, name: str, content: bytes, message: str) -> None:
    desk.write(name, content)
    assert failure(desk, name).startswith(message)


def test_entities_are_refused(tmp_path: Path) -> None:
    ods(tmp_path / "t.ods", ("a",), ("b",))
    with zipfile.ZipFile(tmp_path / "t.ods") as old:
        parts = {entry.filename: old.read(entry) for entry in old.infolist()}
    content = parts["content.xml"].decode()
    head, body = content.split("?>", 1)
    parts["content.xml"] = (head + '?><!DOCTYPE x [<!ENTITY a "b">]>' + body).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)
    (tmp_path / "t.ods").write_bytes(packed.getvalue())
    with pytest.raises(BadFile, match="declares entities"):
        rows_of(tmp_path / "t.ods")
