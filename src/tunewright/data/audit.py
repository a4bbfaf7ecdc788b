"""Audit: what is odd in a data set, before anything is trained on it.

    audit({"train": …, "dev": …, "test": …})   or, before a split, audit({"all": …})

Rows are compared normalised (`data/normal.py`). A leak is the same question (or document), whatever system message
stands before it; a contradiction is the same whole prompt, a duplicate the same whole row. What a recipe dropped before
is told, too: nothing goes in silence.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.data.audit_close import close_rows
from tunewright.data.keyed import Keyed, Parts, keyed_parts
from tunewright.data.labels import RARE, LabelRow, LabelTable, label_tables
from tunewright.data.lengths import LengthRow, length_rows
from tunewright.data.normal import normal_text
from tunewright.data.recipe import OpResult

Severity = Literal["error", "warning", "info"]
Kind = Literal[
    "leak",
    "duplicate_across",
    "near_leak",
    "secret",
    "personal_data",
    "contradiction",
    "duplicate",
    "near_duplicate",
    "few_rows",
    "trivial_answer",
    "unseen_label",
    "rare_label",
    "replaced",
    "dropped",
]

TRAIN = "train"
SHOWN = 3
MOST_PAIRS = 20
QUICK = 5_000_000
"""Characters that are looked over in about a second."""
_NOTHINGS = {"n/a", "nan", "null", "nil", "tbd", "todo", "undefined"}
_KINDS: dict[Kind, tuple[Severity, str]] = {
    "leak": ("error", "split: leave `column` out, so that equal inputs stay in one part"),
    "duplicate_across": ("error", "recipe: drop_duplicates"),
    "near_leak": ("warning", "recipe: drop_near_duplicates"),
    "secret": ("error", "recipe: redact"),
    "personal_data": ("warning", "recipe: redact"),
    "contradiction": ("warning", "recipe: drop_contradictions"),
    "duplicate": ("warning", "recipe: drop_duplicates"),
    "near_duplicate": ("warning", "recipe: drop_near_duplicates"),
    "few_rows": ("warning", "source: add rows"),
    "trivial_answer": ("warning", "source: answer these rows, or remove them"),
    "unseen_label": ("warning", "source: add rows with these values"),
    "rare_label": ("info", "source: add rows with these values"),
    "replaced": ("info", "recipe: leave the operation out, if these are wanted"),
    "dropped": ("info", "recipe: leave the operation out, if its rows are wanted"),
}
"""How bad each kind is, and what mends it; the worst first."""


class Finding(BaseModel):
    """One kind of oddity: how bad, how often, where to look, and what mends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    severity: Severity
    part: str | None
    """The part it stands in, or None where it is about several."""
    count: int
    """How many rows (values, for the label kinds) it is about."""
    message: str
    examples: tuple[str, ...]
    """Up to three example ids."""
    places: tuple[str, ...] = ()
    """Up to three places of rows that the recipe dropped: they are in no part."""
    mend: str
    """The operation or setting that mends it."""


class Pair(BaseModel):
    """Two rows with the same prompt that answer differently."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    second: str
    """Example ids."""
    input: str
    """The first row's last user message, cut to 200 characters."""
    answers: tuple[str, str]
    """What the two answer, cut likewise."""


class Audit(BaseModel):
    """All of it, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[str, int]
    """Part → rows."""
    findings: tuple[Finding, ...]
    """The worst first."""
    leaks: tuple[str, ...]
    """Ids of the dev and test rows whose input stands in train as well."""
    contradictions: tuple[Pair, ...]
    """Up to twenty inputs with different answers."""
    labels: tuple[LabelTable, ...]
    """One table for the whole answer where answers are few, or one for each field of few values in JSON answers."""
    lengths: tuple[LengthRow, ...]
    """Characters of inputs and answers, by part."""


def audit(parts: dict[str, list[Example]], recipe: Sequence[OpResult] = (), *, deep: bool = False) -> Audit:
    """Look the parts over; `recipe` is what was done to the rows before. Equal parts give an equal audit.

    A `deep` one also looks for personal data, secrets, near duplicates and too few rows: some milliseconds a row. Rows of
    dev and test that are nearly copies are looked for in QUICK characters or less, and in more by a deep one alone.
    """
    keyed = keyed_parts(parts)
    # a badly rated answer is no label, may well say nothing, and contradicts no good one
    good = {part: [row for row in rows if row.example.desirable] for part, rows in keyed.items()}
    tables = label_tables({part: [row.example for row in rows] for part, rows in good.items()})
    leaks = _leaks(keyed)
    groups = _contradicting(good)
    findings = [
        *_leak_findings(keyed, leaks),
        *(_near_findings(parts) if deep or _chars(parts) <= QUICK else ()),
        *_contradiction_findings(keyed, groups),
        *_duplicate_findings(keyed),
        *_trivial_findings(good),
        *(_label_findings(tables) if parts.get(TRAIN) else ()),
        *(_deep_findings(parts) if deep else ()),
        *_replaced_findings(recipe),
        *_dropped_findings(recipe),
    ]
    kinds = list(_KINDS)
    return Audit(
        rows={part: len(rows) for part, rows in parts.items()},
        findings=tuple(sorted(findings, key=lambda finding: kinds.index(finding.kind))),
        leaks=tuple(row.example.id for row in leaks),
        contradictions=tuple(_pair(group) for group in groups[:MOST_PAIRS]),
        labels=tuple(tables),
        lengths=tuple(length_rows(parts)),
    )


def _leaks(parts: Parts) -> list[Keyed]:
    trained = {row.input for row in parts.get(TRAIN, ())}
    return [row for part, rows in parts.items() if part != TRAIN for row in rows if row.input in trained]


def _leak_findings(parts: Parts, leaks: list[Keyed]) -> list[Finding]:
    findings = []
    for part, rows in parts.items():
        if mine := [row for row in leaks if row.part == part]:
            share = _share(len(mine), len(rows))
            verb = "say" if all(row.example.is_document for row in mine) else "ask"
            message = f"{share} of {part} {verb} what a row of train {verb}s: scores on {part} would flatter."
            findings.append(_finding("leak", mine, message, part))
    return findings


def _chars(parts: dict[str, list[Example]]) -> int:
    return sum(len(row.input_text) for rows in parts.values() for row in rows)


def _near_findings(parts: dict[str, list[Example]]) -> list[Finding]:
    """Rows of dev and test that are closer to a row of train than the rows are to each other."""
    findings = []
    for close in close_rows(parts, TRAIN):
        message = (
            f"{_share(len(close.pairs), close.looked)} of {close.part} are nearly what a row of train says, closer than its"
            f" rows are to each other, and more than chance makes: scores on {close.part} may flatter."
        )
        ids = [name for pair in close.pairs for name in pair]
        findings.append(_made("near_leak", len(close.pairs), ids, message, close.part))
    return findings


def _contradicting(parts: Parts) -> list[list[Keyed]]:
    groups: dict[str, list[Keyed]] = {}
    for rows in parts.values():
        for row in rows:
            groups.setdefault(row.prompt, []).append(row)
    return [group for group in groups.values() if len({row.answer for row in group}) > 1]


def _pair(group: list[Keyed]) -> Pair:
    first = group[0].example
    second = next(row.example for row in group if row.answer != group[0].answer)
    return Pair(
        first=first.id,
        second=second.id,
        input=first.input_text[:200],
        answers=(first.expected[:200], second.expected[:200]),
    )


def _contradiction_findings(parts: Parts, groups: list[list[Keyed]]) -> list[Finding]:
    rows = [row for group in groups for row in group]
    share = _share(len(rows), _size(parts)) if rows else ""
    message = f"{share} ask what another row asks and are answered differently ({len(groups):,} inputs)."
    return [_finding("contradiction", rows, message)] if rows else []


def _duplicate_findings(parts: Parts) -> list[Finding]:
    findings = []
    first_part: dict[str, str] = {}
    across: list[Keyed] = []
    for part, rows in parts.items():
        seen: set[str] = set()
        again: list[Keyed] = []
        for row in rows:
            if row.whole in seen:
                again.append(row)
            elif first_part.setdefault(row.whole, part) != part:
                across.append(row)
            seen.add(row.whole)
        if again:
            message = f"{_share(len(again), len(rows))} of {part} repeat an earlier row of it."
            findings.append(_finding("duplicate", again, message, part))
    if across:
        message = f"{_share(len(across), _size(parts))} stand in an earlier part as well, answer and all."
        findings.append(_finding("duplicate_across", across, message))
    return findings


def _trivial_findings(parts: Parts) -> list[Finding]:
    findings = []
    for part, rows in parts.items():
        if trivial := [row for row in rows if _is_trivial(row.example)]:
            shown = trivial[0].example.expected.strip()[:20]
            message = f"{_share(len(trivial), len(rows))} of {part} answer nothing ({shown!r})."
            findings.append(_finding("trivial_answer", trivial, message, part))
    return findings


def _is_trivial(example: Example) -> bool:
    answer = example.expected
    if example.is_document:
        return not answer.strip()
    return not any(letter.isalnum() for letter in answer) or normal_text(answer) in _NOTHINGS


def _label_findings(tables: list[LabelTable]) -> list[Finding]:
    findings = []
    for table in tables:
        of = f" of {table.field}" if table.field else ""
        unseen = [row for row in table.rows if not row.counts[TRAIN]]
        rare = [row for row in table.rows if 0 < row.counts[TRAIN] < RARE]
        if unseen:
            message = f"{len(unseen)} value(s){of} stand in dev or test alone: {_named(unseen)}."
            findings.append(_label_finding("unseen_label", unseen, message))
        if rare:
            message = f"{len(rare)} value(s){of} have fewer than {RARE} rows in train: {_named(rare)}."
            findings.append(_label_finding("rare_label", rare, message))
    return findings


def _deep_findings(parts: dict[str, list[Example]]) -> list[Finding]:
    from tunewright.data.audit_deep import deep

    return [
        _made(one.kind, one.odd, list(one.examples), one.message, one.part)
        for part, rows in parts.items()
        for one in deep(part, rows, trained=part in (TRAIN, "all"))
    ]


def _replaced_findings(recipe: Sequence[OpResult]) -> list[Finding]:
    """What operations counted in rows, and what they say that they did not look for."""
    findings = []
    for step in recipe:
        if step.tally:
            found = ", ".join(f"{what} {number:,}" for what, number in step.tally.items())
            notes = f" ({'; '.join(step.notes)})" if step.notes else ""
            message = f"{step.id} replaced in {_share(step.changed, step.rows_in)}: {found}{notes}."
            findings.append(_made("replaced", step.changed, [], message, None))
    return findings


def _dropped_findings(recipe: Sequence[OpResult]) -> list[Finding]:
    findings = []
    for step in recipe:
        if step.dropped:
            place, reason = step.first[0]
            share = _share(step.dropped, step.rows_in)
            message = f"{step.id} dropped {share} and kept {step.rows_out:,}; the first is {place}: {reason}."
            places = tuple(place for place, _ in step.first[:SHOWN])
            made = _made("dropped", step.dropped, [], message, None)
            findings.append(made.model_copy(update={"places": places}))
    return findings


def _named(rows: list[LabelRow]) -> str:
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return ", ".join(row.value[:40] for row in rows[:SHOWN]) + more


def _finding(kind: Kind, rows: list[Keyed], message: str, part: str | None = None) -> Finding:
    return _made(kind, len(rows), [row.example.id for row in rows], message, part)


def _label_finding(kind: Kind, rows: list[LabelRow], message: str) -> Finding:
    return _made(kind, len(rows), [row.example for row in rows], message, None)


def _made(kind: Kind, count: int, ids: list[str], message: str, part: str | None) -> Finding:
    severity, mend = _KINDS[kind]
    return Finding(
        kind=kind,
        severity=severity,
        part=part,
        count=count,
        message=message,
        examples=tuple(ids[:SHOWN]),
        mend=mend,
    )


def _size(parts: Parts) -> int:
    return sum(len(rows) for rows in parts.values())


def _share(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} rows ({count / rows:.1%})"
