"""Ingest: the files of every source become examples; a row that cannot is set aside with its place and reason.

    summary = ingest(project.sources, project.task, root, out, reject_budget=0.01, emit=silent)

writes out/examples.jsonl, out/rejects.jsonl ({"source", "file", "row", "reason", "raw"}) and out/summary.json. Rows in =
examples + rejects, always. `inspect_sources` runs the same reading without writing, and returns every problem.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tunewright.core.errors import DataError, Problem, ProblemsError
from tunewright.core.events import Emit, silent
from tunewright.core.example import Origin
from tunewright.core.files import write_json
from tunewright.core.task import TaskSpec
from tunewright.data.convert import ChatRows, DocumentRows, FormRows, TableRows, Task
from tunewright.data.examples import to_line
from tunewright.data.files import InputFile, find_files
from tunewright.data.rows import BadFile, BadRow, Reject, Row, Table
from tunewright.data.sources import open_file
from tunewright.data.spec import SourceSpec

EXAMPLES, REJECTS, SUMMARY = "examples.jsonl", "rejects.jsonl", "summary.json"
RAW_CHARS = 2000
"""The most characters of a reject's raw row that are kept."""
_PROGRESS_EVERY = 5000
_Reader = ChatRows | DocumentRows | FormRows | TableRows


class IngestError(DataError, ProblemsError):
    """The sources cannot be used; carries every problem found."""


class Counts(BaseModel):
    """How many rows came, and what became of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    examples: int
    rejects: int


class SourceSummary(Counts):
    """One source's counts, in all and for each file."""

    files: dict[str, Counts]


class IngestSummary(Counts):
    """All counts, by source and file, and the rejects by the kind of their reason."""

    sources: dict[str, SourceSummary]
    reasons: dict[str, int]


def ingest(
    sources: Mapping[str, SourceSpec],
    task: TaskSpec,
    root: Path,
    out: Path,
    *,
    reject_budget: float,
    emit: Emit = silent,
) -> IngestSummary:
    """Read every source below `root` into `out` (made if need be); `task`'s schema must be loaded.

    Raises IngestError (a DataError) when a file cannot be read, a source has more than `reject_budget` (a share) of
    rejects, or nothing is left; out/rejects.jsonl then stays, the examples do not.
    """
    ready = Task(task)
    out.mkdir(parents=True, exist_ok=True)
    with (out / EXAMPLES).open("wb") as kept, (out / REJECTS).open("wb") as aside:
        scan = _Scan(root, ready, kept.write, aside.write, emit)
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
    write_json(out / SUMMARY, summary.model_dump(mode="json"))
    emit("ingest.done", rows=summary.rows, examples=summary.examples, rejects=summary.rejects)
    return summary


def inspect_sources(
    sources: Mapping[str, SourceSpec],
    task: TaskSpec,
    root: Path,
    *,
    reject_budget: float,
    emit: Emit = silent,
) -> list[Problem]:
    """Everything that `ingest` would fail on, found the same way; writes nothing."""
    try:
        scan = _Scan(root, Task(task), len, len, emit)
        scan.read(sources)
    except DataError as error:
        return [Problem(error.message, where=error.where, fix=error.fix)]
    return scan.problems + scan.verdict(reject_budget, None)


class _FileTally:
    def __init__(self, source: str, name: str) -> None:
        self.source = source
        self.name = name
        self.examples = 0
        self.rejects = 0
        self.kind_of_empty = "holds no rows"

    @property
    def counts(self) -> Counts:
        return Counts(rows=self.examples + self.rejects, examples=self.examples, rejects=self.rejects)


class _Rejected(NamedTuple):
    source: str
    place: str
    reason: str


class _Scan:
    """One reading of all sources: rows go to two sinks, as lines; counts and problems stay here."""

    def __init__(
        self,
        root: Path,
        task: Task,
        keep: Callable[[bytes], object],
        set_aside: Callable[[bytes], object],
        emit: Emit,
    ) -> None:
        self._root = root
        self._task = task
        self._keep = keep
        self._set_aside = set_aside
        self._emit = emit
        self._tallies: list[_FileTally] = []
        self._reasons: Counter[str] = Counter()
        self._first: dict[str, list[_Rejected]] = {}
        self.problems: list[Problem] = []

    def read(self, sources: Mapping[str, SourceSpec]) -> None:
        """Read every file of every source; what is wrong with a file is one problem, and the next file follows."""
        for source, spec in sources.items():
            self._first[source] = []
            try:
                files = find_files(spec, self._root)
            except BadFile as bad:
                self.problems.append(Problem(bad.message, where=f"sources.{source}.path", fix=bad.fix))
                continue
            for file in files:
                tally = _FileTally(source, file.name)
                self._tallies.append(tally)
                try:
                    self._read_file(spec, file, tally)
                except BadFile as bad:
                    place = f"{file.name}:{bad.line}" if bad.line else file.name
                    self.problems.append(Problem(bad.message, where=place, fix=bad.fix))

    def _read_file(self, spec: SourceSpec, file: InputFile, tally: _FileTally) -> None:
        try:
            table, kind = open_file(file.path, spec)
        except OSError as error:
            raise BadFile(f"it cannot be read: {error.strerror}.") from None
        with closing(table.rows):
            reader: _Reader
            if spec.form is not None:
                reader = FormRows(spec, spec.form, self._task, table.sparse)
            elif kind == "chat":
                reader = ChatRows(self._task, table.sparse)
            else:
                documents = kind == "documents"
                reader = DocumentRows(spec) if documents else TableRows(spec, self._task, table.sparse)
                if table.columns:
                    reader.check_columns(table.columns)
            if table.columns is not None:
                tally.kind_of_empty = "has a header and no rows" if table.columns else "is empty"
            for row in _readable(table):
                self._take(row, reader, tally)
        self._emit("ingest.file", source=tally.source, file=tally.name, **tally.counts.model_dump())

    def _take(self, row: Row | Reject, reader: _Reader, tally: _FileTally) -> None:
        result = row if isinstance(row, Reject) else _converted(row, reader, tally)
        if isinstance(result, Reject):
            tally.rejects += 1
            self._note(result, tally)
        else:
            tally.examples += 1
            self._keep(result)
        rows = tally.examples + tally.rejects
        if rows % _PROGRESS_EVERY == 0:
            self._emit("ingest.progress", source=tally.source, file=tally.name, rows=rows)

    def _note(self, reject: Reject, tally: _FileTally) -> None:
        self._reasons[reject.reason.partition(":")[0]] += 1
        first = self._first[tally.source]
        if len(first) < 3:
            first.append(_Rejected(tally.source, f"{tally.name}:{reject.number}", reject.reason))
        row = {
            "source": tally.source,
            "file": tally.name,
            "row": reject.number,
            "reason": reject.reason,
            "raw": reject.raw[:RAW_CHARS],
        }
        self._set_aside((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))

    def verdict(self, budget: float, rejects: Path | None) -> list[Problem]:
        """What is wrong with the counts: a source without rows, one over the budget, no example at all."""
        problems = []
        for source in self._first:
            tallies = [tally for tally in self._tallies if tally.source == source]
            rows = sum(tally.counts.rows for tally in tallies)
            bad = sum(tally.rejects for tally in tallies)
            if rows == 0 and not self.problems and tallies:
                why = "; ".join(f"{tally.name} {tally.kind_of_empty}" for tally in tallies[:3])
                message, fix = f"the source has no rows ({why}).", "Put rows into it, or leave it out."
                problems.append(Problem(message, where=f"sources.{source}", fix=fix))
            elif bad > budget * rows:
                problems.append(self._over_budget(source, bad, rows, budget, rejects))
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

    def summary(self) -> IngestSummary:
        """The counts, in the order of the sources."""
        sources = {}
        for source in self._first:
            files = {tally.name: tally.counts for tally in self._tallies if tally.source == source}
            sources[source] = SourceSummary(files=files, **_total(list(files.values())))
        total = _total(list(sources.values()))
        return IngestSummary(sources=sources, reasons=dict(sorted(self._reasons.items())), **total)


def _sentence(reason: str) -> str:
    return " ".join(reason.split())[:200].rstrip(".") + "."


def _total(counts: list[Any]) -> dict[str, int]:
    return {name: sum(getattr(count, name) for count in counts) for name in ("rows", "examples", "rejects")}


def _readable(table: Table) -> Iterator[Row | Reject]:
    """The rows; a read error of the system is told apart here from one of writing."""
    rows = iter(table.rows)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except OSError as error:
            raise BadFile(f"it cannot be read: {error.strerror}.") from None
        yield row


def _converted(row: Row, reader: _Reader, tally: _FileTally) -> bytes | Reject:
    try:
        origin = Origin(source=tally.source, file=tally.name, row=row.number)
        return to_line(reader.example(row.values, origin))
    except BadRow as bad:
        reason = str(bad)
    except (UnicodeEncodeError, ValidationError):  # pydantic refuses such texts too
        reason = "broken text: half of a surrogate pair stands in the row"
    return Reject(row.number, reason, json.dumps(row.values, ensure_ascii=False))
