"""How rows that are in no project are read for an audit: as what their keys and columns say that they are, with the reason.

rows = read_rows(Path("tickets.csv"), None, None, scratch)      # a file, a folder of files, hub:owner/name
"""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

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
from tunewright.data.ingest import EXAMPLES, REJECTS, IngestError, IngestSummary, ingest
from tunewright.data.names import did_you_mean
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HUB
from tunewright.data.sources import ARCHIVES
from tunewright.data.sources._exports import export_of
from tunewright.data.sources._unpack import archive_of
from tunewright.data.spec import EXPECTED, Format, SourceSpec
from tunewright.project.starters._roles import guess_roles
from tunewright.project.starters._sample import read_sample

_TELLING = frozenset(
    (
        *("instruction", "conversations", "history", "segments", "tools", "kto_tag"),
        *("chosen", "rejected", "chosen_response", "rejected_response"),
    )
)
"""Keys of rows that say more than a question and an answer."""
_ANSWERS = ("output", "response")
"""Keys of the one answer of such rows."""
_IN_A_PROJECT = "An audit has no such option: begin a project, and set"


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
    file_format: str | None = None,
    as_typed: bool = False,
    fix: str = "Say how the rows are read: --column input=…, --column expected=…, or --form NAME.",
) -> ReadRows:
    """The rows of a file, of a folder of files, or of a data set on the hub (hub:owner/name), kept in the scratch folder.

    Places name a file by itself or, `as_typed`, from the working folder. Raises DataError that says why there is no row,
    and `fix`.
    """
    try:
        source = source_of(path, columns, form, file_format, as_typed=as_typed)
        root = Path.cwd() if as_typed or source.spec.on_hub else _base(path)
        return _read(path, source, root, scratch, fix)
    except DataError as error:
        raise _as_option(error) from None


def _read(path: Path, source: AsSource, root: Path, scratch: Path, fix: str) -> ReadRows:
    try:
        summary = ingest({"rows": source.spec}, task_of(path, source.spec), root, scratch, reject_budget=1)
    except DataError:
        first = next(read_jsonl(scratch / REJECTS), None) if (scratch / REJECTS).exists() else None
        if (
            first is None and source.spec.thinking
        ):  # of some of a folder's files, say, that are no conversations
            return _read(path, source._replace(spec=_with(source.spec, thinking=None)), root, scratch, fix)
        if first is None:
            raise
        reason = excerpt(first["reason"], most=300)
        if "set thinking" in reason:
            fix = f"{_IN_A_PROJECT} thinking for its source."
        place = f"{first['file']}:{first['row']}"
        raise DataError(f"no row can be used; of the first: {reason}", where=place, fix=fix) from None
    if thinking := sum(summary.sources["rows"].thinking.values()):
        source = source._replace(why=f"{source.why} Thinking beside the answers of {thinking:,} is left out.")
    return ReadRows(Examples(scratch / EXAMPLES), source, summary, scratch / REJECTS)


def source_of(
    path: Path,
    columns: dict[str, str] | None,
    form: str | None,
    file_format: str | None = None,
    *,
    as_typed: bool = False,
) -> AsSource:
    """The rows as what they are said to be, or else what the first ones say. Its path is seen from the folder of the file,
    or of the archive that holds it, or, `as_typed`, from the working folder. Raises DataError, UserError.
    """
    whole = as_typed or str(path).startswith(HUB)
    name = str(path if whole else path.relative_to(_base(path)))
    known = "auto" if file_format is None else _format_named(file_format)
    file = SourceSpec(path=name, format=known)
    if form is not None:
        return AsSource(_in_form(file, _form_named(form)), f"The rows are read as {form}, as told.")
    if columns:
        return AsSource(_with(file, columns=columns), "The columns are taken as told.")
    if (export := export_of(path)) is not None and known in ("auto", export.format):
        conversations = str(Path(name, export.entry))
        why = f"It is {export.what}, read as {export.format}."
        return AsSource(_with(file, path=conversations, format=export.format), why)
    if path.suffix.lower() == ".zip" and known not in ARCHIVES:
        read_as = "each by its ending" if file_format is None else f"as {known}, as told"
        return AsSource(file, f"Its entries are read {read_as}.")
    return _guessed(_first(path, known), file)


def _guessed(path: Path, file: SourceSpec) -> AsSource:
    """What the first rows at the path say of the file that they are of, or the first file."""
    sample = read_sample(path, file_format=file.format)
    keys = {name for row in sample.rows[:1] for name in row}
    if not keys & {"messages", "prompt"} and keys & _TELLING and (found := _form(sample.rows)):
        why = f"The rows are read as {found.spec.name}: {found.said}."
        return AsSource(_in_form(file, found.spec), why)
    if sample.is_chat:
        return AsSource(_thinking_left_out(file), "Its rows are conversations.")
    if _holds_documents(path, file.format):
        return AsSource(file, "Its rows are documents.")
    if len(sample.columns) == 1:
        only = sample.columns[0]
        why = f"Its rows are documents, the text of {only}."
        return AsSource(_with(file, columns={"text": only}), why)
    roles = guess_roles(sample.columns, sample.rows)
    taken = {"input": roles.input, "expected": roles.expected}
    return AsSource(_with(file, columns=taken), roles.why)


def task_of(path: Path, source: SourceSpec) -> TaskSpec:
    """What a file's answers are: JSON of any shape, where most of the first rows have no text but a value; else text."""
    column = source.columns.get(EXPECTED)
    if column is None or path.suffix.lower() == ".zip":
        return TaskSpec()
    sample = read_sample(_first(path, source.format), file_format=source.format)
    answers = [row[column] for row in sample.rows if row.get(column) is not None]
    values = sum(isinstance(answer, dict | list) for answer in answers)
    return TaskSpec(output=JsonOutput(schema={})) if 2 * values > len(answers) else TaskSpec()


def _base(path: Path) -> Path:
    """The folder of a file, or of the archive that the path leads into."""
    return (archive_of(path) or path).parent


def _with(file: SourceSpec, **more: Any) -> SourceSpec:
    return SourceSpec(**{**file.model_dump(exclude_unset=True), **more})


def _in_form(file: SourceSpec, form: FormSpec) -> SourceSpec:
    found = _with(file, form=form)
    return _thinking_left_out(found) if form.has_turns else found


def _thinking_left_out(file: SourceSpec) -> SourceSpec:
    """The same without the thinking beside its answers, where its format has any."""
    try:
        return _with(file, thinking="drop")
    except ValidationError:
        return file


def _first(path: Path, file_format: Format) -> Path:
    """The file itself, or the first one of a folder or of a data set on the hub. Raises DataError."""
    if path.is_file() or archive_of(path) or not (path.is_dir() or str(path).startswith(HUB)):
        return path
    try:
        return find_files(SourceSpec(path=str(path), format=file_format), Path.cwd())[0].path
    except BadFile as error:
        raise DataError(error.message.rstrip("."), where=str(path), fix=error.fix) from None


def _holds_documents(path: Path, file_format: Format) -> bool:
    """Whether its format is one of documents: texts, pages, slides."""
    from tunewright.data.sources import open_file

    opened = open_file(path, SourceSpec(path=path.name, format=file_format))
    with closing(opened.table.rows):
        return opened.kind == "documents"


def _format_named(name: str) -> Format:
    """The format of that name. Raises UserError, with the one that was probably meant, where there is none."""
    names: tuple[Format, ...] = get_args(Format)
    for known in names:
        if known == name:
            return known
    raise UserError(
        f"no format is named {name!r}; there are {', '.join(names)}", fix=did_you_mean(name, names)
    )


def _as_option(error: DataError) -> DataError:
    """The same, where a source's setting is the way out, with the command's option in its place, or a project."""
    if isinstance(error, IngestError):
        return IngestError([replace(one, fix=_option(one.fix)) for one in error.problems])
    return DataError(error.message, where=error.where, fix=_option(error.fix))


def _option(fix: str | None) -> str | None:
    if fix is None:
        return None
    fix = fix.replace("Set format: for this source", "Say --format NAME")
    fix = re.sub(r"Set format: (\w+)(, and path: .*(?=\.$))?", r"Say --format \1", fix)
    return re.sub(r"^Set (?=(?:encoding|speech|hub):)", f"{_IN_A_PROJECT} ", fix)


def _form_named(name: str) -> FormSpec:
    """The form of that name. Raises UserError, with the one that was probably meant, where there is none."""
    try:
        return FormSpec(name=name)
    except ValidationError as error:
        raise UserError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None


def _form(rows: Sequence[dict[str, Any]]) -> Detected | None:
    """The form of another tool's rows, where they surely have one that columns of a question and an answer do not say. Rows
    that one answer is missing from do not speak against it."""
    answered = [row for row in rows if any(str(row.get(key) or "").strip() for key in _ANSWERS)]
    try:
        return detect(answered or rows)
    except DataError:
        return None


def method_of(rows: Sequence[Example]) -> str:
    """The method that goes with the first row."""
    first = rows[0]
    if first.rejected is not None:
        return "dpo"
    return "kto" if first.rated else "cpt" if first.is_document else "sft"
