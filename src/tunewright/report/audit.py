"""The data section: what ingest took, what the audit found, how labels and lengths are spread.

Both come as plain JSON values. Known parts are drawn as they deserve, anything else as facts and tables.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tunewright.report.tables import BarRow, Bars, Table, bars, split_facts, table_of
from tunewright.report.text import clip, fact

_TONES = {
    "error": "bad",
    "fail": "bad",
    "critical": "bad",
    "high": "bad",
    "warning": "unsure",
    "warn": "unsure",
}
_SHOWN_ON_THEIR_OWN = ("findings", "tables", "leaks", "labels", "lengths", "contradictions")


class Finding(NamedTuple):
    """One thing the audit found."""

    severity: str
    tone: str
    title: str
    times: str
    examples: str
    fix: str


class DataView(NamedTuple):
    """A summary parted into what is drawn differently."""

    findings: list[Finding]
    facts: list[tuple[str, str]]
    tables: list[Table]
    bars: list[Bars]


def audit_view(audit: Mapping[str, Any]) -> DataView:
    """The audit's findings, its label and length tables, and whatever else it holds."""
    rest = {name: value for name, value in audit.items() if name not in _SHOWN_ON_THEIR_OWN}
    facts, grids, charts = split_facts({**rest, **(audit.get("tables") or {})})
    labels = [_labels(table) for table in audit.get("labels") or ()]
    known = [
        table_of(caption, rows)
        for caption, rows in (
            ("Length in characters", audit.get("lengths")),
            ("The same input, two answers", _pairs(audit.get("contradictions") or ())),
        )
        if rows
    ]
    findings = [_finding(found) for found in audit.get("findings") or ()]
    return DataView(findings, facts, [*known, *grids], [*charts, *labels])


def ingest_view(ingest: Mapping[str, Any]) -> DataView:
    """What was read: counts as facts, sources and their files as one table, reasons for rejects as bars."""
    rest = {name: value for name, value in ingest.items() if name != "sources"}
    facts, grids, charts = split_facts(rest)
    sources = ingest.get("sources")
    if isinstance(sources, Mapping):
        rows = [_counts(name, "", summary) for name, summary in sources.items()]
        files = [
            _counts(name, file, counts)
            for name, summary in sources.items()
            for file, counts in (summary.get("files") or {}).items()
        ]
        grids = [table_of("Sources", files or rows), *grids]
    elif sources:
        grids = [table_of("Sources", sources), *grids]
    return DataView([], facts, grids, charts)


def _counts(source: str, file: str, counts: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: value for name, value in counts.items() if not isinstance(value, Mapping)}
    return {"source": source, **({"file": file} if file else {}), **numbers}


def _labels(table: Mapping[str, Any]) -> Bars:
    """A label table as bars of the whole, with the count of each part beside them."""
    rows = table.get("rows") or ()
    parts = list(dict.fromkeys(part for row in rows for part in row["counts"]))
    chart = bars(
        f"{table.get('field') or 'answer'}, rows in {' / '.join(parts)}",
        {str(row["value"]): sum(row["counts"].values()) for row in rows},
    )
    # where the last bar sums up the others, it keeps their sum
    spelled = [" / ".join(f"{row['counts'].get(part, 0):,}" for part in parts) for row in rows]
    whole = len(rows) == len(chart.rows)
    named = chart.rows if whole else chart.rows[:-1]
    drawn = [BarRow(row.name, row.svg, text) for row, text in zip(named, spelled, strict=False)]
    return Bars(chart.caption, drawn if whole else [*drawn, chart.rows[-1]])


def _pairs(pairs: Any) -> list[dict[str, Any]]:
    return [
        {
            "input": pair.get("input", ""),
            **{f"answer {place}": answer for place, answer in enumerate(pair.get("answers") or (), start=1)},
        }
        for pair in pairs
    ]


def _finding(found: Mapping[str, Any]) -> Finding:
    severity = str(found.get("severity", "note"))
    examples = found.get("examples") or found.get("places") or ()
    listed = (
        (examples,) if isinstance(examples, str) else examples if isinstance(examples, list | tuple) else ()
    )
    kind = str(found.get("kind") or "finding").replace("_", " ")
    message = found.get("title") or found.get("message")
    fix = found.get("fix") or found.get("mend") or ""
    return Finding(
        f"{severity}, {kind}" if message and "kind" in found else severity,
        _TONES.get(severity.lower(), "note"),
        clip(str(message or kind), 300),
        # a message says its own number
        fact(found["count"]) if found.get("count") is not None and not message else "",
        " · ".join(clip(fact(item), 140) for item in listed[:5]),
        clip(str(fix), 300),
    )
