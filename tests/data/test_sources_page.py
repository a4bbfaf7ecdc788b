"""docs/sources.md says what the code does: its formats, endings and bounds; and the readers on real questions."""

import csv
import gzip
import re
import sys
from pathlib import Path
from typing import get_args

import openpyxl
import pytest

from tunewright.core.errors import DataError
from tunewright.core.strict_json import MAX_DEPTH
from tunewright.data.sources import (
    ENDINGS,
    _hub,
    _hub_fetch,
    _lines,
    _parquet_pages,
    _parquet_size,
    _sheet_size,
    _sql_limits,
    _sql_once,
    _threads,
    _xml,
    _zip,
    arrow,
    audio,
    html,
    mbox,
    pdf,
    pptx,
    slack,
)
from tunewright.data.sources._documents import DOCUMENTS, MOST_BYTES, TALK_BYTES
from tunewright.data.spec import Format

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
BANKING = Path(__file__).parents[3] / "shared" / "data" / "banking77"
MIB, GIB = 2**20, 2**30


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's table."""
    body = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_format_and_ending_has_its_line() -> None:
    documented = {
        name: set(re.findall(r"\.[a-z0-9]+", cells[1]))
        for heading in ("Tables and chats", "Documents")
        for cells in rows(heading)
        for name in re.findall(r"`([a-z]+)`", cells[0])
    }
    assert set(documented) == set(get_args(Format)) - {"auto"}
    assert {name for cells in rows("Documents") for name in re.findall(r"`([a-z]+)`", cells[0])} == DOCUMENTS
    for ending, name in ENDINGS.items():
        assert ending in documented[name]
    assert set().union(*documented.values()) == set(ENDINGS)


def test_the_bounds_are_those_of_the_code() -> None:
    said = {cells[0]: cells[1] for cells in rows("Bounds")}
    packed = f"{_zip.SMALL // MIB} MiB, or {_zip.RATIO} times its size where that is more; {_zip.UNPACKED // GIB} GiB in all"
    book = f"{_sheet_size.BYTES // GIB} GiB unpacked; {_sheet_size.CELLS:,} cells"
    part = f"{_xml.PART_BYTES // MIB} MiB unpacked, {_xml.ELEMENTS:,} elements, {_xml.DEPTH} deep"
    for what, bound in {
        "a packed file, unpacked": packed,
        "a batch of an Arrow file": f"{arrow.MOST_BYTES // GIB} GiB uncompressed",
        "a line of a file that is read by lines": f"{_lines.LINE // MIB} MiB",
        "a row of a JSON array, which is read row by row": f"{_lines.LINE // MIB} MiB",
        "a row of a Parquet file": f"{_parquet_size.ROW // MIB} MiB",
        "the pages of a Parquet file, one of each column": f"{_parquet_size.HELD // GIB} GiB uncompressed",
        "all rows of a Parquet file, written out": f"{_parquet_size.WRITTEN // GIB} GiB, or {_zip.RATIO} times",
        "values of a column of a Parquet file": f"{_parquet_size.VALUES:,}, or 8 for",
        "entries of an archive": f"{_zip.ENTRIES:,};",
        "a workbook": book,
        "a part of a DOCX or PPTX file": part,
        "a text, a Markdown file": f"{MOST_BYTES // MIB} MiB",
        "subtitles, a transcript": f"{TALK_BYTES // MIB} MiB",
        "an HTML page": f"{html.MOST_BYTES // MIB} MiB",
        "a PDF": f"{pdf.MOST_BYTES // GIB} GiB, {pdf.PAGES:,} pages, {pdf.CHARS:,} characters and "
        f"{pdf.SECONDS} s of processor time a page, {pdf.LOST} pages lost",
        "recorded speech": f"{audio.MOST_BYTES // GIB} GiB, {audio.HOURS} hours",
        "pages of a Parquet file": f"{_parquet_pages.PAGES:,}",
        "a cell of a SQLite database": f"{_sql_limits.CELL // MIB} MiB",
        "a row of a query, and what is held of its rows at a time": f"{_sql_limits.ROW // MIB} MiB",
        "rows of a query that a run keeps, so as not to ask again": f"{_sql_once.KEPT // GIB} GiB",
        "the files of a data set that are fetched from the hub": f"{_hub_fetch.FETCHED // GIB} GiB",
        "the settings in a data set's card": f"{_hub.CARD_BYTES // MIB} MiB",
        "a presentation": f"{pptx.SLIDES:,} slides",
        "a mail": f"{mbox.MOST_BYTES // MIB} MiB with its attachments, {mbox.PARTS:,} parts, {mbox.BOUNDARIES:,} lines",
        "a Slack channel": f"{slack.CHANNEL_BYTES // MIB} MiB, {slack.DAY_BYTES // MIB} MiB a day",
        "mails among which threads are looked for (`roles`)": f"{_threads.MOST_CHARS:,} characters",
        "JSON": f"{MAX_DEPTH} deep",
    }.items():
        assert said.pop(what).startswith(bound)
    assert said == {}
    assert f"{_sheet_size.CHARS:,} characters" in PAGE


def test_a_package_that_is_missing_is_named(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    desk.write("t.html", "<p>text")
    with pytest.raises(DataError) as caught:
        desk.ingest("t.html")
    assert str(caught.value) == (
        "t.html: reading HTML needs a package that is not installed. pip install 'tunewright[documents]'"
    )


@pytest.mark.realdata
@pytest.mark.skipif(not BANKING.is_dir(), reason="the public data sets are not beside the checkout")
def test_real_questions_are_the_same_in_every_wrapping(desk) -> None:
    data = (BANKING / "train.csv").read_bytes()
    desk.write("t.csv.gz", gzip.compress(data))
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet()
    with (BANKING / "train.csv").open(encoding="utf-8", newline="") as stream:
        for cells in csv.reader(stream):
            sheet.append(cells)
    made.save(desk.root / "t.xlsx")
    columns = {"input": "text", "expected": "category"}
    found = {}
    for name in ("t.csv.gz", "t.xlsx"):
        got = desk.ingest(name, columns=columns)
        assert got.rejects == []
        found[name] = [(example.input_text, example.expected) for example in got.examples]
    assert len(found["t.xlsx"]) == 10_003
    assert found["t.xlsx"] == found["t.csv.gz"]
