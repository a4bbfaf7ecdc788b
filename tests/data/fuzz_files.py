"""Files for fuzzing: for each format, one written by a real writer from random rows, with the number of rows it has.

    name, data, source, rows = generated(Random(7), "csv")

`rows` is what reading must come to, examples and rejects together, by the way in which the file was made.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import docx
import openpyxl
import pptx
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from fuzz_drawn import KEYS, Made, lines, row, talk, text, value, zipped
from fuzz_exports import chatgpt, slack, traces
from reportlab.pdfgen import canvas

from tunewright.data.forms.presets import PARTS, PRESETS

FEW = 40
"""Files of each of the formats whose writers take long."""


def jsonl(draw: Random) -> Made:
    rows = [row(draw) for _ in range(draw.randrange(1, 9))]
    return Made("t.jsonl", lines(draw, rows), {}, len(rows))


def formed(draw: Random) -> Made:
    """Rows in the form of another tool."""
    name = draw.choice(sorted(PRESETS))
    preset = PRESETS[name]
    keys = [*preset.keys.values(), *PARTS[preset.family], *preset.message_keys.values(), *KEYS]
    rows = []
    for _ in range(draw.randrange(1, 7)):
        made = {key: value(draw, keys) if draw.random() < 0.4 else text(draw) for key in preset.keys.values()}
        if "messages" in preset.keys:
            made[preset.keys["messages"]] = talk(draw, "value", "from") if draw.random() < 0.5 else talk(draw)
        rows.append(made if draw.random() < 0.8 else row(draw, keys))
    return Made("t.jsonl", lines(draw, rows), {"form": name}, len(rows))


def chat(draw: Random) -> Made:
    rows = [
        {"messages": talk(draw), **({"tools": value(draw)} if draw.random() < 0.3 else {})} for _ in range(5)
    ]
    return Made("t.jsonl", lines(draw, rows), {"format": "chat"}, len(rows))


def array(draw: Random) -> Made:
    rows = [row(draw) if draw.random() < 0.9 else value(draw) for _ in range(draw.randrange(1, 9))]
    return Made("t.json", json.dumps(rows, indent=draw.choice([None, 1])).encode(), {}, len(rows))


def delimited(draw: Random, name: str, mark: str) -> Made:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=mark, lineterminator=draw.choice(["\n", "\r\n"]))
    writer.writerow(["input", "expected", "more"])
    count = draw.randrange(1, 9)
    for _ in range(count):
        cells = [text(draw) for _ in range(3 if draw.random() < 0.9 else draw.randrange(2, 6))]
        cells[0] = draw.choice([cells[0], f"{cells[0]}\n{text(draw)}", "\r\n"]) if mark == "," else cells[0]
        writer.writerow(cells)
    return Made(name, stream.getvalue().encode("utf-8", "surrogatepass"), {}, count)


def typed(draw: Random) -> Any:
    """A table of typed columns."""
    count = draw.randrange(1, 9)
    kinds: list[Callable[[], Any]] = [
        lambda: pa.array([text(draw) for _ in range(count)]),
        lambda: pa.array([draw.choice([None, draw.randrange(9)]) for _ in range(count)]),
        lambda: pa.array([draw.choice([0.5, float("nan"), float("inf")]) for _ in range(count)]),
        lambda: pa.array([[text(draw)] * draw.randrange(3) for _ in range(count)]),
        lambda: pa.array([[{"role": "user", "content": text(draw)}] * draw.randrange(3) for _ in range(count)]),
        lambda: pa.array([draw.randrange(2**60) for _ in range(count)], pa.timestamp("ns")),
        lambda: pa.array([b"\xff", *[None] * (count - 1)], pa.binary()),
    ]  # fmt: skip
    names = draw.sample(KEYS[:9], draw.randrange(1, 6))
    return pa.table({name: draw.choice(kinds)() for name in names}), count


def parquet(draw: Random) -> Made:
    made, count = typed(draw)
    stream = io.BytesIO()
    codec = draw.choice(["none", "snappy", "zstd", "gzip"])
    pq.write_table(
        made,
        stream,
        compression=codec,
        row_group_size=draw.randrange(1, 9),
        data_page_version=draw.choice(["1.0", "2.0"]),
    )
    return Made("t.parquet", stream.getvalue(), {}, count)


def arrow(draw: Random) -> Made:
    made, count = typed(draw)
    stream = io.BytesIO()
    if draw.random() < 0.5:
        pyarrow.feather.write_feather(made, stream, compression=draw.choice(["uncompressed", "zstd", "lz4"]))
    else:
        with pa.ipc.new_stream(stream, made.schema) as writer:
            writer.write_table(made, max_chunksize=3)
    return Made("t.arrow", stream.getvalue(), {}, count)


def spreadsheet(draw: Random) -> Made:
    book = openpyxl.Workbook()
    book.active.append(["input", "expected", "more"])
    count = draw.randrange(1, 9)
    for _ in range(count):
        cells = [draw.choice(["x", 5, 0.5, True, "é", "<&>"]), "=1+1", draw.choice(["", "x", "=1+1"])]
        book.active.append(cells if draw.random() < 0.9 else [*cells, "beside"])
        if draw.random() < 0.1:
            book.active.append([None, None, None])
    return Made("t.xlsx", saved(book.save), {}, count)


def word(draw: Random) -> Made:
    made = docx.Document()
    for _ in range(draw.randrange(1, 6)):
        made.add_paragraph(
            draw.choice(["a", "Läuft", "<b>"]), style=draw.choice(["Normal", "Heading 1", "List Bullet"])
        )
    return Made("t.docx", saved(made.save), {}, 1)


def slides(draw: Random) -> Made:
    made = pptx.Presentation()
    count = draw.randrange(1, 4)
    for _ in range(count):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = draw.choice(["Plan", "é", "<&>"])
    return Made("t.pptx", saved(made.save), {}, count)


def pages(draw: Random) -> Made:
    stream = io.BytesIO()
    made = canvas.Canvas(stream, pageCompression=draw.randrange(2))
    count = draw.randrange(1, 4)
    for _ in range(count):
        made.setFont("Helvetica", draw.choice([10, 20]))
        made.drawString(50, draw.randrange(100, 700), draw.choice(["word", "two words", "(x) \\ y"]))
        made.setFont("Helvetica", 10)
        for line in range(draw.randrange(5)):
            for cell in range(draw.randrange(1, 4)):
                made.drawString(50 + 90 * cell, 90 - 15 * line, draw.choice(["1", "a cell", "|"]))
        made.showPage()
    made.save()
    return Made("t.pdf", stream.getvalue(), {}, count)


def mails(draw: Random) -> Made:
    count = draw.randrange(1, 5)
    made = b"".join(
        f"From a@b Thu Jan  1 00:00:00 1970\nSubject: {draw.choice(['x', '=?utf-8?q?=C3=A9?=', ''])}\n"
        f"Content-Type: {draw.choice(['text/plain', 'text/html; charset=nope', 'multipart/mixed; boundary=b', 'x'])}\n\n"
        f"{draw.choice(['body', '<p>body', '--b', ''])}\n\n".encode()
        for _ in range(count)
    )
    return Made("t.mbox", made, {}, count)


def subtitles(draw: Random) -> Made:
    """Speakers take turns: each cue is one."""
    count = draw.randrange(1, 7)
    cues = [
        f"00:{at:02}.000 --> 00:{at:02}.500\n<v {'AB'[at % 2]}>{draw.choice(['word', 'é', '&lt;'])} {at}\n"
        for at in range(count)
    ]
    return Made("t.vtt", ("WEBVTT\n\n" + "\n".join(cues)).encode(), {}, count)


ROLES = {"roles": {"A": "assistant", "b": "user", "*": "skip"}}


def spoken(draw: Random) -> Made:
    """A talk as one conversation, whether somebody answers or not."""
    made = draw.choice([subtitles, transcript])(draw)
    return made._replace(source={**made.source, **ROLES}, rows=1)


def threads(draw: Random) -> Made:
    """Mails that answer one another as they like: each is in a thread, a copy, or a second one with its id."""
    names = ["", "1", "2", "<3", "é", "4>"]
    mails = [
        (
            draw.choice(["A <a@b>", "c@d", "", "<", "@"]),
            draw.choices(names, k=4),
            draw.choice(["Thu, 29 Feb 2024 13:05:00 +0100", "Thu, 1 Jan 0001 00:00:00 -0000", "soon", ""]),
        )
        for _ in range(draw.randrange(1, 7))
    ]
    made = "".join(
        f"From a@b Thu Jan  1 00:00:00 1970\nFrom: {sender}\n"
        f"Message-ID: <{ids[0]}@x>\nIn-Reply-To: <{ids[1]}@x>\n"
        f"References: <{ids[2]}@x>\n <{ids[3]}@x>\n"
        f"Date: {date}\n\nbody\n\n"
        for sender, ids, date in mails
    )
    firsts: dict[str, tuple[str, str]] = {}
    groups: list[set[str]] = []
    others = 0
    for sender, ids, date in mails:
        about = (sender, date if date.startswith("Thu") else "")
        others += firsts.setdefault(ids[0], about) != about
        if firsts[ids[0]] is about:
            joined = set(ids).union(*(group for group in groups if group & set(ids)))
            groups = [group for group in groups if not group & joined] + [joined]
    return Made("t.mbox", made.encode(), {"roles": {"b": "assistant"}}, len(groups) + others)


def transcript(draw: Random) -> Made:
    count = draw.randrange(1, 7)
    said = [
        {"speaker": "AB"[at % 2], "text": f"x{at}", draw.choice(["start", "end"]): value(draw)}
        for at in range(count)
    ]
    key = draw.choice(["segments", "utterances", "turns"])
    return Made(
        "t.json", json.dumps(draw.choice([said, {key: said}])).encode(), {"format": "transcript"}, count
    )


def database(draw: Random) -> Made:
    count = draw.randrange(1, 9)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        made = sqlite3.connect(path)
        made.execute("create table t (input, expected, more)")
        cells = ["a", "", None, 1, 0.5, float("inf"), b"\xff", "é"]
        made.executemany("insert into t values (?, ?, ?)", [draw.choices(cells, k=3) for _ in range(count)])
        made.execute("update t set more = cast(x'ff41' as text) where rowid = 1")
        made.commit()
        made.close()
        data = path.read_bytes()
    return Made("t.db", data, {"sql": {"query": "select * from t", "url": "sqlite:///t.db"}}, count)


def archive(draw: Random) -> Made:
    parts = [jsonl(draw), delimited(draw, "t.csv", ",")]
    files = {f"{at}/{part.name}": part.data for at, part in enumerate(parts)}
    return Made("t.zip", zipped(files), {}, sum(part.rows or 0 for part in parts))


def packed(draw: Random) -> Made:
    inner = draw.choice([jsonl, array, lambda draw: delimited(draw, "t.csv", ",")])(draw)
    ending, pack = draw.choice([(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
    return Made(inner.name + ending, pack(inner.data), {}, inner.rows)


def prose(draw: Random, name: str) -> Made:
    html = name == "t.html"
    said = "".join(
        draw.choice(["# A\n", "word ", "```\n", "<p>x</p>", "<table><tr><td>1", "&amp;", "é", "---\n"])
        for _ in range(9)
    )
    return Made(name, (f"<html><body>{said}word" if html else f"{said}word").encode(), {}, 1)


def saved(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


@cache
def one_of_few(make: Callable[[Random], Made], number: int) -> Made:
    """A file that took a real writer long to make, made once."""
    return make(Random(number))


def pooled(make: Callable[[Random], Made]) -> Callable[[Random], Made]:
    """Draws one of a few good files; what is changed in them is drawn anew."""
    return lambda draw: one_of_few(make, draw.randrange(FEW))


READERS: dict[str, Callable[[Random], Made]] = {
    "csv": lambda draw: delimited(draw, "t.csv", ","),
    "tsv": lambda draw: delimited(draw, "t.tsv", "\t"),
    "json": array,
    "jsonl": jsonl,
    "chat": chat,
    "forms": formed,
    "parquet": parquet,
    "arrow": arrow,
    "spreadsheet": pooled(spreadsheet),
    "text": lambda draw: prose(draw, "t.txt"),
    "markdown": lambda draw: prose(draw, "t.md"),
    "html": lambda draw: prose(draw, "t.html"),
    "pdf": pooled(pages),
    "docx": pooled(word),
    "pptx": pooled(slides),
    "subtitles": subtitles,
    "transcript": transcript,
    "mbox": mails,
    "talk": spoken,
    "threads": threads,
    "chatgpt": chatgpt,
    "slack": slack,
    "traces": traces,
    "sql": database,
    "zip": archive,
    "packed": packed,
}


def generated(draw: Random, reader: str) -> Made:
    """A good file, or one of good and bad rows."""
    return READERS[reader](draw)


PACKERS: dict[str, Any] = {
    ".gz": (gzip.decompress, gzip.compress),
    ".bz2": (bz2.decompress, bz2.compress),
    ".xz": (lzma.decompress, lzma.compress),
}
PIECES = [b"", b"\0", b"\xff" * 4, b"<", b">", b"&", b'"', b"9999999999", b"-1", b"\n", b"\n\n", b"\r", b"PK\x05\x06", b"{",
          b"]", b",", b"\\", b"\xc3", b"\xef\xbb\xbf", b"=", b"\x7f\xff\xff\xff", b"\x80\x80\x80\x80\x08"]  # fmt: skip


def damaged(draw: Random, made: Made) -> Made:
    """The file with some of its bytes changed; of an archive, perhaps what it packs."""
    data = made.data
    if data.startswith(b"PK") and draw.random() < 0.6:
        with zipfile.ZipFile(io.BytesIO(data)) as old:
            parts: dict[str, Any] = {name: old.read(name) for name in old.namelist()}
        part = draw.choice(sorted(parts))
        parts[part] = edited(draw, parts[part])
        return made._replace(data=zipped(parts), rows=None)
    if made.name.endswith((".gz", ".bz2", ".xz")) and draw.random() < 0.5:
        unpack, pack = PACKERS[Path(made.name).suffix]
        return made._replace(data=pack(edited(draw, unpack(data))), rows=None)
    return made._replace(data=edited(draw, data), rows=None)


def edited(draw: Random, data: bytes) -> bytes:
    """A few edits: bytes taken out, put in, turned, copied from elsewhere; the end cut off."""
    for _ in range(draw.choice([1, 1, 2, 3, 8])):
        at, kind = draw.randrange(len(data) + 1), draw.randrange(6)
        if kind == 0:
            data = data[:at] + data[at + draw.randrange(1, 20) :]
        elif kind == 1:
            data = data[:at] + draw.choice(PIECES) + data[at:]
        elif kind == 2 and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]
        elif kind == 3:
            start = draw.randrange(len(data) + 1)
            data = data[:at] + data[start : start + draw.randrange(40)] + data[at:]
        elif kind == 4:
            data = data[:at] + draw.randbytes(draw.randrange(1, 9)) + data[at + draw.randrange(9) :]
        elif draw.random() < 0.3:
            data = data[:at]
    return data
