"""PDF: pages as rows, in reading order, words whole; files by the libraries that write them."""

import io
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.lib.colors import black
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    ListFlowable,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Table,
)

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


def test_three_columns_that_are_written_straight_across(tmp_path: Path) -> None:
    columns = [[" ".join(line.split()[:5]) for line in lines(seed, 30)] for seed in (0, 3, 8)]
    made = canvas.Canvas(str(tmp_path / "t.pdf"), pagesize=A4)
    made.setFont("Helvetica", 10)
    for at, row in enumerate(zip(*columns, strict=True)):
        for text, x in zip(row, (40, 218, 396), strict=True):
            text_object = made.beginText(x, 780 - 14 * at)
            text_object.setHorizScale(100 * 160 / made.stringWidth(text, "Helvetica", 10))
            text_object.textOut(text)
            made.drawText(text_object)
    made.save()
    (text,) = texts_of(tmp_path / "t.pdf")
    assert text.split("\n") == [line for column in columns for line in column]


def test_a_table_without_rules(tmp_path: Path) -> None:
    made = canvas.Canvas(str(tmp_path / "t.pdf"), pagesize=A4)
    for at in range(20):
        made.drawString(40, 780 - 20 * at, f"Item {at}")
        made.drawRightString(WIDTH / 2, 780 - 20 * at, f"{at} EUR")
    made.save()
    (text,) = texts_of(tmp_path / "t.pdf")
    assert text.split("\n") == [
        "| Item 0 | 0 EUR |",
        "| --- | --- |",
        *(f"| Item {at} | {at} EUR |" for at in range(1, 20)),
    ]


STYLES = getSampleStyleSheet()
PROSE = " ".join(WORDS) + "."


def flowed(path: Path, *parts: Any) -> str:
    """The text of a page of these parts: texts in the style that is named beside them, or what reportlab sets."""
    made = [Paragraph(*part) if isinstance(part, tuple) else part for part in parts]
    SimpleDocTemplate(str(path / "t.pdf"), pagesize=A4).build(made)
    (text,) = texts_of(path / "t.pdf")
    return text


def test_headings_and_a_ruled_table(tmp_path: Path) -> None:
    cells = [
        ["Item", "Price", "Left"],
        ["Lamp", "12.50 EUR", "3"],
        ["Bulb", "", "120"],
        ["a | b", "1 EUR", "7"],
    ]
    grid = Table(cells, style=[("GRID", (0, 0), (-1, -1), 0.5, black)])
    body, long = (PROSE, STYLES["Normal"]), " ".join(WORDS[:18])
    parts = [("Lamps", STYLES["Title"]), body, (long, STYLES["Heading2"]), body, grid, body]
    text = flowed(tmp_path, *parts, ("Who pays", STYLES["Heading3"]), body)
    blocks = [" ".join(block.split()) if block[0] != "|" else block for block in text.split("\n\n")]
    assert blocks == [
        "# Lamps",
        PROSE,
        f"## {long}",
        PROSE,
        "| Item | Price | Left |\n| --- | --- | --- |\n| Lamp | 12.50 EUR | 3 |\n| Bulb |  | 120 |\n| a \\| b | 1 EUR | 7 |",
        PROSE,
        "### Who pays",
        PROSE,
    ]


def drawn(path: Path, said: list[tuple[str | None, str | None, int]]) -> list[str]:
    """The lines of a page that has these pairs of cells, each so far below the one before."""
    made = canvas.Canvas(str(path / "t.pdf"), pagesize=A4)
    top = 700
    for key, meaning, gap in said:
        top -= gap
        for text, x in ((key, 40), (meaning, 140)):
            if text:
                made.drawString(x, top, text)
    made.save()
    (text,) = texts_of(path / "t.pdf")
    return text.split("\n")


def test_a_table_whose_cells_have_several_lines(tmp_path: Path) -> None:
    said = [
        ("Key", "Meaning", 0),
        ("ab", "the first of", 20),
        (None, "two inter-", 13),
        (None, "national lines", 13),
        ("cd", "short", 20),
        ("ef", "shorter", 20),
    ]
    assert drawn(tmp_path, said)[2:] == [
        "| ab | the first of two international lines |",
        "| cd | short |",
        "| ef | shorter |",
    ]


@pytest.mark.parametrize("gap", [14, 20])
def test_what_stands_alone_at_the_rows_distance_is_a_row(tmp_path: Path, gap: int) -> None:
    said = [("Item", "Price", 0), ("Lamp", "15.50", 14), ("Bulb", "7.00", 14), (None, "22.50", gap)]
    assert drawn(tmp_path, said)[2:] == ["| Lamp | 15.50 |", "| Bulb | 7.00 |", "|  | 22.50 |"]


def test_words_that_a_headings_lines_part(tmp_path: Path) -> None:
    made = canvas.Canvas(str(tmp_path / "t.pdf"), pagesize=A4)
    made.setFont("Helvetica", 20)
    for at, text in enumerate(["What is to be read of inter-", "national lamps"]):
        made.drawString(40, 780 - 24 * at, text)
    made.setFont("Helvetica", 10)
    for at, text in enumerate(lines(0, 9)):
        made.drawString(40, 700 - 12 * at, text)
    made.save()
    (text,) = texts_of(tmp_path / "t.pdf")
    assert text.split("\n")[0] == "# What is to be read of international lamps"


ITEMS = [Paragraph(" ".join(WORDS[at : at + 4]), STYLES["Normal"]) for at in range(5)]
PLAIN: dict[str, list[Any]] = {
    "prose": [(PROSE, STYLES["Normal"])] * 3,
    "a list with numbers": [(PROSE, STYLES["Normal"]), ListFlowable(ITEMS)],
    "a list with bullets": [(PROSE, STYLES["Normal"]), ListFlowable(ITEMS, bulletType="bullet")],
    "a page in large type": [(PROSE, ParagraphStyle("large", fontSize=20, leading=24))] * 2,
    "a paragraph in larger type": [(PROSE, STYLES["Normal"])] * 4
    + [(PROSE, ParagraphStyle("larger", fontSize=13, leading=15))],
    "a large number and a large first letter": [
        ("42 %", STYLES["Title"]),
        ("T", STYLES["Title"]),
        (PROSE, STYLES["Normal"]),
    ],
    "a sentence in larger type": [("Read this first.", STYLES["Heading2"]), (PROSE, STYLES["Normal"])],
    "justified": [(PROSE * 3, ParagraphStyle("even", alignment=4))],
}


@pytest.mark.parametrize("parts", PLAIN.values(), ids=PLAIN)
def test_plain_pages_have_neither_headings_nor_tables(tmp_path: Path, parts: list[Any]) -> None:
    text = flowed(tmp_path, *parts)
    assert not [line for line in text.split("\n") if line.startswith(("#", "|"))]


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
