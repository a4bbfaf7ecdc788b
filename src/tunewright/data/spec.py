"""Settings of the data stage: sources, recipe, split."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from tunewright.core.spec import Spec
from tunewright.data.forms.spec import FormSpec
from tunewright.data.source_spec import HUB, HubSpec, Side, SpeechSpec, SqlSpec
from tunewright.data.thinking import Thinking

TEXT = "text"
"""Our name for the column that holds documents."""
EXPECTED = "expected"
"""Our name for the column that holds answers, and the column's where no other is given."""
ANSWERING = frozenset({"input", EXPECTED, "rejected", "desirable"})
"""Our names for the columns that make a conversation."""

# fmt: off
Format = Literal[
    "auto", "chat", "csv", "tsv", "json", "jsonl", "parquet", "arrow", "spreadsheet",
    "text", "markdown", "html", "pdf", "docx", "pptx", "subtitles", "transcript", "mbox", "audio",
    "chatgpt", "slack", "traces",
]
# fmt: on
"""The formats of files."""


_WITHOUT_THINKING = ("chatgpt", "slack")
"""Formats of conversations whose readers leave thinking out."""
PEOPLE = "people"
"""Who wrote a source's rows where no model did."""


class SourceSpec(Spec):
    """Files that hold raw rows, or a query that gives them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    path: str = ""
    """A file, relative to the project's folder; a glob takes several, a folder stands for all files below it, where these
    are of one format, or documents. It may go on into a zip archive (data.zip/*.csv).
    hub:owner/name is a data set on the hub."""
    sql: SqlSpec | None = None
    """A query to a database, in place of a path."""
    hub: HubSpec | None = None
    """Which configuration, split and revision of a data set in the hub's layout; `path` is hub:owner/name or a
    folder."""
    format: Format = "auto"
    """The files' format (docs/sources.md has them all); `auto` goes by the ending (of packed files by the one before:
    rows.csv.gz) and, in JSON, Parquet and Arrow, by the first row's keys. JSON rows of a `text` and no `input` or
    `expected` are documents, and so is what texts, pages, slides, subtitles and mails hold."""
    sheet: str | None = None
    """The sheet of a spreadsheet; without a name the first visible one."""
    speech: SpeechSpec | None = None
    """The model that recognises recorded speech."""
    roles: dict[str, Side] = Field(default_factory=dict)
    """Who is which side of the talks in subtitles, transcripts and mails, which then are conversations: {Agent: assistant,
    Customer: user}, a mail's by its address or domain ({help@shop.com: assistant}). "*" is everyone else; `skip` leaves out
    what somebody says."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Our name → the file's column: {input: text, expected: label}; for preference methods also `rejected` (a worse
    answer) or `desirable` (a rating of the answer); for cpt, without any of these and no column
    `expected` in the file, `text` (a document). Other names become fields (for slices and templates)."""
    form: FormSpec | None = None
    """The form of another tool's rows: its name (alpaca, sharegpt, …; docs/importing.md), or that and what differs."""
    thinking: Thinking | None = None
    """What becomes of thinking that rows of messages have beside an answer (`reasoning_content`, `thinking` and their kin):
    `drop` leaves it out, `inline` puts it before the answer's text, between <think> and </think>. Without it such rows are
    rejects; of traces it is then left out."""
    encoding: str = "utf-8"
    """The text encoding of CSV, TSV, JSON and other plain text files."""
    written_by: str = Field("", max_length=200)
    """The model that wrote the rows, where one did: they then count as written (`data.synthetic_share`), and none of
    them stands in test. `people` where people wrote or checked the answers of a format that names a model for each row
    (traces, chatgpt)."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.path) == (self.sql is not None):
            raise ValueError("a source has one of path and sql, to say where its rows are")
        given = {
            "format": self.format != "auto",
            "sheet": self.sheet is not None,
            "hub": self.hub is not None,
            "roles": bool(self.roles),
        }
        stray = next((name for name, stands in given.items() if stands), None)
        if self.sql is not None and stray is not None:
            raise ValueError(f"a query's rows are in no file, so it has no {stray}")
        if self.thinking and (self.roles or self.format in _WITHOUT_THINKING):
            what = "these talks" if self.roles else f"{self.format} rows"
            raise ValueError(f"{what} are read without thinking, so leave out thinking")
        return self

    @property
    def what_of_thinking(self) -> Thinking | None:
        """What becomes of it: a log's is left out, where nothing is said."""
        return self.thinking or ("drop" if self.format == "traces" else None)

    @property
    def tells_its_writers(self) -> bool:
        """Whether each row of the format says itself which model answered, and is believed."""
        return self.format in ("traces", "chatgpt") and self.written_by != PEOPLE

    @property
    def writer(self) -> str:
        """The model that wrote the rows, as far as the source says it itself."""
        return "" if self.written_by == PEOPLE else self.written_by

    @property
    def on_hub(self) -> bool:
        """Whether the path names a data set on the hub."""
        return self.path.startswith(HUB)

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
    near: bool = False
    """Whether rows that ask nearly the same (seven word pairs in ten in common) stay together, too, and all that are
    tied by such steps."""
    stratify_by: str | None = None
    """A field of few values, or `label` for the answer: the shares then hold among the rows of each value, groups still
    whole."""
    by_time: str | None = None
    """A field with a date: the oldest rows are trained on, the newest are the test. A group goes by its newest row, and
    what happened at one moment stays together. The seed then plays no part."""
    column: str | None = None
    """A field that already says train, dev (or validation) or test; the shares and `group_by` then move no row. Equal
    inputs in different parts are refused."""

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, dev and test add up to {total:g}; they are shares of 1")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("column", "stratify_by", "by_time") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"{ways[0]} and {ways[1]} both say where a row goes: keep one")
        if self.column and self.near:
            raise ValueError("near moves rows and column forbids it: keep one")
        return self


class DataSpec(Spec):
    """Budgets and sizes of the data stage."""

    reject_budget: float = Field(0.01, ge=0, le=1)
    """The share of bad rows that may be set aside before ingest fails."""
    synthetic_share: float = Field(0.5, ge=0, le=1)
    """The most of the rows to train on that models or rules may have written (`generate`, a source's `written_by`).
    Models that are trained on little else than models' rows lose what is rare."""
    synthetic_dev: bool = False
    """Whether such rows may stand in dev, too. In test they never do: what judges is what people wrote."""
    max_depth: int = Field(1, ge=1, le=100)
    """How many models may stand one behind the other: 1 writes from people's rows alone, 2 from rows that a model
    wrote, too."""
    scale: Literal["local", "ray"] = "local"
    """Where the recipe's operations on single rows are worked: by this machine's processes, or by a Ray cluster (the one at
    RAY_ADDRESS, else one on this machine; `pip install 'tunewright[ray]'`). The rows are the same."""
