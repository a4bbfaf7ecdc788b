"""How a file that is in no project is read for an audit: as what its keys and columns say that it is, with the reason."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.errors import DataError, UserError
from tunewright.core.example import Example
from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.data.forms.detect import Detected, detect
from tunewright.data.forms.spec import FormSpec
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


def source_of(path: Path, columns: dict[str, str] | None, form: str | None) -> AsSource:
    """The file as what it is said to be, or else what its first rows say. Raises DataError, UserError."""
    if path.is_dir():
        fix = f"Name one of its files, or audit a project whose source is {path}/*.jsonl, say."
        raise DataError("it is a folder", where=str(path), fix=fix)
    name = path.name
    if form is not None:
        return AsSource(
            SourceSpec(path=name, form=_form_named(form)), f"The rows are read as {form}, as told."
        )
    if columns:
        return AsSource(SourceSpec(path=name, columns=columns), "The columns are taken as told.")
    if path.suffix.lower() == ".zip":
        return AsSource(SourceSpec(path=name), "Its entries are read each by its ending.")
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
    answers = [row[column] for row in read_sample(path).rows if row.get(column) is not None]
    values = sum(isinstance(answer, dict | list) for answer in answers)
    return TaskSpec(output=JsonOutput(schema={})) if 2 * values > len(answers) else TaskSpec()


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
