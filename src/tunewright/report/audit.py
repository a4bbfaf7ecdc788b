"""The data section: what ingest took, what the audit found, how labels, lengths and languages are spread.

Both come as plain JSON values. Known parts are drawn as they deserve, anything else as facts and tables.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from tunewright.data.audit.lengths import EDGES
from tunewright.report.histogram import columns
from tunewright.report.tables import BarRow, Bars, Table, bars, split_facts, table_of
from tunewright.report.text import clip, fact

_SEVERITIES = {
    "error": ("bad", "✗", "must be mended before training"),
    "warning": ("unsure", "!", "likely to hurt"),
    "info": ("note", "·", "worth knowing"),
}
"""Severity → its tone, its mark (colour alone says nothing), and what it means."""
_ALIASES = {"fail": "error", "critical": "error", "high": "error", "warn": "warning"}
_WHAT = {
    "input": "Characters of the question",
    "answer": "Characters of the answer",
    "tokens": "Tokens of a row, as the base reads it",
}
_SHOWN_ON_THEIR_OWN = frozenset(
    (
        *("findings", "tables", "leaks", "labels", "lengths", "contradictions"),
        *("histograms", "tokens", "languages", "notes", "rows"),
    )
)


class Where(NamedTuple):
    """A row as an example of a finding."""

    place: str
    text: str


class Told(NamedTuple):
    """What is said of one part."""

    message: str
    times: str
    """How often, where the message does not say it."""
    examples: tuple[Where, ...]


class Finding(NamedTuple):
    """One kind of thing that the audit found, in one part or several."""

    title: str
    told: tuple[Told, ...]
    fix: str
    recipe: str


class Group(NamedTuple):
    """The findings of one severity."""

    severity: str
    tone: str
    mark: str
    meaning: str
    findings: list[Finding]

    @property
    def heading(self) -> str:
        """`3 warnings`."""
        name = {"error": "error", "warning": "warning", "info": "note"}.get(self.severity, self.severity)
        return f"{len(self.findings)} {name}{'s' if len(self.findings) != 1 else ''}"


class Chart(NamedTuple):
    """A histogram with what it shows in words."""

    caption: str
    svg: Markup


class DataView(NamedTuple):
    """A summary parted into what is drawn differently."""

    groups: list[Group]
    facts: list[tuple[str, str]]
    tables: list[Table]
    bars: list[Bars]
    sizes: list[Table] = []  # noqa: RUF012 - never written to
    """Rows and tokens of each part."""
    charts: list[Chart] = []  # noqa: RUF012
    notes: list[str] = []  # noqa: RUF012


def audit_view(audit: Mapping[str, Any]) -> DataView:
    """The audit's findings by severity, its charts and tables, and whatever else it holds."""
    rest = {name: value for name, value in audit.items() if name not in _SHOWN_ON_THEIR_OWN}
    facts, grids, charts = split_facts({**rest, **(audit.get("tables") or {})})
    labels = [_labels(table) for table in audit.get("labels") or ()]
    known = [
        table_of(caption, rows)
        for caption, rows in (
            ("Length in characters", _without(audit.get("lengths"), "longest")),
            ("The same input, two answers", _pairs(audit.get("contradictions") or ())),
        )
        if rows
    ]
    sizes = [table_of("Rows and tokens", rows)] if (rows := _sizes(audit)) else []
    languages = _languages(audit.get("languages") or {})
    return DataView(
        _groups(audit.get("findings") or ()),
        facts,
        [*known, *grids],
        [*charts, *languages, *labels],
        sizes,
        list(_charts(audit.get("histograms") or ())),
        [str(note) for note in audit.get("notes") or ()],
    )


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


def audit_parts(audit: DataView, ingest: DataView, *, audited: bool) -> dict[str, Any]:
    """What the section's template shows, by name."""
    return {
        "ingest_facts": ingest.facts,
        "ingest_tables": ingest.tables,
        "audited": audited,
        "finding_groups": audit.groups,
        "audit_facts": audit.facts,
        "audit_sizes": audit.sizes,
        "audit_charts": audit.charts,
        "audit_tables": audit.tables,
        "audit_bars": [*ingest.bars, *audit.bars],
        "audit_notes": audit.notes,
    }


def _counts(source: str, file: str, counts: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: value for name, value in counts.items() if not isinstance(value, Mapping)}
    return {"source": source, **({"file": file} if file else {}), **numbers}


def _sizes(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each part: its rows, and what the base makes of them."""
    tokens = {row["part"]: row for row in audit.get("tokens") or ()}
    counts = audit.get("rows") or {}
    if not isinstance(counts, Mapping):
        return []
    own = [
        {"part": part, "rows": rows, **_token_cells(tokens.pop(part, None))} for part, rows in counts.items()
    ]
    return [*own, *({"part": part, "rows": row["rows"], **_token_cells(row)} for part, row in tokens.items())]


def _token_cells(row: Mapping[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {}
    share = f"{row['trained'] / row['tokens']:.0%}" if row["tokens"] else "none"
    return {
        "tokens": row["tokens"],
        "trained": row["trained"],
        "median row": row["median"],
        "95 % at most": row["p95"],
        "longest": row["longest"],
        f"over {row['max_length']:,}": row["over"],
        "share trained": share,
    }


def _without(rows: Sequence[Mapping[str, Any]] | None, column: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != column} for row in rows or ()]


def _languages(languages: Mapping[str, Mapping[str, int]]) -> list[Bars]:
    counts = Counter[str]()
    for found in languages.values():
        counts.update(found)
    return [bars("Languages, rows that are surely in one", dict(counts.most_common()))] if counts else []


def _charts(histograms: Sequence[Mapping[str, Any]]) -> Iterable[Chart]:
    """A histogram for each measure, of all parts together."""
    for what, caption in _WHAT.items():
        some = [one for one in histograms if one.get("what") == what and one.get("counts")]
        if some:
            counts = Counter[int]()
            for one in some:
                counts.update(dict(zip(one["edges"], one["counts"], strict=False)))
            last = max(one["edges"][-1] for one in some)
            edges = [edge for edge in EDGES if min(counts) <= edge < last]
            yield Chart(caption, columns(caption, [*edges, last], [counts[edge] for edge in edges]))


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


def _groups(findings: Sequence[Mapping[str, Any]]) -> list[Group]:
    """The findings by severity, the worst first; a severity that is not known comes last, under its own name."""
    found: dict[str, dict[tuple[str, str, str], list[Told]]] = {}
    for one in findings:
        severity = str(one.get("severity") or "info").lower()
        alike = found.setdefault(_ALIASES.get(severity, severity), {})
        alike.setdefault(_headed(one), []).append(_told(one))
    names = [
        *(name for name in _SEVERITIES if name in found),
        *(name for name in found if name not in _SEVERITIES),
    ]
    return [
        Group(
            name,
            *_SEVERITIES.get(name, ("note", "·", "")),
            [Finding(title, tuple(told), fix, recipe) for (title, fix, recipe), told in found[name].items()],
        )
        for name in names
    ]


def _headed(found: Mapping[str, Any]) -> tuple[str, str, str]:
    """A finding's title, what mends it, and the line for the recipe: equal ones are told together."""
    kind = str(found.get("kind") or "finding").replace("_", " ")
    return (
        clip(str(found.get("title") or kind), 120),
        clip(str(found.get("fix") or found.get("mend") or ""), 300),
        clip(str(found.get("recipe") or ""), 1000),
    )


def _told(found: Mapping[str, Any]) -> Told:
    examples = found.get("examples") or found.get("places") or ()
    listed = (
        (examples,) if isinstance(examples, str) else examples if isinstance(examples, list | tuple) else ()
    )
    message = found.get("message") or ""
    # a message says its own number
    times = fact(found["count"]) if found.get("count") is not None and not message else ""
    return Told(clip(str(message), 400), times, tuple(_where(item) for item in listed[:5]))


def _where(example: Any) -> Where:
    if not isinstance(example, Mapping):
        return Where(clip(fact(example), 140), "")
    place = example.get("place") or example.get("id") or ""
    return Where(clip(str(place), 140), clip(str(example.get("excerpt") or ""), 300))
