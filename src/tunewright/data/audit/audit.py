"""Audit: what is odd in a data set, before anything is trained on it.

    audit({"train": …, "dev": …, "test": …})   or, before a split, audit({"all": …})

Rows are compared normalised (`data/normal.py`). A leak is the same question (or document), whatever system message
stands before it; a contradiction is the same whole prompt, a duplicate the same whole row. What a recipe dropped before
is told, too: nothing goes in silence. Rows may lie in files: of each some hashes are kept (`data/keyed.py`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from tunewright.core.example import Example
from tunewright.data.audit.close import close_rows
from tunewright.data.audit.kinds import costs
from tunewright.data.audit.seen import ALL
from tunewright.data.excerpt import excerpt, label_excerpt
from tunewright.data.keyed import Keyed, Places, Read, keyed
from tunewright.data.labels import RARE, LabelRow, LabelTable
from tunewright.data.lengths import LengthRow, length_rows
from tunewright.data.recipe import OpResult
from tunewright.data.repeats import is_repeat
from tunewright.data.straddle import first_equal

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
    "split",
    "reviewed",
    "written",
    "replaced",
    "dropped",
]

TRAIN = "train"
SHOWN = 3
MOST_PAIRS = 20
QUICK = 5_000_000
"""Characters that are looked over in about a second."""
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
    "split": ("info", "split: leave these settings out to share rows out by chance"),
    "reviewed": ("info", "tunewright data review: look at more rows"),
    "written": ("info", "recipe: look at some (tunewright data preview), and drop_near_duplicates"),
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
    """The first row's last user message, as an excerpt (data/excerpt.py)."""
    answers: tuple[str, str]
    """What the two answer, likewise."""


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

    def with_recipe(self, recipe: Sequence[OpResult]) -> "Audit":
        """The same, with what was done to the rows before."""
        told = (
            *_reviewed_findings(recipe),
            *_written_findings(recipe),
            *_replaced_findings(recipe),
            *_dropped_findings(recipe),
        )
        return self.model_copy(update={"findings": _in_order((*self.findings, *told))})


def audit(
    parts: Mapping[str, Sequence[Example]],
    recipe: Sequence[OpResult] = (),
    *,
    deep: bool = False,
    split: Sequence[str] = (),
    kinds: Collection[str] | None = None,
    workers: int = 1,
    read: Read | None = None,
) -> Audit:
    """Look the parts over; `recipe` is what was done to the rows before, `split` what is to be known of how they were shared
    out, `read` what was worked out of them then. Equal parts give an equal audit. Of `kinds` alone, nothing is looked at
    that these do not need.

    A `deep` one also looks for personal data, secrets, near duplicates and too few rows: some milliseconds a row. Rows of
    dev and test that are nearly copies are looked for in QUICK characters or less, and in more by a deep one alone.
    """
    wanted = None if kinds is None else frozenset(kinds)
    asked = costs(wanted)
    compared = (
        _compared(keyed(parts, workers, read), bool(parts.get(TRAIN))) if "compared" in asked else _Compared()
    )
    counts = {part: len(rows) for part, rows in parts.items()}
    findings = [
        *compared.findings,
        *(_near_findings(parts) if "close" in asked and (deep or compared.said_chars <= QUICK) else ()),
        *(_deep_findings(parts, wanted) if deep else ()),
        *(_made("split", sum(counts.values()), [], f"the split: {note}.", None) for note in split),
    ]
    found = Audit(
        rows=counts,
        findings=_in_order(findings),
        leaks=compared.leaks,
        contradictions=compared.contradictions,
        labels=compared.labels,
        lengths=compared.lengths,
    )
    return found.with_recipe(recipe)


class _Compared(NamedTuple):
    """What rows have in common."""

    findings: tuple[Finding, ...] = ()
    leaks: tuple[str, ...] = ()
    contradictions: tuple[Pair, ...] = ()
    labels: tuple[LabelTable, ...] = ()
    lengths: tuple[LengthRow, ...] = ()
    said_chars: int = 0


def _compared(rows: Keyed, trained: bool) -> _Compared:
    """What is told by each row's keys; labels are told of rows that are trained."""
    tables = rows.labels.tables()
    leaks = _leaks(rows)
    groups = _contradicting(rows)
    findings = (
        *_leak_findings(rows, leaks),
        *_contradiction_findings(rows, groups),
        *_duplicate_findings(rows),
        *_trivial_findings(rows),
        *(_label_findings(tables) if trained else ()),
    )
    pairs = tuple(_pair(rows, group) for group in groups[:MOST_PAIRS])
    return _Compared(
        findings, tuple(rows.names(leaks)), pairs, tuple(tables), tuple(length_rows(rows)), rows.said_chars
    )


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    kinds = list(_KINDS)
    return tuple(sorted(findings, key=lambda finding: kinds.index(finding.kind)))


def _leaks(rows: Keyed) -> Places:
    """Rows outside train that ask what a row of train asks."""
    if TRAIN not in rows.rows:
        return np.zeros(0, np.int64)
    outside = np.flatnonzero(rows.part != list(rows.rows).index(TRAIN))
    return outside[np.isin(rows.asked[outside], rows.asked[rows.of(TRAIN)])]


def _leak_findings(rows: Keyed, leaks: Places) -> list[Finding]:
    findings = []
    for at, (part, some) in enumerate(rows.rows.items()):
        if len(mine := leaks[rows.part[leaks] == at]):
            share = _share(len(mine), len(some))
            verb = "say" if rows.document[mine].all() else "ask"
            message = f"{share} of {part} {verb} what a row of train {verb}s: scores on {part} would flatter."
            findings.append(_finding("leak", rows, mine, message, part))
    return findings


def _near_findings(parts: Mapping[str, Sequence[Example]]) -> list[Finding]:
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


def _contradicting(rows: Keyed) -> list[Places]:
    """Rows with one prompt and different answers, by prompt. A badly rated answer contradicts no good one."""
    good = np.flatnonzero(rows.good)
    first = first_equal(rows.prompt[good])
    other = rows.answer[good] != rows.answer[good][first]
    bad = np.unique(first[other])
    mine = np.flatnonzero(np.isin(first, bad))
    mine = mine[np.argsort(first[mine], kind="stable")]
    ends = np.flatnonzero(np.diff(first[mine])) + 1
    return np.split(good[mine], ends) if len(mine) else []


def _pair(rows: Keyed, group: Places) -> Pair:
    answers = rows.answer[group]
    second = rows.example(int(group[np.flatnonzero(answers != answers[0])[0]]))
    first = rows.example(int(group[0]))
    return Pair(
        first=first.id,
        second=second.id,
        input=excerpt(first.input_text),
        answers=(excerpt(first.expected), excerpt(second.expected)),
    )


def _contradiction_findings(rows: Keyed, groups: list[Places]) -> list[Finding]:
    if not groups:
        return []
    odd = np.concatenate(groups)
    share = _share(len(odd), len(rows.ids))
    message = f"{share} ask what another row asks and are answered differently ({len(groups):,} inputs)."
    return [_finding("contradiction", rows, odd, message)]


def _duplicate_findings(rows: Keyed) -> list[Finding]:
    findings = []
    first = first_equal(rows.whole)
    across = []
    for part, some in rows.rows.items():
        places = rows.of(part)
        own = first_equal(rows.whole[places])
        again = own != np.arange(len(places))
        if told := _told_again(own, again, some):
            message = f"{_share(len(told), len(some))}{_of(part)} repeat an earlier row of it."
            findings.append(_finding("duplicate", rows, places[told], message, part))
        across.append(places[~again & (rows.part[first[places]] != rows.part[places])])
    if len(odd := np.concatenate([*across, np.zeros(0, np.int64)])):
        message = f"{_share(len(odd), len(rows.ids))} stand in an earlier part as well, answer and all."
        findings.append(_finding("duplicate_across", rows, odd, message))
    return findings


def _told_again(first: Places, again: npt.NDArray[np.bool_], rows: Sequence[Example]) -> list[int]:
    """The rows that stand again without being marked: what mix and balance repeated does so on purpose, and a repetition may
    well stand before its row."""
    known = {at for at in np.unique(first[again]).tolist() if not is_repeat(rows[at])}
    told = []
    for at in np.flatnonzero(again).tolist():
        if not is_repeat(rows[at]):
            if first[at] in known:
                told.append(at)
            known.add(int(first[at]))
    return told


def _trivial_findings(rows: Keyed) -> list[Finding]:
    """Answers that say nothing; a badly rated one may well."""
    findings = []
    for part in rows.rows:
        places = rows.of(part)
        good = places[rows.good[places]]
        if len(trivial := good[rows.trivial[good]]):
            shown = excerpt(rows.example(int(trivial[0])).expected.strip(), most=20)
            message = f"{_share(len(trivial), len(good))}{_of(part)} answer nothing ({shown!r})."
            findings.append(_finding("trivial_answer", rows, trivial, message, part))
    return findings


def _label_findings(tables: list[LabelTable]) -> list[Finding]:
    findings = []
    for table in tables:
        of = f" of {excerpt(table.field)}" if table.field else ""
        unseen = [row for row in table.rows if not row.counts[TRAIN]]
        rare = [row for row in table.rows if 0 < row.counts[TRAIN] < RARE]
        if unseen:
            message = f"{_values(unseen, of)} in dev or test alone: {_named(unseen)}."
            findings.append(_label_finding("unseen_label", unseen, message))
        if rare:
            message = f"{_values(rare, of)} in fewer than {RARE} rows of train: {_named(rare)}."
            findings.append(_label_finding("rare_label", rare, message))
    return findings


def _deep_findings(parts: Mapping[str, Sequence[Example]], kinds: frozenset[str] | None) -> list[Finding]:
    from tunewright.data.audit.deep import deep

    return [
        _made(one.kind, one.odd, list(one.examples), one.message, one.part, one.severity)
        for part, rows in parts.items()
        for one in deep(part, rows, trained=part in (TRAIN, "all"), kinds=kinds)
    ]


def _reviewed_findings(recipe: Sequence[OpResult]) -> list[Finding]:
    """What people found who reviewed rows, and what that says of the rows that nobody looked at."""
    return [
        _made("reviewed", step.rows_in, [], f"{step.id}: {note}.", None)
        for step in recipe
        if step.op == "review"
        for note in step.notes
    ]


def _written_findings(recipe: Sequence[OpResult]) -> list[Finding]:
    """Rows that operations wrote, and what they say of them."""
    return [
        _made("written", step.added, [], f"{step.id} wrote {step.added:,} rows. {' '.join(step.notes)}", None)
        for step in recipe
        if step.op == "generate"
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
            why = excerpt(reason, most=200)
            message = f"{step.id} dropped {share} and kept {step.rows_out:,}; the first is {place}: {why}."
            places = tuple(place for place, _ in step.first[:SHOWN])
            made = _made("dropped", step.dropped, [], message, None)
            findings.append(made.model_copy(update={"places": places}))
    return findings


def _values(rows: list[LabelRow], of: str) -> str:
    return f"1 value{of} stands" if len(rows) == 1 else f"{len(rows):,} values{of} stand"


def _named(rows: list[LabelRow]) -> str:
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return ", ".join(label_excerpt(row.value, most=40) for row in rows[:SHOWN]) + more


def _finding(kind: Kind, rows: Keyed, places: Places, message: str, part: str | None = None) -> Finding:
    return _made(kind, len(places), rows.names(places[:SHOWN]), message, part)


def _label_finding(kind: Kind, rows: list[LabelRow], message: str) -> Finding:
    return _made(kind, len(rows), [row.example for row in rows], message, None)


def _made(
    kind: Kind, count: int, ids: list[str], message: str, part: str | None, instead: Severity | None = None
) -> Finding:
    severity, mend = _KINDS[kind]
    return Finding(
        kind=kind,
        severity=instead or severity,
        part=part,
        count=count,
        message=message,
        examples=tuple(ids[:SHOWN]),
        mend=mend,
    )


def _share(count: int, rows: int) -> str:
    share = count / rows
    return f"{count:,} of {rows:,} rows ({'under 0.1%' if 0 < share < 0.0005 else f'{share:.1%}'})"


def _of(part: str) -> str:
    """` of train`; nothing of a data set that is not split."""
    return "" if part == ALL else f" of {part}"
