"""Ingest: the files of every source become examples; a row that cannot is set aside with its place and reason.

    summary = ingest(project.sources, project.task, root, out, reject_budget=0.01, emit=silent)

writes out/examples.jsonl, out/rejects.jsonl ({"source", "file", "row", "reason", "raw"}) and out/summary.json. Rows in =
examples + rejects + rows passed over, always. These are conversations that nothing can be learnt from, as nobody answers in
them: they stand among the rejects (with "passed_over": true), and count against no budget. `inspect_sources` runs the same
reading without writing, and returns every problem. Rows are read here and made into examples by `workers` processes, with
the same result.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tunewright.core.errors import DataError, Problem, ProblemsError
from tunewright.core.events import Emit, silent
from tunewright.core.example import Origin
from tunewright.core.files import write_json
from tunewright.core.task import TaskSpec
from tunewright.data.convert import DocumentRows, Reader, TableRows, Task, row_reader
from tunewright.data.examples import to_line
from tunewright.data.files import InputFile, find_files
from tunewright.data.forms.spec import FormSpec
from tunewright.data.rows import BadFile, BadRow, Reject, Row, Table
from tunewright.data.sources import if_empty, open_file
from tunewright.data.sources.sql import let_go
from tunewright.data.spec import SourceSpec
from tunewright.data.thinking import Thinking, Thoughts
from tunewright.data.workers import Workers

EXAMPLES, REJECTS, SUMMARY = "examples.jsonl", "rejects.jsonl", "summary.json"
RAW_CHARS = 2000
"""The most characters of a reject's raw row that are kept."""
_PROGRESS_EVERY = 5000
_BATCH_ROWS, _BATCH_CHARS = 500, 1 << 17
"""Rows that are made into examples at once."""
_FEW = 40
"""Batches of a file that are not worth starting processes for."""
_MOST_DEEP, _TEACHER_CHARS, _NAMELESS = 99, 200, "unknown"
_WRITTEN_ORIGIN = Origin.model_fields.keys()
"""The keys of the `origin` of a written row in our own form; one that people wrote has neither teacher nor depth."""


class IngestError(DataError, ProblemsError):
    """The sources cannot be used; carries every problem found."""


class Counts(BaseModel):
    """How many rows came, and what became of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    examples: int
    rejects: int
    passed_over: int = 0
    """Conversations that nothing can be learnt from: nobody answers in them, say."""


class SourceSummary(Counts):
    """One source's counts, in all and for each file."""

    files: dict[str, Counts]
    passed_over_for: dict[str, int] = {}
    """Those that were passed over by the kind of their reason."""
    thinking: dict[str, int] = {}
    """Examples beside whose answers the file has thinking, by what became of it (`drop`, `inline`)."""


class IngestSummary(Counts):
    """All counts, by source and file, and the rows that are no examples by the kind of their reason."""

    sources: dict[str, SourceSummary]
    reasons: dict[str, int]


def ingest(
    sources: Mapping[str, SourceSpec],
    task: TaskSpec,
    root: Path,
    out: Path,
    *,
    reject_budget: float,
    workers: int = 1,
    emit: Emit = silent,
) -> IngestSummary:
    """Read every source below `root` into `out` (made if need be); `task`'s schema must be loaded.

    Raises IngestError (a DataError) when a file cannot be read, a source has more than `reject_budget` (a share) of
    rejects, or nothing is left; out/rejects.jsonl then stays, the examples do not.
    """
    Task(task)
    out.mkdir(parents=True, exist_ok=True)
    with (
        (out / EXAMPLES).open("wb") as kept,
        (out / REJECTS).open("wb") as aside,
        Workers(workers, emit) as started,
    ):
        scan = _Scan(root, task, kept.write, aside.write, emit, started)
        try:
            scan.read(sources)
        except DataError:
            (out / EXAMPLES).unlink()
            raise
    problems = scan.problems + scan.verdict(reject_budget, out / REJECTS)
    if problems:
        (out / EXAMPLES).unlink()
        raise IngestError(problems)
    summary = scan.summary()
    for name, source in summary.sources.items():
        if source.passed_over > source.examples:
            words = f"{source.passed_over:,} of {source.rows:,} conversations are passed over"
            words += f"{_kinds(source.passed_over_for)}: look at the first"
            emit("ingest.warning", source=name, words=f"{words}, and at whom `roles` names, where it does")
    write_json(out / SUMMARY, summary.model_dump(mode="json", exclude_defaults=True))
    let_go()  # a query's rows are examples now
    why = sum((Counter(source.passed_over_for) for source in summary.sources.values()), Counter())
    counts = summary.model_dump(include={"rows", "examples", "rejects", "passed_over"})
    thinking = sum((Counter(source.thinking) for source in summary.sources.values()), Counter[str]())
    emit("ingest.done", **counts, passed_over_for=dict(sorted(why.items())), thinking=dict(thinking))
    return summary


def inspect_sources(
    sources: Mapping[str, SourceSpec],
    task: TaskSpec,
    root: Path,
    *,
    reject_budget: float,
    workers: int = 1,
    emit: Emit = silent,
) -> list[Problem]:
    """Everything that `ingest` would fail on, found the same way; writes nothing."""
    try:
        Task(task)
        with Workers(workers, emit) as started:
            scan = _Scan(root, task, len, len, emit, started)
            scan.read(sources)
    except DataError as error:
        return [Problem(error.message, where=error.where, fix=error.fix)]
    return scan.problems + scan.verdict(reject_budget, None)


class _FileTally:
    def __init__(self, source: str, name: str, how: Thinking | None) -> None:
        self.source = source
        self.name = name
        self.examples = 0
        self.rejects = 0
        self.passed_over = 0
        self.how = how
        self.thinking = 0
        self.kind_of_empty = "holds no rows"

    @property
    def rows(self) -> int:
        return self.examples + self.rejects + self.passed_over

    @property
    def counts(self) -> Counts:
        found = {name: getattr(self, name) for name in ("rows", "examples", "rejects", "passed_over")}
        return Counts.model_validate(found)


class _Rejected(NamedTuple):
    source: str
    place: str
    reason: str


class _Scan:
    """One reading of all sources: rows go to two sinks, as lines; counts and problems stay here."""

    def __init__(
        self,
        root: Path,
        task: TaskSpec,
        keep: Callable[[bytes], object],
        set_aside: Callable[[bytes], object],
        emit: Emit,
        workers: Workers,
    ) -> None:
        self._root = root
        self._task = task
        self._keep = keep
        self._set_aside = set_aside
        self._emit = emit
        self._workers = workers
        self._tallies: list[_FileTally] = []
        self._reasons: Counter[str] = Counter()
        self._first: dict[str, list[_Rejected]] = {}
        self._passed_over: dict[str, list[_Rejected]] = {}
        self._passed_over_for: dict[str, Counter[str]] = {}
        self.problems: list[Problem] = []

    def read(self, sources: Mapping[str, SourceSpec]) -> None:
        """Read every file of every source; what is wrong with a file is one problem, and the next file follows."""
        for source, spec in sources.items():
            self._first[source], self._passed_over[source] = [], []
            self._passed_over_for[source] = Counter()
            try:
                files = find_files(spec, self._root)
            except BadFile as bad:
                self.problems.append(Problem(bad.message, where=f"sources.{source}.path", fix=bad.fix))
                continue
            for words in sorted({file.warning for file in files if file.warning}):
                self._emit("ingest.warning", source=source, words=words)
            for file in files:
                tally = _FileTally(source, file.name, spec.what_of_thinking)
                self._tallies.append(tally)
                try:
                    self._read_file(spec, file, tally)
                except BadFile as bad:
                    place = f"{file.name}:{bad.line}" if bad.line else file.name
                    self.problems.append(Problem(bad.message, where=place, fix=bad.fix))

    def _read_file(self, spec: SourceSpec, file: InputFile, tally: _FileTally) -> None:
        try:
            table, kind = open_file(file.path, spec, self._root)
        except OSError as error:
            raise BadFile(f"it cannot be read: {error.strerror}.") from None
        with closing(table.rows):
            made = (spec.columns, spec.form, spec.what_of_thinking, self._task, kind, table.sparse)
            reading = _Reading(*made, tally.source, tally.name, spec.writer, spec.tells_its_writers)
            reader = _reader(reading)
            if table.columns and isinstance(reader, DocumentRows | TableRows):
                reader.check_columns(table.columns)
            tally.kind_of_empty = if_empty(file.path, spec, table.columns)
            self._take_all(_Batches(table), partial(_converted, reading), tally)
        self._emit("ingest.file", source=tally.source, file=tally.name, **tally.counts.model_dump())

    def _take_all(
        self, batches: "_Batches", convert: Callable[["_Batch"], "_Made"], tally: _FileTally
    ) -> None:
        """Take every row; the first batches are done here, so that small files start no process."""
        rows = iter(batches)
        for made in map(convert, islice(rows, _FEW)):
            self._take(made, tally)
        if (more := next(rows, None)) is not None:
            self._take(convert(more), tally)
            for made in self._workers.each(convert, rows):
                self._take(made, tally)
        if batches.failure is not None:
            raise batches.failure

    def _take(self, made: "_Made", tally: _FileTally) -> None:
        before = tally.rows
        tally.examples += made.examples
        tally.thinking += made.thinking
        self._keep(made.lines)
        for reject in made.rejects:
            self._note(reject, tally)
        for passed in range(before // _PROGRESS_EVERY + 1, tally.rows // _PROGRESS_EVERY + 1):
            told = passed * _PROGRESS_EVERY
            self._emit("ingest.progress", source=tally.source, file=tally.name, rows=told)

    def _note(self, reject: Reject, tally: _FileTally) -> None:
        kind = reject.reason.partition(":")[0]
        self._reasons[kind] += 1
        if reject.passed_over:
            self._passed_over_for[tally.source][kind] += 1
        tally.passed_over += reject.passed_over
        tally.rejects += not reject.passed_over
        first = (self._passed_over if reject.passed_over else self._first)[tally.source]
        if len(first) < 3:
            first.append(_Rejected(tally.source, f"{tally.name}:{reject.number}", reject.reason))
        row = {
            "source": tally.source,
            "file": tally.name,
            "row": reject.number,
            "reason": reject.reason,
            "raw": reject.raw[:RAW_CHARS],
            **({"passed_over": True} if reject.passed_over else {}),
        }
        self._set_aside((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))

    def verdict(self, budget: float, rejects: Path | None) -> list[Problem]:
        """What is wrong with the counts: a source without rows or answers, one over the budget, no example at all."""
        problems = []
        for source in self._first:
            tallies = [tally for tally in self._tallies if tally.source == source]
            rows = sum(tally.rows for tally in tallies)
            bad = sum(tally.rejects for tally in tallies)
            unanswered = sum(tally.passed_over for tally in tallies)
            if rows == 0 and not self.problems and tallies:
                why = "; ".join(f"{tally.name} {tally.kind_of_empty}" for tally in tallies[:3])
                message, fix = f"the source has no rows ({why}).", "Put rows into it, or leave it out."
                problems.append(Problem(message, where=f"sources.{source}", fix=fix))
            elif bad > budget * (rows - unanswered):
                problems.append(self._over_budget(source, bad, rows - unanswered, budget, rejects))
            elif rows == unanswered and rows:
                problems.append(self._unanswered(source, rows))
        if not problems and not self.problems and not any(tally.examples for tally in self._tallies):
            problems.append(Problem("no example is left.", where="sources", fix="Add a source with rows."))
        return problems

    def _over_budget(self, source: str, bad: int, rows: int, budget: float, rejects: Path | None) -> Problem:
        first = " ".join(f"{row.place}: {_sentence(row.reason)}" for row in self._first[source])
        where = f"in {rejects} " if rejects else ""
        return Problem(
            f"{bad:,} of {rows:,} rows ({bad / rows:.2%}) cannot be used, more than the budget of {budget:.2%}. "
            f"The first: {first}",
            where=f"sources.{source}",
            fix=f"Mend the rows (each stands {where}with its reason), or raise data.reject_budget."
            if rejects
            else "Mend the rows, or raise data.reject_budget.",
        )

    def _unanswered(self, source: str, rows: int) -> Problem:
        first = self._passed_over[source][0]
        return Problem(
            f"nothing can be learnt from any of its {rows:,} conversations{_kinds(self._passed_over_for[source])}."
            f" The first: {first.place}: {_sentence(first.reason)}",
            where=f"sources.{source}",
            fix="Look at who speaks in them: where `roles` says who the assistant is, it has to be as they name themselves.",
        )

    def summary(self) -> IngestSummary:
        """The counts, in the order of the sources."""
        sources = {}
        for source in self._first:
            files = {tally.name: tally.counts for tally in self._tallies if tally.source == source}
            why = dict(sorted(self._passed_over_for[source].items()))
            thinking = Counter[str]()
            for tally in self._tallies:
                if tally.source == source and tally.how and tally.thinking:
                    thinking[tally.how] += tally.thinking
            sources[source] = SourceSummary(
                files=files, passed_over_for=why, thinking=dict(thinking), **_total(list(files.values()))
            )
        total = _total(list(sources.values()))
        return IngestSummary(sources=sources, reasons=dict(sorted(self._reasons.items())), **total)


def _kinds(found: Mapping[str, int]) -> str:
    """Kinds of reasons with their counts, in brackets."""
    return f" ({', '.join(f'{kind} {count:,}' for kind, count in sorted(found.items()))})"


def _sentence(reason: str) -> str:
    return " ".join(reason.split())[:200].rstrip(".") + "."


def _total(counts: list[Any]) -> dict[str, int]:
    names = ("rows", "examples", "rejects", "passed_over")
    return {name: sum(getattr(count, name) for count in counts) for name in names}


_Batch = list[Row | Reject]


class _Batches:
    """The rows of a table, some at a time. What stops the reading is kept in `failure`, for after the rows before it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.failure: BadFile | None = None

    def __iter__(self) -> Iterator[_Batch]:
        batch, size = _Batch(), 0
        try:
            for row in self._table.rows:
                batch.append(row)
                size += _chars(row.values) if isinstance(row, Row) else len(row.raw)
                if size >= _BATCH_CHARS or len(batch) == _BATCH_ROWS:
                    yield batch
                    batch, size = [], 0
        except BadFile as bad:
            self.failure = bad
        except OSError as error:  # of reading: writing has its own place
            self.failure = BadFile(f"it cannot be read: {error.strerror}.")
        if batch:
            yield batch


def _chars(row: dict[str, Any]) -> int:
    """About how many characters a row's values have."""
    found, left = 0, list(row.values())
    for value in left:
        if isinstance(value, str):
            found += len(value)
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        else:
            found += 8
    return found


class _Reading(NamedTuple):
    """How a file's rows are made into examples: it may go to another process."""

    columns: dict[str, str]
    form: FormSpec | None
    thinking: Thinking | None
    task: TaskSpec
    how: str
    """chat, documents or columns, where there is no form."""
    sparse: bool
    source: str
    file: str
    written_by: str
    """The model that wrote the rows; blank: none did."""
    told: bool
    """Whether each row says itself which model answered."""


class _Made(NamedTuple):
    """What a batch became."""

    examples: int
    thinking: int
    """Those beside whose answers there was thinking."""
    lines: bytes
    rejects: tuple[Reject, ...]


def _reader(reading: _Reading) -> Reader:
    """The reader of a file's rows. Raises BadFile as `row_reader` does."""
    columns, form, thinking = reading.columns, reading.form, reading.thinking
    spec = SourceSpec(path=reading.file, columns=columns, form=form, thinking=thinking)
    task = reading.task.model_dump_json(by_alias=True)
    return _known_reader(spec.model_dump_json(), task, reading.how, reading.sparse)


@lru_cache(maxsize=16)
def _known_reader(written: str, written_task: str, how: str, sparse: bool) -> Reader:
    spec, task = SourceSpec.model_validate_json(written), Task(TaskSpec.model_validate_json(written_task))
    return row_reader(spec, task, how, sparse)


def _converted(reading: _Reading, batch: _Batch) -> _Made:
    reader = _reader(reading)
    lines, rejects, thinking = list[bytes](), list[Reject](), 0
    for row in batch:
        thoughts = Thoughts(reading.thinking)
        made = row if isinstance(row, Reject) else _example(row, reader, reading, thoughts)
        if isinstance(made, Reject):
            rejects.append(made)
        else:
            lines.append(made)
            thinking += thoughts.found
    return _Made(len(lines), thinking, b"".join(lines), tuple(rejects))


def _example(row: Row, reader: Reader, reading: _Reading, thoughts: Thoughts) -> bytes | Reject:
    try:
        said = (row.values.get("written_by") or "") if reading.told else reading.written_by
        teacher, depth = _writer(row.values.get("origin"), said)
        origin = Origin(
            source=reading.source, file=reading.file, row=row.number, teacher=teacher, depth=depth
        )
        return to_line(reader.example(row.values, origin, thoughts))
    except BadRow as bad:
        reason = str(bad)
    except (UnicodeEncodeError, ValidationError):  # pydantic refuses such texts too
        reason = "broken text: half of a surrogate pair stands in the row"
    return Reject(row.number, reason, json.dumps(row.values, ensure_ascii=False))


def _writer(origin: Any, said: str) -> tuple[str, int]:
    """The model that wrote a row and its depth: what the source says, or the `origin` of a row that we wrote before.

    A field of that name with other keys is a field. Raises BadRow where the depth or the teacher is none.
    """
    if not isinstance(origin, dict) or origin.keys() != _WRITTEN_ORIGIN:
        return said, int(bool(said))
    teacher, depth = origin["teacher"], origin["depth"]
    if not isinstance(depth, int) or isinstance(depth, bool) or not 1 <= depth <= _MOST_DEEP:
        raise BadRow(f"bad origin: its depth is no whole number from 1 to {_MOST_DEEP}")
    if not isinstance(teacher, str) or len(teacher) > _TEACHER_CHARS:
        raise BadRow(f"bad origin: its teacher is no text of at most {_TEACHER_CHARS} characters")
    return said or teacher or _NAMELESS, depth
