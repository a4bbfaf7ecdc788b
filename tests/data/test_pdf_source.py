"""PDF: pages as rows, in reading order, words whole; files by the libraries that write them."""

import io
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

from tunewright.data.rows import BadFile, Reject, Row
from tunewright.data.sources import pdf
from tunewright.data.sources._columns import Line, in_reading_order
from tunewright.data.sources._pdf_pages import mended

WIDTH, HEIGHT = A4
SAID = """the lamp that you have sent us last week does not light up and its glass is cracked on one side so we ask you to
send another one or to give us back what we have paid for it as your terms of sale say that you will do"""
WORDS = SAID.split()


def rows_of(path: Path) -> list[Row | Reject]:
    return list(pdf.read(path, "utf-8").rows)


def texts_of(path: Path) -> list[str]:
    return [row.values["text"] for row in rows_of(path) if isinstance(row, Row)]


def test_one_row_a_page(desk) -> None:
    made = FPDF()
    made.set_title("Handbook")
    made.set_font("Helvetica", size=12)
    for text in ("First page.", "", "Third page: café."):
        made.add_page()
        if text:
            made.cell(text=text)
    made.output(str(desk.root / "t.pdf"))
    got = desk.ingest("t.pdf")
    assert [(e.expected, e.fields, e.origin.row) for e in got.examples] == [
        ("First page.", {"page": 1, "title": "Handbook", "document": "t.pdf"}, 1),
        ("Third page: café.", {"page": 3, "title": "Handbook", "document": "t.pdf"}, 3),
    ]
    assert all(example.is_document for example in got.examples)
    assert got.rejects == []


def test_a_page_that_is_a_picture_is_a_reject(tmp_path: Path) -> None:
    made = canvas.Canvas(str(tmp_path / "t.pdf"))
    made.drawImage(ImageReader(Image.new("RGB", (9, 9), "red")), 0, 0)
    made.save()
    assert rows_of(tmp_path / "t.pdf") == [
        Reject(1, "no text: the page is a picture; have its text recognised (OCR) first", "")
    ]


def test_columns_that_are_written_one_after_the_other(tmp_path: Path) -> None:
    frames = [Frame(left, 40, WIDTH / 2 - 50, HEIGHT - 80) for left in (40, WIDTH / 2 + 10)]
    made = BaseDocTemplate(str(tmp_path / "t.pdf"), pagesize=A4)
    made.addPageTemplates([PageTemplate(frames=frames)])
    style = getSampleStyleSheet()["Normal"]
    said = [f"Paragraph {at}: {' '.join(WORDS)}." for at in range(20)]
    made.build([Paragraph(text, style) for text in said])
    (text,) = texts_of(tmp_path / "t.pdf")
    assert " ".join(text.split()) == " ".join(said)


def lines(seed: int, count: int) -> list[str]:
    """Lines of prose of about one width."""
    return [" ".join(WORDS[(seed + at * 7 + word) % len(WORDS)] for word in range(9)) for at in range(count)]


def test_columns_that_are_written_straight_across(tmp_path: Path) -> None:
    left, right = lines(0, 30), lines(3, 30)
    made = canvas.Canvas(str(tmp_path / "t.pdf"), pagesize=A4)
    made.setFont("Helvetica", 10)
    made.drawString(40, 810, "A heading that runs over the whole width of the page, " * 2)
    for at, pair in enumerate(zip(left, right, strict=True)):
        for text, x in zip(pair, (40, WIDTH / 2 + 10), strict=True):
            made.drawString(x, 780 - 14 * at, text)
    made.save()
    (text,) = texts_of(tmp_path / "t.pdf")
    assert text.split("\n")[1:] == left + right
    assert text.startswith("A heading that runs")


def test_a_table_is_left_in_its_rows(tmp_path: Path) -> None:
    made = canvas.Canvas(str(tmp_path / "t.pdf"), pagesize=A4)
    for at in range(20):
        made.drawString(40, 780 - 20 * at, f"Item {at}")
        made.drawString(WIDTH / 2, 780 - 20 * at, f"{at} EUR")
    made.save()
    (text,) = texts_of(tmp_path / "t.pdf")
    assert [line.split() for line in text.split("\n")] == [
        ["Item", str(at), str(at), "EUR"] for at in range(20)
    ]


def test_the_order_of_boxes() -> None:
    """Pieces of a line are one; what runs across parts what is read before it from what is read after."""
    across = [
        box
        for at in range(6)
        for box in (Line(0, 100 - at * 10, 40, 108 - at * 10), Line(42, 100 - at * 10, 90, 108 - at * 10),
                    Line(110, 100 - at * 10, 200, 108 - at * 10))
    ]  # fmt: skip
    heading = Line(0, 200, 200, 210)
    found = in_reading_order([heading, *across])
    assert found is not None
    assert found[0] == heading
    assert [(line.left, line.right) for line in found[1:]] == [(0, 90)] * 6 + [(110, 200)] * 6
    assert in_reading_order([*across[::3], *across[1::3], *across[2::3]]) is None
    assert in_reading_order([]) is None


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("inter\ufffe\nnational", "international"),
        ("inter\x02national", "international"),
        ("soft\xadware", "software"),
        ("a two\x02column page\nof two-column pages", "a two-column page\nof two-column pages"),
        ("Jean\ufffe\nPaul", "Jean-Paul"),
        ("COVID\x0219", "COVID-19"),
        ("a\ufffe b", "a b"),
    ],
)
def test_words_are_put_together_again(text: str, whole: str) -> None:
    assert mended(text) == whole


def test_hyphens_at_the_ends_of_lines(tmp_path: Path) -> None:
    made = canvas.Canvas(str(tmp_path / "t.pdf"))
    for at, text in enumerate(
        ["an inter-", "national and well-", "known firm, so well-known", "that every\xad", "body knows"]
    ):
        made.drawString(50, 500 - 14 * at, text)
    made.save()
    (text,) = texts_of(tmp_path / "t.pdf")
    assert (
        " ".join(text.split()) == "an international and well-known firm, so well-known that everybody knows"
    )


def test_locked_broken_and_endless_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.pdf"
    made = canvas.Canvas(str(path), encrypt=pdfencrypt.StandardEncryption("secret", ownerPassword="owner"))
    made.drawString(50, 50, "text")
    made.save()
    assert refusal(path) == "the PDF cannot be opened: it is locked with a password."
    path.write_bytes(b"%PDF-1.7\nnothing else")
    assert refusal(path) == "the PDF cannot be opened: its structure is broken."
    pages = FPDF()
    pages.set_font("Helvetica", size=12)
    for _ in range(4):
        pages.add_page()
        pages.cell(text="eleven chars")
    pages.output(str(path))
    monkeypatch.setattr(pdf, "CHARS", 10)
    assert [row.reason for row in rows_of(path) if isinstance(row, Reject)] == [
        "too long: the page has 12 characters; 10 are read"
    ] * 4
    monkeypatch.setattr(pdf, "PAGES", 3)
    assert refusal(path) == "the PDF has 4 pages; 3 are read."


def refusal(path: Path) -> str:
    with pytest.raises(BadFile) as caught:
        pdf.read(path, "utf-8")
    return caught.value.message


def test_scripts_are_not_run(tmp_path: Path) -> None:
    """A script that would write into a form's field when the file is opened leaves it as it is."""
    path = tmp_path / "t.pdf"
    made = canvas.Canvas(str(path))
    made.drawString(50, 700, "What stands on the page.")
    made.acroForm.textfield(name="field", value="before", x=50, y=600, width=200, height=20)
    made.save()
    from_script = (
        b"/OpenAction << /S /JavaScript /JS (this.getField('field').value = 'after') >> /Type /Catalog"
    )
    data = path.read_bytes().replace(b"/Type /Catalog", from_script)
    assert b"JavaScript" in data
    path.write_bytes(data)
    (text,) = texts_of(path)
    assert "What stands on the page." in text
    assert "after" not in text


def test_a_broken_page_is_a_reject_and_the_next_is_read(tmp_path: Path) -> None:
    made = canvas.Canvas(str(tmp_path / "t.pdf"), pageCompression=0)
    for text in ("first page", "second page"):
        made.drawString(50, 700, text)
        made.showPage()
    made.save()
    data = (tmp_path / "t.pdf").read_bytes()
    first = data.index(b"/Type /Page\n") if b"/Type /Page\n" in data else data.index(b"/Type /Page ")
    broken = data[:first] + b"/Type /Nope" + data[first + 11 :]
    (tmp_path / "t.pdf").write_bytes(broken)
    found = rows_of(tmp_path / "t.pdf")
    assert [type(row) for row in found] == [Reject, Row]
    assert found[0] == Reject(1, "broken page: Failed to load page.", "")


def sample(count: int) -> Any:
    stream = io.BytesIO()
    made = canvas.Canvas(stream)
    for at in range(count):
        made.drawString(50, 700, f"page {at}")
        made.showPage()
    made.save()
    return stream.getvalue()


def test_closing_early_closes_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.pdf").write_bytes(sample(3))
    table = pdf.read(tmp_path / "t.pdf", "utf-8")
    next(table.rows)
    table.rows.close()
    pdf.read(tmp_path / "t.pdf", "utf-8").rows.close()


def test_mending_a_hostile_page_takes_no_time() -> None:
    """A word without end, and a hyphen after each letter: seconds at most, where a careless pattern takes hours."""
    assert mended("a" * 2_000_000) == "a" * 2_000_000
    assert mended("ab\x02" * 300_000).count("ab") == 300_000
