"""How rows that are in no project are read for an audit: as what their keys and columns say that they are, with the reason.

rows = read_rows(Path("tickets.csv"), None, None, scratch)      # a file, a folder of files, hub:owner/name
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.errors import DataError, UserError
from tunewright.core.example import Example
from tunewright.core.files import read_jsonl
from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.data.examples import Examples
from tunewright.data.excerpt import excerpt
from tunewright.data.files import find_files
from tunewright.data.forms.detect import Detected, detect
from tunewright.data.forms.spec import FormSpec
from tunewright.data.ingest import EXAMPLES, REJECTS, IngestSummary, ingest
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HUB
from tunewright.data.spec import EXPECTED, SourceSpec
from tunewright.project.starters._roles import guess_roles
from tunewright.project.starters._sample import read_sample

_TELLING = frozenset(
    (
        *("instruction", "conversations", "history", "segments", "tools", "kto_tag"),
        *("chosen", "rejected", "chosen_response", "rejected_response"),
    )
)
"""Keys of rows that say more than a question and an answer."""


class AsSource(NamedTuple):
    """A file as a source, and why it is read so."""

    spec: SourceSpec
    why: str


class ReadRows(NamedTuple):
    """Rows, and how they were read."""

    rows: Examples
    source: AsSource
    summary: IngestSummary
    """Rows read and set aside, by the reason's kind."""
    rejects: Path
    """The file of rows that were set aside; it goes with the scratch folder."""


def read_rows(
    path: Path,
    columns: dict[str, str] | None,
    form: str | None,
    scratch: Path,
    *,
    as_typed: bool = False,
    fix: str = "Say how the rows are read: --column input=…, --column expected=…, or --form NAME.",
) -> ReadRows:
    """The rows of a file, of a folder of files, or of a data set on the hub (hub:owner/name), kept in the scratch folder.

    Places name a file by itself or, `as_typed`, from the working folder. Raises DataError that says why there is no row,
    and `fix`.
    """
    source = source_of(path, columns, form)
    root = Path.cwd() if as_typed or source.spec.on_hub else path.parent
    if as_typed:
        source = source._replace(spec=source.spec.model_copy(update={"path": str(path)}))
    try:
        summary = ingest({"rows": source.spec}, task_of(path, source.spec), root, scratch, reject_budget=1)
    except DataError:
        first = next(read_jsonl(scratch / REJECTS), None) if (scratch / REJECTS).exists() else None
        if first is None:
            raise
        reason = excerpt(first["reason"], most=300)
        place = f"{first['file']}:{first['row']}"
        raise DataError(f"no row can be used; of the first: {reason}", where=place, fix=fix) from None
    return ReadRows(Examples(scratch / EXAMPLES), source, summary, scratch / REJECTS)


def source_of(path: Path, columns: dict[str, str] | None, form: str | None) -> AsSource:
    """The rows as what they are said to be, or else what the first ones say. Raises DataError, UserError."""
    name = str(path) if str(path).startswith(HUB) else path.name or "."
    if form is not None:
        return AsSource(
            SourceSpec(path=name, form=_form_named(form)), f"The rows are read as {form}, as told."
        )
    if columns:
        return AsSource(SourceSpec(path=name, columns=columns), "The columns are taken as told.")
    if path.suffix.lower() == ".zip":
        return AsSource(SourceSpec(path=name), "Its entries are read each by its ending.")
    path = _first(path)
    sample = read_sample(path)
    keys = {name for row in sample.rows[:1] for name in row}
    if not keys & {"messages", "prompt"} and keys & _TELLING and (found := _form(sample.rows)):
        why = f"The rows are read as {found.spec.name}: {found.said}."
        return AsSource(SourceSpec(path=name, form=found.spec), why)
    if sample.is_chat:
        return AsSource(SourceSpec(path=name), "Its rows are conversations.")
    if _holds_documents(path):
        return AsSource(SourceSpec(path=name), "Its rows are documents.")
    if len(sample.columns) == 1:
        only = sample.columns[0]
        why = f"Its rows are documents, the text of {only}."
        return AsSource(SourceSpec(path=name, columns={"text": only}), why)
    roles = guess_roles(sample.columns, sample.rows)
    taken = {"input": roles.input, "expected": roles.expected}
    return AsSource(SourceSpec(path=name, columns=taken), roles.why)


def task_of(path: Path, source: SourceSpec) -> TaskSpec:
    """What a file's answers are: JSON of any shape, where most of the first rows have no text but a value; else text."""
    column = source.columns.get(EXPECTED)
    if column is None or path.suffix.lower() == ".zip":
        return TaskSpec()
    answers = [row[column] for row in read_sample(_first(path)).rows if row.get(column) is not None]
    values = sum(isinstance(answer, dict | list) for answer in answers)
    return TaskSpec(output=JsonOutput(schema={})) if 2 * values > len(answers) else TaskSpec()


def _first(path: Path) -> Path:
    """The file itself, or the first one of a folder or of a data set on the hub. Raises DataError."""
    if path.is_file() or not (path.is_dir() or str(path).startswith(HUB)):
        return path
    try:
        return find_files(SourceSpec(path=str(path)), Path.cwd())[0].path
    except BadFile as error:
        raise DataError(error.message.rstrip("."), where=str(path), fix=error.fix) from None


def _holds_documents(path: Path) -> bool:
    """Whether its format is one of documents: texts, pages, slides."""
    from tunewright.data.sources import open_file

    opened = open_file(path, SourceSpec(path=path.name))
    with closing(opened.table.rows):
        return opened.kind == "documents"


def _form_named(name: str) -> FormSpec:
    """The form of that name. Raises UserError, with the one that was probably meant, where there is none."""
    try:
        return FormSpec(name=name)
    except ValidationError as error:
        raise UserError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None


def _form(rows: Sequence[dict[str, Any]]) -> Detected | None:
    """The form of another tool's rows, where they surely have one that columns of a question and an answer do not say."""
    try:
        return detect(rows)
    except DataError:
        return None


def method_of(rows: Sequence[Example]) -> str:
    """The method that goes with the first row."""
    first = rows[0]
    if first.rejected is not None:
        return "dpo"
    return "kto" if first.rated else "cpt" if first.is_document else "sft"
