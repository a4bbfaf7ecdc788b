"""What other files share with rows of an audit: the test file of another tool, held against what it trains on.

held = read_against((Path("test.jsonl"),), root)          # first, so that a name that is wrong costs no audit
findings, notes = leaks_against(held, rows, "all")
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.files import read_jsonl, write_atomic
from tunewright.data.audit.seen import ALL
from tunewright.data.audit.whole import AuditFinding
from tunewright.data.files import find_files, shown_name
from tunewright.data.ingest import REJECTS, IngestSummary, SourceSummary
from tunewright.data.questions import COLUMNS
from tunewright.data.rows import BadFile
from tunewright.data.sources import format_of_ending
from tunewright.data.spec import TEXT, DataSpec, SourceSpec
from tunewright.evals.leaks import leaks, near_leaks
from tunewright.evals.suite import Suite
from tunewright.project.audit_questions import Place, Questions, as_asked, compared_by, only_ask, questions
from tunewright.project.audit_reading import AsSource, read_rows, source_of
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
    notes: tuple[str, ...] = ()
    """How it was read, where that was not told or not as told."""
    told: bool = False
    """Whether its columns were told."""


def read_against(
    files: Sequence[Path],
    root: Path,
    columns: dict[str, str] | None = None,
    form: str | None = None,
    file_format: str | None = None,
    like: Path | None = None,
) -> list[Against]:
    """Read each file as `columns` or `form` say, or, where it has no such row, as its first rows do.

    The format was told of the file `like`: it is that of files with its ending, and of those whose own does not tell it.
    Raises DataError where a file cannot be read.
    """
    found = []
    for path in files:
        formats = [file_format]
        if file_format is not None:
            formats.insert(1 if _as_told(path, like) else 0, None)
        with TemporaryDirectory() as scratch:
            read = _read(path, columns, form, formats, Path(scratch))
        suite = Suite(str(path), tuple(read.rows), lambda _: (), ())
        unread = [
            one.model_copy(update={"message": f"{path}, held against: {one.message}"}) for one in read.aside
        ]
        how = (_recipe(read.source, root), tuple(unread), tuple(_notes(path, read)), read.told)
        found.append(Against(suite, *how))
    return found


def leaks_against(
    held: Sequence[Against], rows: Sequence[Example], part: str, kinds: Collection[str] = KINDS
) -> tuple[list[AuditFinding], list[str]]:
    """What each file shares with the rows, word for word and nearly, as far as `kinds` asks, and what was not looked at."""
    where = None if part == ALL else part
    findings, notes = list[AuditFinding](), list[str]()
    for suite, recipe, aside, how, told in held:
        findings += aside
        notes += how
        asked = as_asked(suite.examples, rows, told=told)
        suite = suite._replace(examples=asked.examples)
        notes += compared_by(Path(suite.name), asked.columns)
        for kind in KINDS:
            found = _LOOKS[kind]([suite], rows) if kind in kinds else {}
            findings += [leak_finding(name, leak, where, kind, recipe=recipe) for name, leak in found.items()]
        if "near_leak" in kinds and (note := near_note({suite.name: len(suite.examples)}, len(rows))):
            notes.append(note)
    return findings, notes


class _Read(NamedTuple):
    rows: list[Example]
    source: AsSource
    aside: list[AuditFinding]
    asked: Questions
    """Those of the rows that have no answer."""
    untold: str = ""
    """Why it was not read as told."""
    told: bool = False
    """Whether its columns were told."""


def _notes(path: Path, read: _Read) -> Iterator[str]:
    if read.untold:
        yield f"{path} could not be read as told ({read.untold.rstrip('.')}); read as: {read.source.why.rstrip('.')}"
    yield from compared_by(path, read.asked.columns)
    for file in read.asked.cut:
        yield f"what {file.partition(' ')[0]} asks was compared only as far as it can be read: {file}"


def _as_told(path: Path, like: Path | None) -> bool:
    """Whether a format that was told of the file `like` goes before what the path's own ending tells."""
    try:
        first = find_files(SourceSpec(path=str(path)), Path.cwd())[0].path
    except BadFile:
        return True
    return format_of_ending(first) in (None, like and format_of_ending(like))


def _read(
    path: Path, columns: dict[str, str] | None, form: str | None, formats: Sequence[str | None], scratch: Path
) -> _Read:
    """The file's rows, in the first of the formats (None: as its ending tells) in which some can be read. What was told of
    other rows may not be true of these: where none can be used so, they are read as they look."""
    told = [(columns, form), (None, None)] if columns or form else [(None, None)]
    tries = [(*how, file_format) for file_format in formats for how in told]
    errors = list[DataError]()
    for how in tries:
        try:
            read = _read_as(path, *how, scratch / str(len(errors)))
        except DataError as error:
            errors.append(error)
        else:
            refused = (error.message for one, error in zip(tries, errors, strict=False) if any(one))
            return read._replace(untold=next(refused, ""), told=bool(how[0]))
    raise errors[len(told) - 1]


def _read_as(
    path: Path, columns: dict[str, str] | None, form: str | None, file_format: str | None, out: Path
) -> _Read:
    """Raises DataError where no row can be used, nor its question be read."""
    guessed = not (columns or form)
    try:
        read = read_rows(path, columns, form, out, file_format=file_format, as_typed=True, fix=_FIX)
    except DataError:
        alone = _questions_alone(path, columns, form, file_format, out)
        if alone is None:
            raise
        return alone
    if guessed and only_ask(read.source.spec):
        source = read.source._replace(spec=_without_columns(read.source.spec))
        asked = questions(source.spec, Path.cwd())
        if asked.rows:
            return _Read(asked.rows, source, _aside(read.rejects, 0, asked.rows), asked)
    unread = {_place(row) for row in read_jsonl(read.rejects)}
    asked = questions(read.source.spec, Path.cwd(), unread, guessed=guessed)
    aside = _aside(read.rejects, len(read.rows), asked.rows)
    return _Read([*read.rows, *asked.rows], read.source, aside, asked)


def _questions_alone(
    path: Path, columns: dict[str, str] | None, form: str | None, file_format: str | None, out: Path
) -> _Read | None:
    """What a file asks in which no row can be used, where it asks something."""
    guessed = not (columns or form)
    try:
        source = source_of(path, columns, form, file_format, as_typed=True)
    except DataError:
        return None
    asked = questions(source.spec, Path.cwd(), guessed=guessed)
    if not asked.rows:
        return None
    if guessed and all(keys[0] in COLUMNS for keys in asked.columns):
        source = source._replace(spec=_without_columns(source.spec))
    rejects = out / REJECTS
    return _Read(asked.rows, source, _aside(rejects, 0, asked.rows) if rejects.exists() else [], asked)


def _without_columns(source: SourceSpec) -> SourceSpec:
    """The same where it is not known before which column a row asks by."""
    return source.model_copy(update={"columns": {}})


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


def _recipe(read: AsSource, root: Path) -> str:
    """The line that drops rows which the file asks; none where its rows are of a form, or a format that no ending tells:
    the operation does not read them."""
    source = read.spec
    if source.form is not None or source.format not in ("auto", format_of_ending(Path(source.path))):
        return ""
    column = source.columns.get("input") or source.columns.get(TEXT)
    asked = f", column: {_quoted(column)}" if column else ""
    path = source.path if source.on_hub else shown_name(Path.cwd() / source.path, root)
    return f"{{op: decontaminate, against: [{_quoted(path)}]{asked}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
