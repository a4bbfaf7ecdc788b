"""Whatever the bytes: every reader of documents and tables hands on rows and rejects, or refuses the file in one sentence.

Real files, by real writers, are cut, doubled, and changed here and there; in office files, the XML within them too.
"""

import bz2
import gzip
import io
import json
import lzma
import mailbox
import os
import tempfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import docx
import openpyxl
import pptx
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from reportlab.pdfgen import canvas

from tunewright.core.errors import DataError

RUNS = int(os.environ.get("SOURCE_FUZZ_RUNS", "40"))
ROWS = [("input", "expected"), ("hello é", "greeting"), ("lamp", 3)]


def xlsx() -> bytes:
    made = openpyxl.Workbook()
    for row in ROWS:
        made.active.append(row)
    return saved(made.save)


def ods() -> bytes:
    made = OpenDocumentSpreadsheet()
    table = Table(name="one")
    for cells in ROWS:
        row = TableRow()
        for text in cells:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=str(text)))
            row.addElement(cell)
        table.addElement(row)
    made.spreadsheet.addElement(table)
    return saved(made.write)


def word() -> bytes:
    made = docx.Document()
    made.add_heading("Terms", 1)
    made.add_paragraph("point", style="List Number")
    made.add_table(2, 2).cell(1, 1).text = "cell"
    return saved(made.save)


def slides() -> bytes:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Plan"
    slide.placeholders[1].text_frame.text = "point"
    slide.notes_slide.notes_text_frame.text = "note"
    return saved(made.save)


def pages() -> bytes:
    def write(stream: io.BytesIO) -> None:
        made = canvas.Canvas(stream, pageCompression=0)
        for text in ("first page", "second"):
            made.drawString(50, 700, text)
            made.showPage()
        made.save()

    return saved(write)


def mails() -> bytes:
    made = EmailMessage()
    made["Subject"] = "Läuft nicht"
    made.set_content("text\n")
    made.add_alternative("<p>text", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    with tempfile.TemporaryDirectory() as folder:
        box = mailbox.mbox(Path(folder) / "t.mbox")
        box.add(made)
        box.add(made)
        box.close()
        return (Path(folder) / "t.mbox").read_bytes()


def feather() -> bytes:
    columns = {"input": ["a", "b"], "expected": ["x", None], "list": [[1], [2, 3]]}
    return saved(lambda stream: pyarrow.feather.write_feather(pa.table(columns), stream, compression="zstd"))


def archive() -> bytes:
    def write(stream: io.BytesIO) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("a/t.csv", CSV)
            made.writestr("b.jsonl", '{"input": "a", "expected": "b"}\n')

    return saved(write)


def saved(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def slack() -> bytes:
    thread = [
        {"user": "U1", "ts": "100.1", "thread_ts": "100.1", "text": "a <@U2> question"},
        {"user": "U2", "ts": "100.2", "thread_ts": "100.1", "text": "an answer"},
    ]
    users = [{"id": "U1", "name": "anna", "profile": {"display_name": "Anna"}}]
    return saved(
        lambda stream: repack(
            stream,
            {"users.json": json.dumps(users).encode(), "help/2024-02-29.json": json.dumps(thread).encode()},
        )
    )


CSV = b"input,expected\nhello,greeting\n,blank\n"
HTML = b"<html><head><title>T</title></head><body><h1>A</h1><p>text</p><table><tr><td>1</td></tr></table></body></html>"
VTT = b"WEBVTT\n\n1\n00:01.000 --> 00:02.000 align:start\n<v Anna>Hi.</v>\n\n00:02.000 --> 00:03.000\nBen: Hello.\n"
TALK = (
    b'{"segments": [{"speaker": "A", "text": "Hi.", "start": 0.5, "end": 1}, {"speaker": 1, "text": "Yes"}]}'
)
TREE = {
    "r": {"parent": None, "message": None},
    "u": {
        "parent": "r",
        "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["q"]}},
    },
    "a": {
        "parent": "u",
        "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["x"]}},
    },
}
EXPORT = json.dumps([{"title": "T", "create_time": 1.5, "mapping": TREE, "current_node": "a"}]).encode()
FORMATS = {"t.json": "transcript", "conversations.json": "chatgpt", "slack.zip": "slack"}
"""Those that are told, since no ending tells them."""
FILES: dict[str, Callable[[], bytes]] = {
    "t.xlsx": xlsx,
    "t.ods": ods,
    "t.docx": word,
    "t.pptx": slides,
    "t.pdf": pages,
    "t.mbox": mails,
    "t.feather": feather,
    "t.zip": archive,
    "t.txt": lambda: "Some text: é.\n".encode(),
    "t.md": lambda: b"---\ntitle: A\n---\n# B\n```\n# c\n```\n",
    "t.html": lambda: HTML,
    "t.vtt": lambda: VTT,
    "t.json": lambda: TALK,
    "conversations.json": lambda: EXPORT,
    "slack.zip": slack,
    "t.csv.gz": lambda: gzip.compress(CSV),
    "t.csv.bz2": lambda: bz2.compress(CSV),
    "t.csv.xz": lambda: lzma.compress(CSV),
    "t.csv.zst": lambda: pa.compress(CSV, "zstd", asbytes=True),
}
SAMPLES = {name: cache(make) for name, make in FILES.items()}
PIECES = st.sampled_from(
    [b"", b"\0", b"\xff" * 4, b"<", b">", b"&", b'"', b"9999999999", b"-1", b"\n\n", b"PK\x05\x06"]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES | st.binary(max_size=6)), max_size=6)


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """The bytes, with a stretch at each place taken out and other bytes put in."""
    for place, gone, added in edits:
        at = int(place * len(data))
        data = data[:at] + added + data[at + gone :]
    return data


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    if data.startswith(b"PK") and draw(st.booleans()):
        with zipfile.ZipFile(io.BytesIO(data)) as old:
            parts = {entry: old.read(entry) for entry in old.namelist()}
        part = draw(st.sampled_from(sorted(parts)))
        parts[part] = edited(parts[part], draw(EDITS))
        return saved(lambda stream: repack(stream, parts))
    return edited(data, draw(EDITS))


def repack(stream: io.BytesIO, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(stream, "w") as made:
        for part, content in parts.items():
            made.writestr(part, content)


@pytest.mark.parametrize("name", FILES)
@settings(
    max_examples=RUNS,
    deadline=20_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(draw=st.data())
def test_no_row_is_lost_whatever_the_bytes(desk, name: str, draw: st.DataObject) -> None:
    good = SAMPLES[name]()
    endings = st.binary(max_size=200).map(lambda end: good[:8] + end)
    desk.write(name, draw.draw(damaged(good) | endings | st.binary(max_size=100)))
    try:
        got = desk.ingest(name, format=FORMATS.get(name, "auto"))
    except DataError as error:
        refused = error
    else:
        assert got.summary.rows == len(got.examples) + len(got.rejects) > 0
        return
    for sentence in str(refused).split("\n"):
        assert sentence.isprintable()
        assert len(sentence) < 2000


@pytest.mark.parametrize("name", FILES)
def test_the_samples_are_read(desk, name: str) -> None:
    """What the edits start from is good."""
    desk.write(name, SAMPLES[name]())
    got = desk.ingest(name, format=FORMATS.get(name, "auto"))
    assert len(got.examples) >= 1
