"""Settings of the data stage: sources, recipe, split."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.spec import Spec
from tunewright.data.forms.spec import FormSpec

TEXT = "text"
"""Our name for the column that holds documents."""
EXPECTED = "expected"
"""Our name for the column that holds answers, and the column's where no other is given."""
ANSWERING = frozenset({"input", EXPECTED, "rejected", "desirable"})
"""Our names for the columns that make a conversation."""

# fmt: off
Format = Literal[
    "auto", "chat", "csv", "tsv", "json", "jsonl", "parquet", "arrow", "spreadsheet",
    "text", "markdown", "html", "pdf", "docx", "pptx", "subtitles", "transcript", "mbox",
    "chatgpt", "slack",
]
# fmt: on
"""The formats of files."""


class SourceSpec(Spec):
    """Files that hold raw rows."""

    path: str
    """A file, relative to the project's folder; a glob takes several. It may go on into a zip archive (data.zip/*.csv)."""
    format: Format = "auto"
    """The files' format (docs/sources.md has them all); `auto` goes by the ending (of packed files by the one before:
    rows.csv.gz) and, in JSON, Parquet and Arrow, by the first row's keys. JSON rows of a `text` and no `input` or
    `expected` are documents, and so is what texts, pages, slides, subtitles and mails hold."""
    sheet: str | None = None
    """The sheet of a spreadsheet; without a name the first visible one."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Our name → the file's column: {input: text, expected: label}; for preference methods also `rejected` (a worse
    answer) or `desirable` (a rating of the answer); for cpt, without any of these and no column
    `expected` in the file, `text` (a document). Other names become fields (for slices and templates)."""
    form: FormSpec | None = None
    """The form of another tool's rows: its name (alpaca, sharegpt, …; docs/importing.md), or that and what differs."""
    encoding: str = "utf-8"
    """The text encoding of CSV, TSV, JSON and other plain text files."""

    @property
    def holds_documents(self) -> bool:
        """Whether `columns` names a text and nothing that asks or answers."""
        return TEXT in self.columns and not ANSWERING & self.columns.keys()


class SplitSpec(Spec):
    """How rows are shared out. Rows with equal inputs (system messages, letter case, blanks and typography aside) fall into
    the same part; a column that parts them is refused."""

    train: float = Field(0.8, gt=0, lt=1)
    """Share of rows to train on."""
    dev: float = Field(0.1, gt=0, lt=1)
    """Share that chooses: early stopping, the number of shots."""
    test: float = Field(0.1, gt=0, lt=1)
    """Share that judges, seen once, at the end."""
    seed: int = 0
    """Seeds the draw."""
    group_by: str | None = None
    """A field: rows with the same value stay together (customer, document, template)."""
    column: str | None = None
    """A field that already says train, dev (or validation) or test; the shares and `group_by` then move no row. Equal
    inputs in different parts are refused."""

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, dev and test add up to {total:g}; they are shares of 1")
        return self


class DataSpec(Spec):
    """Budgets and sizes of the data stage."""

    reject_budget: float = Field(0.01, ge=0, le=1)
    """The share of bad rows that may be set aside before ingest fails."""
