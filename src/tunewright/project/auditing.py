"""An audit of a file that is in no project: read as `init` would read it, and looked over."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data.audit import Audit, audit
from tunewright.data.examples import read_examples
from tunewright.data.ingest import EXAMPLES, IngestSummary, ingest
from tunewright.data.spec import SourceSpec
from tunewright.project.starters._shape import look


class Audited(NamedTuple):
    """A file's audit."""

    audit: Audit
    summary: IngestSummary
    """Rows read and set aside, by the reason's kind."""
    why: str
    """Which columns were taken for what."""


def audit_file(path: Path, columns: dict[str, str] | None = None) -> Audited:
    """Look a file over; `columns` (input, expected, text, …) where the guess is not wanted.

    Raises DataError where it cannot be read, or holds no row that can be used.
    """
    source = SourceSpec(path=path.name, columns=columns or {})
    why = "The columns are taken as told." if columns else "Its rows are conversations or documents."
    if not columns:
        try:
            found = look(path, None)
        except DataError as error:
            if "row needs two" not in error.message:
                raise
            found = None
        if found is not None and found.roles is not None:
            source = SourceSpec(
                path=path.name, columns={"input": found.roles.input, "expected": found.roles.expected}
            )
            why = found.roles.why
    with TemporaryDirectory() as scratch:
        summary = ingest({"rows": source}, TaskSpec(), path.parent, Path(scratch), reject_budget=1)
        rows = read_examples(Path(scratch) / EXAMPLES)
    return Audited(audit({"all": rows}, deep=True), summary, why)
