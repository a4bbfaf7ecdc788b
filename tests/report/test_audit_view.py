"""The data section: labels, sources and findings as the audit and ingest write them; odd shapes do not break it."""

from tunewright.report.audit import Finding, Told, Where, audit_view, ingest_view


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


def test_findings_stand_by_severity_and_one_kind_of_several_parts_once():
    leak = {
        "kind": "leak",
        "title": "Leaks",
        "severity": "error",
        "count": 2,
        "mend": "Mend.",
        "recipe": "{op: x}",
    }
    shown = {"id": "a1", "place": "rows.csv:3", "excerpt": "hello"}
    view = audit_view(
        {
            "findings": [
                {"kind": "rare_label", "count": 3},
                {**leak, "message": "2 of dev leak.", "examples": [shown]},
                {**leak, "message": "2 of test leak.", "examples": ["b2"]},
                {"severity": "warn"},
                {"severity": "odd", "title": "Odd"},
            ]
        }
    )
    assert [(group.severity, group.tone, group.mark, group.heading) for group in view.groups] == [
        ("error", "bad", "✗", "1 error"),
        ("warning", "unsure", "!", "1 warning"),
        ("info", "note", "·", "1 note"),
        ("odd", "note", "·", "1 odd"),
    ]
    assert view.groups[0].findings == [
        Finding(
            "Leaks",
            (
                Told("2 of dev leak.", "", (Where("rows.csv:3", "hello"),)),
                Told("2 of test leak.", "", (Where("b2", ""),)),
            ),
            "Mend.",
            "{op: x}",
        )
    ]
    assert view.groups[2].findings == [Finding("rare label", (Told("", "3", ()),), "", "")]


def test_rows_and_tokens_by_part():
    tokens = {
        **{
            "part": "train and dev",
            "rows": 90,
            "tokens": 1000,
            "trained": 250,
            "median": 9,
            "p95": 20,
            "longest": 30,
        },
        **{"over": 1, "max_length": 64, "base": "embedded"},
    }
    [sizes] = audit_view({"rows": {"train": 80, "dev": 10}, "tokens": [tokens]}).sizes
    assert sizes.head[:4] == ("part", "rows", "tokens", "trained")
    assert sizes.rows[0][:3] == ("train", "80", "")
    assert sizes.rows[2] == ("train and dev", "90", "1,000", "250", "9", "20", "30", "1", "25%")


def test_histograms_of_all_parts_are_one_chart():
    parts = [
        {"part": "train", "what": "input", "edges": [5, 10, 20], "counts": [3, 4]},
        {"part": "dev", "what": "input", "edges": [100, 200], "counts": [1]},
        {"part": "test", "what": "input", "edges": [], "counts": []},
    ]
    [chart] = audit_view({"histograms": parts}).charts
    assert chart.caption == "Characters of the question"
    assert (
        'aria-label="Characters of the question. 5 to 9: 3; 10 to 19: 4; 20 to 49: 0; 50 to 99: 0; 100 to 199: 1"'
        in chart.svg
    )


def test_languages_of_all_parts():
    [chart] = audit_view({"languages": {"train": {"en": 9, "de": 1}, "dev": {"de": 2}}}).bars
    assert [(row.name, row.value) for row in chart.rows] == [("en", "9"), ("de", "3")]


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
    assert audit_view({}) == ingest_view({}) == ([], [], [], [], [], [], [])
    assert audit_view({"other": [1, 2], "empty": {}}).facts == [("other", "1, 2")]
