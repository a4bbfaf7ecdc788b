"""Documents as rows of texts: plain text, Markdown, HTML, DOCX, PPTX; office files by the libraries that write them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls
from pptx.util import Inches

from tunewright.core.errors import DataError
from tunewright.data.rows import BadFile, Reject, Row
from tunewright.data.sources import _xml, html, markdown
from tunewright.data.sources import docx as docx_source
from tunewright.data.sources import pptx as pptx_source
from tunewright.data.sources._documents import markdown_table
from tunewright.data.sources._plain import page_text


def failure(desk, path: str, **source: object) -> str:
    with pytest.raises(DataError) as caught:
        desk.ingest(path, **source)
    return str(caught.value)


def only(rows: Any) -> dict[str, Any]:
    (row,) = rows
    assert isinstance(row, Row), row
    return row.values


def test_files_of_text_are_documents(desk) -> None:
    desk.write("a.txt", "One line.\r\n\r\nAnother: é.\n")
    desk.write("b.md", "# Terms #\n\nPay *soon*.\n")
    desk.write("c.txt", " \n")
    got = desk.ingest("?.*")
    assert [(e.is_document, e.expected, e.fields, e.origin.file) for e in got.examples] == [
        (True, "One line.\n\nAnother: é.\n", {"document": "a.txt"}, "a.txt"),
        (True, "# Terms #\n\nPay *soon*.\n", {"title": "Terms", "document": "b.md"}, "b.md"),
    ]
    assert got.reasons == [(1, "empty text: the document is blank")]
    desk.write("l.txt", "un café".encode("latin-1"))
    assert "Set encoding: cp1252" in failure(desk, "l.txt")
    assert desk.ingest("l.txt", encoding="latin-1").examples[0].expected == "un café"


def test_a_document_may_be_a_tables_row(desk) -> None:
    """Columns that ask or answer make a conversation of it."""
    desk.write("b.md", "# Terms\nPay soon.\n")
    (example,) = desk.ingest("b.md", columns={"input": "text", "expected": "title"}).examples
    assert (example.is_document, example.expected) == (False, "Terms")


def test_too_large_a_text(desk) -> None:
    with (desk.root / "t.txt").open("wb") as stream:
        stream.truncate(2**26 + 1)
    assert failure(desk, "t.txt") == (
        "t.txt: the document has 67,108,865 bytes; 67,108,864 are read. Split it, or write its parts one row a line (JSONL)."
    )


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("---\ntitle: 'My page'\ntags:\n  - a\n---\n\n# Other\n", "My page", "# Other\n"),
        ("---\ndate: 1\n---\nName\n====\n", "Name", None),
        ("---\n\nA rule, not settings.\n\n---\n\n## Second\n", "Second", "same"),
        ("```sh\n# no heading\n```\n\n### Yes ###\n", "Yes", "same"),
        ("~~~~\n~~~\n# no\n~~~~\ntext\n", None, "same"),
        ("#hash\n\n#\n", None, "same"),
    ],
)
def test_titles_of_markdown(tmp_path: Path, text: str, title: str | None, body: str | None) -> None:
    (tmp_path / "t.md").write_text(text)
    row = only(markdown.read(tmp_path / "t.md", "utf-8").rows)
    assert row["title"] == title
    assert row["text"] == (text if body == "same" else body or "Name\n====\n")


PAGE = """<html><head><title>Returns &amp; refunds | Shop</title><script>alert("no")</script></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/b">Basket</a></li></ul></nav>
<main><article><h1>Returns</h1><p>You may return any item within <b>30 days</b> of delivery, unused and in its box.</p>
<h2>Costs</h2><p>Postage is paid by us in these countries, for parcels that weigh less than the table below says.</p>
<table><tr><th>Country</th><th>Limit</th></tr><tr><td>France</td><td>20 kg</td></tr></table>
<ul><li>Print the label</li><li>Bring the parcel to the post</li></ul></article></main>
<footer>Copyright 2024 Shop. All rights reserved. <a href="/imprint">Imprint</a></footer></body></html>"""


def test_a_page_without_its_frame(desk) -> None:
    desk.write("t.html", PAGE)
    (example,) = desk.ingest("t.html").examples
    assert example.fields == {"title": "Returns & refunds | Shop", "document": "t.html"}
    lines = example.expected.splitlines()
    assert {"# Returns", "## Costs", "- Print the label"} <= set(lines)
    assert [line.split() for line in lines if "|" in line][::2] == [
        ["|", "Country", "|", "Limit", "|"],
        ["|", "France", "|", "20", "kg", "|"],
    ]
    for frame in ("Home", "Basket", "Copyright", "Imprint", "alert"):
        assert frame not in example.expected


@pytest.mark.parametrize(
    ("page", "text", "title"),
    [
        ("<h2>Short</h2><p>One <i>line</i>.<br>Two.", "## Short\n\nOne line.\nTwo.", "Short"),
        ("<title>T</title><nav>x</nav><ul><li>a<li>b</ul><pre>x\n  y</pre>", "- a\n- b\n\nx\n  y", "T"),
        (
            "<table><tr><td>a|b<td>c<tr><td>d<table><tr><td>in</table></table>end",
            "| a\\|b | c |\n| --- | --- |\n| d in |  |\n\nend",
            None,
        ),
        ("just words", "just words", None),
    ],
)
def test_short_pages_keep_their_marks(tmp_path: Path, page: str, text: str, title: str | None) -> None:
    (tmp_path / "t.html").write_text(page)
    row = only(html.read(tmp_path / "t.html", "utf-8").rows)
    assert (row["text"], row["title"]) == (text, title)


def test_a_page_says_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.html").write_bytes('<meta charset="windows-1252"><p>café'.encode("cp1252"))
    assert only(html.read(tmp_path / "t.html", "utf-8").rows)["text"] == "café"
    (tmp_path / "t.html").write_text("<script>1</script>")
    assert list(html.read(tmp_path / "t.html", "utf-8").rows) == [
        Reject(1, "empty text: the page says nothing", "<script>1</script>")
    ]


@pytest.mark.parametrize(
    "piece", ["<div>", "<", "<!--", "<![CDATA[", "<a b='", "<table><tr><td>", "&#x", "</p>"]
)
def test_hostile_pages_end(piece: str) -> None:
    assert len(page_text(piece * 20_000)) <= 20_000 * len(piece) * 8


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    made = docx.Document()
    made.core_properties.title = "Terms of sale"
    made.add_heading("Terms", 0)
    made.add_heading("Delivery", 2)
    text = made.add_paragraph("We deliver ")
    text.add_run("fast").bold = True
    text.add_run("\tand\nfree.")
    made.add_paragraph("one", style="List Bullet")
    made.add_paragraph("two", style="List Bullet")
    made.add_paragraph("first", style="List Number")
    made.add_paragraph("second", style="List Number")
    table = made.add_table(rows=3, cols=3)
    for row, cells in enumerate([("Country", "Days", "Note"), ("France", "2", "a\nb"), ("Italy", "3", "")]):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    table.cell(1, 2).merge(table.cell(2, 2))
    table.cell(0, 1).merge(table.cell(0, 2))
    made.sections[0].header.paragraphs[0].text = "HEADER"
    made.add_paragraph("End.")
    made.save(str(tmp_path / "t.docx"))
    return tmp_path / "t.docx"


def test_docx(letter: Path) -> None:
    row = only(docx_source.read(letter, "utf-8").rows)
    assert row == {
        "text": "# Terms\n\n## Delivery\n\nWe deliver fast\tand\nfree.\n\n- one\n- two\n1. first\n2. second\n\n"
        "| Country | Days Note |  |\n| --- | --- | --- |\n| France | 2 | a b |\n| Italy | 3 |  |\n\nEnd.",
        "title": "Terms of sale",
        "document": "t.docx",
    }


def test_what_a_word_document_hides_or_nests(tmp_path: Path) -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("kept ")
    for tag, text in (("ins", "added "), ("del", "deleted ")):
        change = OxmlElement(f"w:{tag}")
        run = OxmlElement("w:r")
        run.append(OxmlElement("w:delText" if tag == "del" else "w:t"))
        run[0].text = text
        change.append(run)
        paragraph._p.append(change)
    hidden = paragraph.add_run("hidden ")
    hidden.font.hidden = True
    paragraph.add_run("end")
    made.add_comment(paragraph.runs, text="a comment")
    box = parse_xml(
        f"<w:p {nsdecls('w')}><w:r><w:t>beside</w:t></w:r><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p>"
        "</w:txbxContent></w:pict></w:r></w:p>"
    )
    control = parse_xml(
        f"<w:sdt {nsdecls('w')}><w:sdtPr/><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    for element in (box, control):
        made.element.body.insert(len(made.element.body) - 1, element)
    outer = made.add_table(1, 1)
    outer.cell(0, 0).text = "outer"
    outer.cell(0, 0).add_table(1, 1).cell(0, 0).text = "inner"
    made.save(str(tmp_path / "t.docx"))
    text = only(docx_source.read(tmp_path / "t.docx", "utf-8").rows)["text"]
    assert text.startswith("kept added end\n\nbeside\n\nboxed\n\ncontrolled\n\n| outer")
    assert "inner" in text
    assert not any(word in text for word in ("deleted", "hidden", "comment"))


def test_footnotes_stand_at_the_end(letter: Path) -> None:
    note = '<w:footnote w:id="2"><w:p><w:r><w:t>See below.</w:t></w:r></w:p></w:footnote>'
    notes = f"<w:footnotes {nsdecls('w')}>{note}</w:footnotes>"
    with zipfile.ZipFile(letter) as old:
        parts = {
            entry.filename: old.read(entry).decode("utf-8", "surrogateescape") for entry in old.infolist()
        }
    body, rels = "word/document.xml", "word/_rels/document.xml.rels"
    parts[body] = parts[body].replace("End.</w:t>", 'End.</w:t><w:footnoteReference w:id="2"/>')
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    link = f'<Relationship Id="x9" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    parts[rels] = parts[rels].replace("</Relationships>", link)
    parts["word/footnotes.xml"] = notes
    packed = packed_parts(
        letter, {name: text.encode("utf-8", "surrogateescape") for name, text in parts.items()}
    )
    assert only(docx_source.read(packed, "utf-8").rows)["text"].endswith("End.[^2]\n\n[^2]: See below.")


def packed_parts(path: Path, parts: dict[str, bytes]) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    path.write_bytes(packed.getvalue())
    return path


def test_pptx(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Our\vplan"
    frame = slide.placeholders[1].text_frame
    frame.text = "Sell"
    for text, level in (("more", 1), ("Learn", 0)):
        paragraph = frame.add_paragraph()
        paragraph.text, paragraph.level = text, level
    slide.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "An aside"
    table = slide.shapes.add_table(2, 2, 0, 0, Inches(3), Inches(1)).table
    for at, cell in enumerate(table.iter_cells()):
        cell.text = f"c{at}"
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    made.slides.add_slide(made.slide_layouts[6])
    picture = made.slides.add_slide(made.slide_layouts[6])
    picture.shapes.add_picture(png(), 0, 0)
    group = made.slides.add_slide(made.slide_layouts[6]).shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "In a group"
    made.save(str(tmp_path / "t.pptx"))
    assert list(pptx_source.read(tmp_path / "t.pptx", "utf-8").rows) == [
        Row(
            1,
            {
                "text": "# Our plan\n\n- Sell\n  - more\n- Learn\n\nAn aside\n\n| c0 | c1 |\n| --- | --- |\n| c2 | c3 |",
                "slide": 1,
                "title": "Our plan",
                "notes": "Say it slowly.",
                "document": "t.pptx",
            },
        ),
        Reject(3, "no text: the slide is a picture; have its text recognised (OCR) first", ""),
        Row(4, {"text": "In a group", "slide": 4, "title": None, "notes": None, "document": "t.pptx"}),
    ]


def png() -> io.BytesIO:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    stream.seek(0)
    return stream


def document_with(tmp_path: Path, xml: str) -> Path:
    return packed_parts(tmp_path / "t.docx", {"word/document.xml": xml.encode()})


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            f"<w:document {W}><w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>",
            "word/document.xml in the file declares XML entities.",
        ),
        (
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
            f"<w:document {W}><w:body><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body></w:document>",
            "word/document.xml in the file declares XML entities.",
        ),
        (
            f"<w:document {W}><w:body>" + "<w:sdt>" * 300 + "</w:sdt>" * 300 + "</w:body></w:document>",
            "word/document.xml in the file is nested more than 200 deep.",
        ),
        (f"<w:document {W}><w:body>", "word/document.xml in the file is broken XML"),
        ("<html/>", "the file holds no Word document."),
    ],
)
def test_hostile_xml_is_refused(tmp_path: Path, xml: str, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        docx_source.read(document_with(tmp_path, xml), "utf-8")
    assert caught.value.message.startswith(message)


def test_bombs_and_too_large_parts_are_refused_unread(tmp_path: Path) -> None:
    """The sizes that the archive states are enough to refuse them."""
    xml = (" " * _xml.PART_BYTES + f"<w:document {W}/>").encode()
    path = packed_parts(tmp_path / "t.docx", {"word/document.xml": xml})
    with pytest.raises(BadFile, match=r"^the packed file has \S+ bytes and says that it unpacks to 67,108,9"):
        docx_source.read(path, "utf-8")
    with zipfile.ZipFile(path, "w") as stored:
        stored.writestr("word/document.xml", xml)
    with pytest.raises(
        BadFile, match=r"^word/document.xml in the file has 67,108,9\d\d bytes; 67,108,864 are read"
    ):
        docx_source.read(path, "utf-8")


def test_too_many_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_xml, "ELEMENTS", 100)
    path = document_with(tmp_path, f"<w:document {W}><w:body>{'<w:p/>' * 100}</w:body></w:document>")
    with pytest.raises(BadFile, match="of more than 100 elements"):
        docx_source.read(path, "utf-8")


def test_a_table_of_blanks_is_none() -> None:
    assert markdown_table([["", " "], [""]]) == ""
    assert markdown_table([["a"], ["b", "c"]]) == "| a |  |\n| --- | --- |\n| b | c |"


@pytest.mark.parametrize("ending", ["docx", "pptx", "doc", "odt"])
def test_what_is_no_office_file(desk, ending: str) -> None:
    desk.write(f"t.{ending}", "text")
    message = failure(desk, f"t.{ending}")
    assert (
        "can be read (File is not a zip file)" in message
        or f"files that end in .{ending} are not read. Save it as" in message
    )
