"""Sources of many kinds in one project: checked, ingested, split by document, and planned anew when an archive changes."""

import json
import mailbox
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from reportlab.pdfgen import canvas

import tunewright

PROJECT = """\
name: handbook
task: {system: Answer from the handbook.}
sources:
  pages: {path: "*.pdf"}
  notes: {path: more.zip/notes/*}
  mails: {path: more.zip/box.mbox}
split: {train: 0.6, dev: 0.2, test: 0.2, group_by: document}
suites: {target: {examples: questions.jsonl, graders: [{type: contains}]}}
train: {method: cpt}
"""


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    for name in ("lamps", "chairs", "bags"):
        made = canvas.Canvas(str(tmp_path / f"{name}.pdf"))
        for page in range(4):
            made.drawString(50, 700, f"Page {page} of the handbook of {name}.")
            made.showPage()
        made.save()
    word = docx.Document()
    word.add_heading("Kettles", 1)
    word.add_paragraph("They boil.")
    word.save(str(tmp_path / "kettles.docx"))
    box = mailbox.mbox(tmp_path / "box.mbox")
    for number in range(3):
        mail = EmailMessage()
        mail["Subject"] = f"Order {number}"
        mail.set_content(f"Please send order {number}.\n")
        box.add(mail)
    box.close()
    pack(tmp_path, "# Terms\n\nPay soon.\n")
    question = {"prompt": "Do kettles boil?", "completion": "yes"}
    (tmp_path / "questions.jsonl").write_text(json.dumps(question) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tmp_path


def pack(folder: Path, terms: str) -> None:
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.write(folder / "kettles.docx", "notes/kettles.docx")
        archive.writestr("notes/terms.md", terms)
        archive.write(folder / "box.mbox", "box.mbox")


def test_documents_of_many_kinds_in_one_project(handbook: Path) -> None:
    project = tunewright.open(handbook)
    assert project.check().problems == []
    made = {outcome.step: outcome.artifact for outcome in project.run("split").outcomes}
    summary = json.loads(made["ingest"].file("summary.json").read_text())
    assert {name: list(source["files"]) for name, source in summary["sources"].items()} == {
        "pages": ["bags.pdf", "chairs.pdf", "lamps.pdf"],
        "notes": ["more.zip/notes/kettles.docx", "more.zip/notes/terms.md"],
        "mails": ["more.zip/box.mbox"],
    }
    assert (summary["rows"], summary["rejects"]) == (17, 0)
    parts = [
        [json.loads(line) for line in made["split"].file(f"{part}.jsonl").read_text().splitlines()]
        for part in ("train", "dev", "test")
    ]
    documents = [{row["fields"]["document"] for row in part} for part in parts]
    assert sum(map(len, parts)) == 17
    assert sum(map(len, documents)) == len(set().union(*documents)) == 6


def test_an_archive_that_changes_makes_its_rows_stale(handbook: Path) -> None:
    tunewright.open(handbook).run("ingest")
    pack(handbook, "# Terms\n\nPay late.\n")
    (outcome,) = (made for made in tunewright.open(handbook).run("ingest").outcomes if made.step == "ingest")
    assert "Pay late." in outcome.artifact.file("examples.jsonl").read_text()
