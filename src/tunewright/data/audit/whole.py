"""The whole audit of a data set: what `data/audit/audit.py` compares across rows and parts, and what each row holds.

    found = whole_audit({"train": …, "dev": …, "test": …}, accounts, method="sft")

Each finding has its examples with what stands there, and what mends it as a line for the recipe. Rows may lie in files:
they are read by place and once more from the first to the last.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.core.task import JsonOutput
from tunewright.data.audit.audit import TRAIN, Audit, Finding, Pair, Severity, audit
from tunewright.data.audit.content import Reading
from tunewright.data.audit.drawn import Drawn, in_some
from tunewright.data.audit.kinds import KINDS, costs
from tunewright.data.audit.labels import label_oddities
from tunewright.data.audit.languages import MISSING
from tunewright.data.audit.lengths import Histogram
from tunewright.data.audit.rows import row_oddities
from tunewright.data.audit.seen import ALL, Oddity, Scope, Shown, shown
from tunewright.data.excerpt import excerpt, label_excerpt
from tunewright.data.labels import LabelTable
from tunewright.data.lengths import LengthRow
from tunewright.data.recipe import OpResult

PERSONAL_CHARS = 3_000_000
"""Characters in which a report looks for personal data, secrets and near duplicates: some seconds."""
_NAMELESS = frozenset({"secret", "personal_data"})
"""Kinds whose examples are never shown as text."""
_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


class AuditFinding(BaseModel):
    """One kind of oddity: how bad, how often, where to look, and what mends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    """docs/audit.md lists them."""
    title: str
    severity: Severity
    part: str | None
    """The part it stands in, or None where it is about several."""
    count: int
    """How many rows (values, for labels) it is about."""
    message: str
    examples: tuple[Shown, ...]
    """Up to three."""
    mend: str
    """What mends it, in words."""
    recipe: str = ""
    """The operation that mends it, as a line for the recipe; empty where no operation does."""


class TokenRow(BaseModel):
    """What the base reads of a part, with the task's prompt and its template."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    rows: int
    """Rows as they are trained: a pair is two, a long document several."""
    tokens: int
    trained: int
    """Tokens that the loss looks at."""
    median: int
    p95: int
    longest: int
    """Tokens of a row."""
    over: int
    """Rows of more than `max_length` tokens."""
    max_length: int
    base: str


class WholeAudit(BaseModel):
    """All of it, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[str, int]
    """Part → rows."""
    findings: tuple[AuditFinding, ...]
    """The worst first."""
    contradictions: tuple[Pair, ...]
    """Up to twenty inputs with different answers; personal data and secrets are replaced."""
    labels: tuple[LabelTable, ...]
    lengths: tuple[LengthRow, ...]
    """Characters of inputs and answers, by part."""
    histograms: tuple[Histogram, ...]
    tokens: tuple[TokenRow, ...] = ()
    """By part, where a base was looked at."""
    languages: dict[str, dict[str, int]] = {}
    """Part → language → rows that are surely in it, of those looked at."""
    notes: tuple[str, ...] = ()
    """What was not looked at, and why."""

    def count(self, severity: Severity) -> int:
        """Findings of that severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def holds(self, fail_on: Severity = "error") -> bool:
        """Whether nothing was found that is as bad as this, or worse."""
        return all(_RANK[finding.severity] > _RANK[fail_on] for finding in self.findings)


def whole_audit(
    parts: Mapping[str, Sequence[Example]],
    accounts: Sequence[OpResult] = (),
    *,
    method: str | None = None,
    output: JsonOutput | None = None,
    kinds: Collection[str] | None = None,
    split: Sequence[Finding] = (),
    deep: bool = True,
    workers: int = 1,
) -> WholeAudit:
    """Look the parts over; `accounts` is what a recipe did to the rows before, `method` what they are to train, `output`
    what their answers are held against.

    `split` is what a split said of itself. Of `kinds` no others are looked for, and what only these need (labels, lengths)
    stays empty. Without `deep`, personal data and secrets are looked for in evenly drawn rows of about PERSONAL_CHARS
    characters, near duplicates not at all.
    """
    wanted = None if kinds is None else frozenset(kinds)
    asked = costs(wanted)
    base = audit(parts, accounts, deep=deep, kinds=wanted, workers=workers)
    some = None
    if not deep and "personal" in asked:
        some = in_some(parts, wanted, PERSONAL_CHARS)
        base = base.model_copy(update={"findings": (*base.findings, *some.findings)})
    names = {name for finding in base.findings for name in finding.examples}
    names |= {row.example for table in base.labels for row in table.rows}
    known: dict[str, Example] = {}

    def keep(row: Example) -> None:
        if row.id in names:
            known.setdefault(row.id, row)

    also = keep if names else None
    readings = [Reading(part, rows, wanted, output=output, also=also) for part, rows in parts.items()]
    findings = [
        *(_of_finding(one, known) for one in (*base.findings, *split) if one.kind != "few_rows"),
        *(_made(oddity, reading.scope.part) for reading in readings for oddity in reading.oddities()),
        *_of_all(base, [reading.scope for reading in readings], known, method),
    ]
    return WholeAudit(
        rows=base.rows,
        findings=in_order(finding for finding in findings if wanted is None or finding.kind in wanted),
        contradictions=base.contradictions,
        labels=tuple(map(_shown_table, base.labels)),
        lengths=base.lengths,
        histograms=tuple(
            one
            for reading in readings
            if reading.lengths is not None
            for one in reading.lengths.histograms(reading.scope.part)
        ),
        languages={
            reading.scope.part: dict(reading.languages.counts.most_common(12))
            for reading in readings
            if reading.languages is not None and reading.languages.counts
        },
        notes=tuple(_notes(readings, some, asked, wanted is None or "personal_data" in wanted)),
    )


def in_order(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """The worst first, then in the order of the kinds."""
    kinds = list(KINDS)
    return tuple(sorted(findings, key=lambda one: (_RANK[one.severity], kinds.index(one.kind))))


def finding_of(oddity: Oddity, part: str | None) -> AuditFinding:
    """A check's oddity as a finding."""
    return _made(oddity, part)


def _made(oddity: Oddity, part: str | None) -> AuditFinding:
    known = KINDS[oddity.kind]
    return AuditFinding(
        kind=oddity.kind,
        title=known.title,
        severity=oddity.severity or known.severity,
        part=part,
        count=oddity.hits.count,
        message=oddity.message,
        examples=tuple(oddity.hits.shown),
        mend=known.mend,
        recipe=known.recipe if oddity.recipe is None else oddity.recipe,
    )


def _of_finding(found: Finding, known: Mapping[str, Example]) -> AuditFinding:
    """A finding of the comparison, with what stands in its examples."""
    kind = KINDS[found.kind]
    rows = [known[name] for name in found.examples if name in known]
    examples = [shown(row, "" if found.kind in _NAMELESS else _said(row, found.kind)) for row in rows]
    return AuditFinding(
        kind=found.kind,
        title=kind.title,
        severity=found.severity,
        part=found.part,
        count=found.count,
        message=found.message,
        examples=(*examples, *(Shown(id="", place=place) for place in found.places)),
        mend=kind.mend,
        recipe=kind.recipe,
    )


def _said(row: Example, kind: str) -> str:
    return (
        row.expected if kind == "trivial_answer" or row.is_document else f"{row.input_text} → {row.expected}"
    )


def _of_all(
    base: Audit, scopes: Sequence[Scope], known: Mapping[str, Example], method: str | None
) -> Iterator[AuditFinding]:
    """What is to be said of the tables, and of the number of rows."""
    for oddity in label_oddities(base.labels, scopes):
        for at, one in enumerate(oddity.hits.shown):
            if one.id in known:
                oddity.hits.shown[at] = one.model_copy(update={"place": known[one.id].place})
        yield _made(oddity, None)
    for scope in scopes:
        trained = scope.part in (TRAIN, ALL)
        for oddity in row_oddities(scope, method, trained=trained, tested=scope.part == "test"):
            yield _made(oddity, scope.part)


def _shown_table(table: LabelTable) -> LabelTable:
    """The table as it may be shown."""
    rows = tuple(row.model_copy(update={"value": label_excerpt(row.value)}) for row in table.rows)
    return LabelTable(field=table.field and excerpt(table.field), rows=rows)


def _notes(
    readings: Sequence[Reading], some: Drawn | None, asked: frozenset[str], people: bool
) -> Iterator[str]:
    if some is not None:
        share = f"{some.looked:,} of {some.rows:,} rows ({some.looked / max(1, some.rows):.0%}), evenly drawn"
        near = "; near duplicates were not looked for" if "near" in asked else ""
        yield f"personal data and secrets were looked for in {share}{near}: `tunewright data audit` looks at all"
    if "languages" in asked and any(reading.languages is None for reading in readings):
        yield MISSING
    if people:
        from tunewright.data.redact.redactor import Redactor

        missed = Redactor().redact([""]).report.not_looked_for
        yield f"of personal data these were not looked for: {'; '.join(missed)}"
