"""Rows that an ingest set aside or passed over, as findings."""

from pathlib import Path

import tunewright
from tunewright.core.task import TaskSpec
from tunewright.data.ingest import REJECTS, ingest
from tunewright.data.spec import SourceSpec
from tunewright.project.set_aside import set_aside

MAIL = """From x Thu Jan  1 00:00:00 2026
Message-ID: <{at}@mx>
From: {who}
Date: Thu, 0{at} Jan 2026 10:00:00 +0000
Subject: Lamps
{more}
{text}

"""


def taken(folder: Path, *mails: tuple[int, str, str, str]) -> list[tuple]:
    box = "".join(
        MAIL.format(at=at, who=who, more=f"In-Reply-To: <{to}@mx>\n" if to else "", text=text)
        for at, who, to, text in mails
    )
    (folder / "t.mbox").write_text(box)
    source = SourceSpec(path="t.mbox", roles={"shop.example": "assistant"})
    (folder / "out").mkdir()
    summary = ingest({"mails": source}, TaskSpec(), folder, folder / "out", reject_budget=1)
    return [
        (one.severity, one.count, one.message, [(row.place, row.excerpt) for row in one.examples])
        for one in set_aside(summary, folder / "out" / REJECTS, 0.01)
    ]


def test_what_is_passed_over_is_told_beside_what_is_set_aside(tmp_path: Path) -> None:
    mails = [
        (1, "ann@x.example", "", "Where is it?"),
        (2, "desk@shop.example", "1", "Here."),
        (3, "info@y.example", "", "An offer."),
        (4, "ann@x.example", "", ""),
        (5, "info@y.example", "", "Write to mara.velten@mail.example"),
    ]
    assert taken(tmp_path, *mails) == [
        (
            "error",
            1,
            "1 of 2 rows (50.0%) cannot be used and are set aside: empty text 1, and a project takes 1.00% at most"
            " (data.reject_budget).",
            [("t.mbox:4", "empty text: the mail has no text")],
        ),
        (
            "info",
            2,
            "2 of 4 rows (50.0%) are conversations that are passed over: no answer 2.",
            [
                ("t.mbox:3", "no answer: no mail of the file answers it, and it answers none"),
                ("t.mbox:5", "no answer: no mail of the file answers it, and it answers none"),
            ],
        ),
    ]


def test_nothing_is_told_where_all_rows_are_used(tmp_path: Path) -> None:
    mails = [(1, "ann@x.example", "", "Where is it?"), (2, "desk@shop.example", "1", "Here.")]
    assert taken(tmp_path, *mails) == []


def test_a_project_tells_what_its_budget_let_pass(tmp_path: Path) -> None:
    rows = "".join(f"Where is parcel {n} of them?,{'' if n in (3, 9) else 'there'}\n" for n in range(40))
    (tmp_path / "rows.csv").write_text(f"input,expected\n{rows}")
    (tmp_path / "tunewright.yaml").write_text(
        "name: some\ntask: {}\nsources: {rows: {path: rows.csv, columns: {input: input, expected: expected}}}\n"
        "data: {reject_budget: 0.1}\n"
    )
    looked = tunewright.open(tmp_path).audit(tunewright.AuditSpec(kinds=("echo_answer",)))
    [found] = looked.findings
    assert (found.kind, found.severity, found.count) == ("set_aside", "warning", 2)
    assert found.message == "2 of 40 rows (5.0%) cannot be used and are set aside: empty answer 2."
    assert [row.place for row in found.examples] == ["rows.csv:5", "rows.csv:11"]
