"""What other files share with rows of an audit: the test file of another tool, held against what it trains on.

held = read_against((Path("test.jsonl"),), root)          # first, so that a name that is wrong costs no audit
findings, notes = leaks_against(held, rows, "all")
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.files import read_jsonl, write_atomic
from tunewright.data.audit.seen import ALL
from tunewright.data.audit.whole import AuditFinding
from tunewright.data.files import shown_name
from tunewright.data.ingest import REJECTS, IngestSummary, SourceSummary
from tunewright.data.spec import TEXT, DataSpec, SourceSpec
from tunewright.evals.leaks import leaks, near_leaks
from tunewright.evals.suite import Suite
from tunewright.project.audit_questions import Place, as_asked, questions
from tunewright.project.audit_reading import ReadRows, read_rows, source_of
from tunewright.project.set_aside import set_aside
from tunewright.project.suite_leaks import KINDS, leak_finding, near_note

_LOOKS = {"leak": leaks, "near_leak": near_leaks}
_FIX = "Save the file with the columns of the rows that are trained, or as conversations (messages)."


class Against(NamedTuple):
    """A file that rows are held against."""

    suite: Suite
    recipe: str
    """The line that drops rows which it asks, with its name seen from the root; none where no operation reads it."""
    aside: tuple[AuditFinding, ...]
    """Its rows that could not be read, which nothing is held against."""


def read_against(
    files: Sequence[Path],
    root: Path,
    columns: dict[str, str] | None = None,
    form: str | None = None,
    file_format: str | None = None,
) -> list[Against]:
    """Read each file as `columns`, `form` or the format say, or, where it has no such row, as its first rows do.

    Raises DataError where a file cannot be read.
    """
    found = []
    for path in files:
        with TemporaryDirectory() as scratch:
            rows, source, aside = _read(path, columns, form, file_format, Path(scratch))
        suite = Suite(str(path), tuple(rows), lambda _: (), ())
        unread = [one.model_copy(update={"message": f"{path}, held against: {one.message}"}) for one in aside]
        found.append(Against(suite, _recipe(source, root), tuple(unread)))
    return found


def leaks_against(
    held: Sequence[Against], rows: Sequence[Example], part: str, kinds: Collection[str] = KINDS
) -> tuple[list[AuditFinding], list[str]]:
    """What each file shares with the rows, word for word and nearly, as far as `kinds` asks, and what was not looked at."""
    where = None if part == ALL else part
    findings, notes = list[AuditFinding](), list[str]()
    for suite, recipe, aside in held:
        findings += aside
        suite = suite._replace(examples=as_asked(suite.examples, rows))
        for kind in KINDS:
            found = _LOOKS[kind]([suite], rows) if kind in kinds else {}
            findings += [leak_finding(name, leak, where, kind, recipe=recipe) for name, leak in found.items()]
        if "near_leak" in kinds and (note := near_note({suite.name: len(suite.examples)}, len(rows))):
            notes.append(note)
    return findings, notes


class _Read(NamedTuple):
    rows: list[Example]
    source: SourceSpec
    aside: list[AuditFinding]


def _read(
    path: Path, columns: dict[str, str] | None, form: str | None, file_format: str | None, scratch: Path
) -> _Read:
    """The file's rows. What was told of other rows may not be true of these."""
    for place, how in enumerate(((columns, form, file_format), (None, None, file_format))):
        if any(how):
            try:
                return _read_as(path, *how, scratch / str(place))
            except DataError:
                pass
    return _read_as(path, None, None, None, scratch / "guessed")


def _read_as(
    path: Path, columns: dict[str, str] | None, form: str | None, file_format: str | None, out: Path
) -> _Read:
    """Raises DataError where no row can be used, nor its question be read."""
    try:
        read = read_rows(path, columns, form, out, file_format=file_format, as_typed=True, fix=_FIX)
    except DataError:
        asked = _questions_alone(path, columns, form, file_format, out)
        if not asked.rows:
            raise
        return asked
    return _with_questions(read)


def _with_questions(read: ReadRows) -> _Read:
    """The rows, and what those ask that cannot be used."""
    source = read.source.spec
    unread = {_place(row) for row in read_jsonl(read.rejects)}
    asked = questions(source, Path.cwd(), unread) if unread else []
    return _Read([*read.rows, *asked], source, _aside(read.rejects, len(read.rows), asked))


def _questions_alone(
    path: Path, columns: dict[str, str] | None, form: str | None, file_format: str | None, out: Path
) -> _Read:
    """What a file asks in which no row can be used."""
    try:
        source = source_of(path, columns, form, file_format, as_typed=True).spec
    except DataError:
        return _Read([], SourceSpec(path=str(path)), [])
    asked = questions(source, Path.cwd())
    rejects = out / REJECTS
    return _Read(asked, source, _aside(rejects, 0, asked) if rejects.exists() else [])


def _aside(rejects: Path, read: int, asked: Sequence[Example]) -> list[AuditFinding]:
    """What is said of rows that were set aside and of which not even the question is known."""
    known = {(one.origin.file, one.origin.row) for one in asked if one.origin is not None}
    left = [row for row in read_jsonl(rejects) if _place(row) not in known]
    write_atomic(rejects, "".join(json.dumps(row) + "\n" for row in left))
    reasons = Counter(row["reason"].partition(":")[0] for row in left)
    passed = Counter(row["reason"].partition(":")[0] for row in left if row.get("passed_over"))
    counts = {
        "rows": read + len(asked) + len(left),
        "examples": read + len(asked),
        "rejects": len(left) - passed.total(),
        "passed_over": passed.total(),
    }
    source = SourceSummary(**counts, files={}, passed_over_for=dict(passed))
    summary = IngestSummary(**counts, sources={"rows": source}, reasons=dict(reasons))
    return set_aside(summary, rejects, DataSpec().reject_budget)


def _place(row: dict[str, Any]) -> Place:
    return row["file"], row["row"]


def _recipe(source: SourceSpec, root: Path) -> str:
    """The line that drops rows which the file asks; none where its rows are of a form, or a format that no ending tells:
    the operation does not read them."""
    if source.form is not None or source.format != "auto":
        return ""
    column = source.columns.get("input") or source.columns.get(TEXT)
    asked = f", column: {_quoted(column)}" if column else ""
    path = source.path if source.on_hub else shown_name(Path.cwd() / source.path, root)
    return f"{{op: decontaminate, against: [{_quoted(path)}]{asked}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
