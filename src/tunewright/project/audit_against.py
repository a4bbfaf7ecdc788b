"""What other files share with rows of an audit: the test file of another tool, held against what it trains on.

held = read_against((Path("test.jsonl"),), root)          # first, so that a name that is wrong costs no audit
findings, notes = leaks_against(held, rows, "all")
"""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.audit.seen import ALL
from tunewright.data.audit.whole import AuditFinding
from tunewright.data.files import shown_name
from tunewright.data.spec import DataSpec, SourceSpec
from tunewright.evals.leaks import MOST_EXAMPLES, MOST_ROWS, leaks, near_leaks
from tunewright.evals.suite import Suite
from tunewright.project.audit_reading import ReadRows, read_rows
from tunewright.project.set_aside import set_aside
from tunewright.project.suite_leaks import leak_finding

_FIX = "Save the file with the columns of the rows that are trained, or as conversations (messages)."


class Against(NamedTuple):
    """A file that rows are held against."""

    suite: Suite
    recipe: str
    """The line that drops rows which it asks, with its name seen from the root; none where no operation reads it."""
    aside: tuple[AuditFinding, ...]
    """Its rows that could not be read, which nothing is held against."""


def read_against(
    files: Sequence[Path], root: Path, columns: dict[str, str] | None = None, form: str | None = None
) -> list[Against]:
    """Read each file as `columns` or `form` say, or, where it has no such row, as its first rows do.

    Raises DataError where a file cannot be read.
    """
    found = []
    for path in files:
        with TemporaryDirectory() as scratch:
            read = _read(path, columns, form, Path(scratch))
            suite = Suite(str(path), tuple(read.rows), lambda _: (), ())
            aside = set_aside(read.summary, read.rejects, DataSpec().reject_budget)
        unread = [one.model_copy(update={"message": f"{path}, held against: {one.message}"}) for one in aside]
        found.append(Against(suite, _recipe(read.source.spec, root), tuple(unread)))
    return found


def leaks_against(
    held: Sequence[Against], rows: Sequence[Example], part: str
) -> tuple[list[AuditFinding], list[str]]:
    """What each file shares with the rows, word for word and nearly, and what was not looked at."""
    where = None if part == ALL else part
    findings, notes = list[AuditFinding](), list[str]()
    for suite, recipe, aside in held:
        findings += aside
        for kind, found in (("leak", leaks([suite], rows)), ("near_leak", near_leaks([suite], rows))):
            findings += [leak_finding(name, leak, where, kind, recipe=recipe) for name, leak in found.items()]
        if len(suite.examples) > MOST_EXAMPLES or len(rows) > MOST_ROWS:
            looked, of = min(len(suite.examples), MOST_EXAMPLES), min(len(rows), MOST_ROWS)
            notes.append(
                f"what {suite.name} asks was looked for word for word in all rows; nearly, {looked:,} of its"
                f" {len(suite.examples):,} examples in {of:,} of {len(rows):,} rows, evenly drawn"
            )
    return findings, notes


def _read(path: Path, columns: dict[str, str] | None, form: str | None, scratch: Path) -> ReadRows:
    """The file's rows. What was told of other rows may not be true of these."""
    if columns or form:
        try:
            return read_rows(path, columns, form, scratch / "told", as_typed=True)
        except DataError:
            pass
    return read_rows(path, None, None, scratch / "guessed", as_typed=True, fix=_FIX)


def _recipe(source: SourceSpec, root: Path) -> str:
    """The line that drops rows which the file asks; none where its rows are of a form that the operation does not read."""
    if source.form is not None:
        return ""
    column = source.columns.get("input")
    asked = f", column: {_quoted(column)}" if column else ""
    path = source.path if source.on_hub else shown_name(Path.cwd() / source.path, root)
    return f"{{op: decontaminate, against: [{_quoted(path)}]{asked}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
