"""What an ingest set aside or passed over, as findings of an audit: rows that no other check ever sees.

found = set_aside(summary, folder / REJECTS, budget=0.01)
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tunewright.core.files import read_jsonl
from tunewright.data.audit.audit import Severity
from tunewright.data.audit.seen import ALL, SHOWN, Hits, Oddity, Scope, Shown
from tunewright.data.audit.whole import AuditFinding, finding_of
from tunewright.data.excerpt import excerpt
from tunewright.data.ingest import IngestSummary

KIND = "set_aside"


def set_aside(summary: IngestSummary, rejects: Path, budget: float) -> list[AuditFinding]:
    """Rows that became no examples, by the reason, with the first three: an error where more than `budget`, a share, of
    those that could be used were set aside. Conversations that were passed over are told beside them.

    `rejects` is the file that ingest wrote them to.
    """
    passed_over = sum((Counter(one.passed_over_for) for one in summary.sources.values()), Counter[str]())
    reasons = Counter(summary.reasons) - passed_over
    found = []
    if summary.rejects:
        of = summary.rows - summary.passed_over
        over = summary.rejects > budget * of
        most = f", and a project takes {budget:.2%} at most (data.reject_budget)" if over else ""
        share = Scope(ALL, of).share(summary.rejects)
        message = f"{share} cannot be used and are set aside: {_listed(reasons)}{most}."
        found.append(
            _told(message, summary.rejects, _first(rejects, passed_over=False), "error" if over else None)
        )
    if summary.passed_over:
        share = Scope(ALL, summary.rows).share(summary.passed_over)
        message = f"{share} are conversations that are passed over: {_listed(passed_over)}."
        found.append(_told(message, summary.passed_over, _first(rejects, passed_over=True), "info"))
    return found


def _told(message: str, count: int, rows: list[Shown], severity: Severity | None) -> AuditFinding:
    hits = Hits()
    hits.count, hits.shown = count, rows
    return finding_of(Oddity(KIND, hits, message, severity), None)


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{excerpt(reason, most=60)} {count:,}" for reason, count in reasons.most_common())


def _first(rejects: Path, *, passed_over: bool) -> list[Shown]:
    return [
        Shown(id="", place=f"{row['file']}:{row['row']}", excerpt=excerpt(row["reason"]))
        for row in islice(_rows(rejects, passed_over=passed_over), SHOWN)
    ]


def _rows(rejects: Path, *, passed_over: bool) -> Iterator[dict[str, Any]]:
    return (row for row in read_jsonl(rejects) if row.get("passed_over", False) == passed_over)
