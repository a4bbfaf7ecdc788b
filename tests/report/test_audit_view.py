"""The data section: labels, sources and findings as the audit and ingest write them; odd shapes do not break it."""

from tunewright.report.audit import Finding, audit_view, ingest_view


def test_labels_show_each_part():
    rows = [{"value": f"v{n}", "counts": {"train": n, "test": 1}, "example": "e"} for n in range(50, 0, -1)]
    [few] = audit_view({"labels": [{"field": "kind", "rows": rows[:2]}]}).bars
    assert (few.caption, [(row.name, row.value) for row in few.rows]) == (
        "kind, rows in train / test",
        [("v50", "50 / 1"), ("v49", "49 / 1")],
    )
    [many] = audit_view({"labels": [{"field": None, "rows": rows}]}).bars
    assert many.caption.startswith("answer, ")
    assert len(many.rows) == 40
    assert (many.rows[-1].name, many.rows[-1].value) == ("11 others", "77")


def test_findings():
    view = audit_view(
        {
            "findings": [
                {
                    "kind": "leak",
                    "severity": "error",
                    "count": 2,
                    "message": "2 leak.",
                    "examples": ["a"],
                    "mend": "m",
                },
                {"kind": "rare_label", "count": 3},
                {},
            ]
        }
    )
    assert view.findings == [
        Finding("error, leak", "bad", "2 leak.", "", "a", "m"),
        Finding("note", "note", "rare label", "3", "", ""),
        Finding("note", "note", "finding", "", "", ""),
    ]


def test_sources_by_file():
    counts = {"rows": 3, "examples": 2, "rejects": 1}
    view = ingest_view(
        {**counts, "sources": {"s": {**counts, "files": {"a.csv": counts}}}, "reasons": {"empty": 1}}
    )
    assert view.facts == [("rows", "3"), ("examples", "2"), ("rejects", "1")]
    assert [(table.head, table.rows) for table in view.tables] == [
        (("source", "file", "rows", "examples", "rejects"), [("s", "a.csv", "3", "2", "1")])
    ]
    assert [chart.caption for chart in view.bars] == ["reasons"]


def test_nothing_known():
    assert audit_view({}) == ingest_view({}) == ([], [], [], [])
    assert audit_view({"other": [1, 2], "empty": {}}).facts == [("other", "1, 2")]
