"""What a base makes of the rows of an audit: tokens, the loss mask, rows that are too long, what the gate would refuse.

    found = look_at_tokens({"all": rows}, Reader("embedded", root, "sft", 1024))

It is the gate before training that looks (train/gate.py), one part after the other; nothing rendered is kept.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.message import Conversation
from tunewright.data.audit.lengths import Histogram, histogram
from tunewright.data.audit.seen import Hits, Oddity, Scope, Shown, shown
from tunewright.data.audit.whole import AuditFinding, TokenRow, finding_of
from tunewright.models.base import resolve_base

if TYPE_CHECKING:
    from tunewright.models.template import Rendered, Renderer
    from tunewright.train.gate import GateReport, RowProblem
    from tunewright.train.spec import AdapterSpec

LOOKED_AT = 50_000
"""Rows of a part that are rendered: about a thousand of two hundred words a second."""
_LONG = ("too long", "too long to cut")


class Reader(NamedTuple):
    """What rows are rendered for."""

    base: str
    """A base's reference."""
    root: Path
    """The folder that it is relative to."""
    method: str
    max_length: int
    system: str = ""
    """The task's system prompt."""
    adapter: "AdapterSpec | None" = None
    """Settings of the adapter, whose new words are tokens."""
    over_long: Literal["fail", "drop", "cut"] | None = None
    """What the project says of long rows; None: there is no project."""


class Tokens(NamedTuple):
    """What was found."""

    rows: tuple[TokenRow, ...]
    histograms: tuple[Histogram, ...]
    findings: tuple[AuditFinding, ...]
    notes: tuple[str, ...]


def look_at_tokens(parts: Mapping[str, Sequence[Example]], reader: Reader) -> Tokens:
    """Render every row and look at its mask. Raises ModelError where the base cannot be used."""
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer
    from tunewright.train.gate import check_rows

    base = resolve_base(reader.base, reader.root)
    tokenizer = load_tokenizer(base)
    if reader.adapter is not None and reader.adapter.new_words:
        from tunewright.train.weights import own_tokenizer

        tokenizer = own_tokenizer(base, reader.adapter)
    renderer = Renderer(tokenizer)
    rows, histograms, findings, notes = [], list[Histogram](), list[AuditFinding](), list[str]()
    for part, examples in parts.items():
        if not examples:
            continue
        findings += _unfit(Scope(part, len(examples)), examples, reader.method) if part != "test" else []
        every = -(-len(examples) // LOOKED_AT)
        if every > 1:
            notes.append(
                f"of {len(examples):,} {Scope(part, 0).named} one in {every} was rendered: tokens and what the gate says are"
                " of those"
            )
            examples = _OneIn(examples, every)
        given, known = tee(_Trained(examples, reader, renderer).rows())
        report = check_rows(
            (row for row, _ in given),
            renderer,
            reader.max_length,
            reader.system,
            rendered=(pieces for _, pieces in known),
        )
        rows.append(_row(part, report, reader, base.portable_ref))
        histograms.append(histogram(part, "tokens", [size for size in report.lengths if size]))
        findings += _findings(Scope(part, len(examples)), examples, report, reader)
        notes += [f"{count:,} {Scope(part, 0).named} have {what}" for what, count in report.notes.items()]
    return Tokens(tuple(rows), tuple(histograms), tuple(findings), tuple(notes))


def _unfit(scope: Scope, examples: Sequence[Example], method: str) -> list[AuditFinding]:
    """What the method itself refuses the rows for."""
    from tunewright.train.methods import find_method
    from tunewright.train.spec import TrainSpec

    try:
        find_method(method).examine(examples, TrainSpec.model_validate({"method": method}))
    except DataError as error:
        hits = Hits()
        hits.count = scope.rows
        hits.shown = [Shown(id="", place=error.where)] if error.where else []
        message = f"{method} refuses the {scope.named}: {error.message.rstrip('.')}."
        found = finding_of(Oddity("refused_row", hits, message), scope.part)
        return [found.model_copy(update={"mend": error.fix or found.mend})]
    return []


def gate_tokens(report: Mapping[str, Any], max_length: int, base: str) -> TokenRow:
    """What the gate's artifact says of train and dev, as they are trained: nothing is rendered again."""
    over = len(report["cut"]) + len(report["dropped"])
    return _sized("train and dev", report["lengths"], sum(report["trained"]), over, max_length, base)


class _OneIn(ByPlace[Example]):
    """Every so manieth of some rows."""

    def __init__(self, rows: Sequence[Example], every: int) -> None:
        self._rows = rows
        self._every = every

    def __len__(self) -> int:
        return -(-len(self._rows) // self._every)

    def read(self, place: int) -> Example:
        return self._rows[place * self._every]


class _Trained:
    """Examples as the rows that are trained."""

    def __init__(self, examples: Sequence[Example], reader: Reader, renderer: "Renderer") -> None:
        self._examples = examples
        self._renderer = renderer
        self._longest = reader.max_length
        self._pairs = reader.method in ("dpo", "orpo")
        self._last = reader.method == "kto"

    def rows(self) -> Iterator[tuple[tuple[str, Conversation], list["Rendered"]]]:
        """(id, conversation) of every row, and a document's pieces."""
        for example in self._examples:
            pieces = self._cut(example.expected) if example.is_document else []
            for talk in self._of(example):
                yield (example.id, talk), pieces

    def _of(self, example: Example) -> Iterable[Conversation]:
        if example.is_document:
            return (example.messages,)
        from tunewright.core.message import last_answer_trained

        # what cannot be trained so is rendered all the same: the method's own word on it is told beside it
        if self._pairs and example.worse is not None:
            return (last_answer_trained(example.messages), last_answer_trained(example.worse))
        return (last_answer_trained(example.messages) if self._last else example.messages,)

    def _cut(self, text: str) -> list["Rendered"]:
        """A document's pieces, as train/length.py cuts them."""
        from tunewright.models.template import Rendered

        ids, mask = self._renderer.document(text)
        starts = range(0, max(1, len(ids) - 1), self._longest - 1)
        return [
            Rendered(ids[at : at + self._longest], [0, *mask[at + 1 : at + self._longest]]) for at in starts
        ]


def _row(part: str, report: "GateReport", reader: Reader, base: str) -> TokenRow:
    over = sum(problem.rows for problem in report.problems if problem.kind in _LONG)
    return _sized(part, report.lengths, sum(report.trained), over, reader.max_length, base)


def _sized(
    part: str, lengths: Sequence[int], trained: int, over: int, max_length: int, base: str
) -> TokenRow:
    sizes = array("q", sorted(lengths))

    def quantile(share: float) -> int:
        return sizes[max(0, math.ceil(share * len(sizes)) - 1)] if sizes else 0

    return TokenRow(
        part=part,
        rows=len(sizes),
        tokens=sum(sizes),
        trained=trained,
        median=quantile(0.5),
        p95=quantile(0.95),
        longest=quantile(1),
        over=over,
        max_length=max_length,
        base=base,
    )


def _findings(
    scope: Scope, examples: Sequence[Example], report: "GateReport", reader: Reader
) -> Iterator[AuditFinding]:
    named = {name for problem in report.problems for name in problem.ids[:3]}
    known = {row.id: row for row in examples if row.id in named} if named else {}
    for problem in report.problems:
        hits = Hits()
        hits.count = problem.rows
        hits.shown = [
            shown(known[name], _text(known[name], problem)) for name in problem.ids[:3] if name in known
        ]
        if problem.kind in _LONG:
            yield _too_long(scope, hits, reader)
            continue
        told = problem.problem()
        words = told.message.partition(" rows ")[2].rstrip(".")
        message = f"{scope.share(problem.rows)} {words}: the gate before training refuses them."
        oddity = Oddity("refused_row", hits, message)
        yield finding_of(oddity, scope.part).model_copy(update={"mend": told.fix or ""})


def _text(row: Example, problem: "RowProblem") -> str:
    return row.expected if "answer" in problem.kind or row.is_document else row.input_text


def _too_long(scope: Scope, hits: Hits, reader: Reader) -> AuditFinding:
    """Long rows: an error where the project would refuse them, else told."""
    then = {
        "fail": "training refuses them",
        "drop": "training leaves them out",
        "cut": "training takes away their oldest turns",
        None: "they would not fit",
    }[reader.over_long]
    message = f"{scope.share(hits.count)} have more than {reader.max_length:,} tokens: {then}."
    severity: Literal["error", "warning"] = "error" if reader.over_long == "fail" else "warning"
    recipe = f"{{op: max_tokens, tokens: {reader.max_length}}}"
    return finding_of(Oddity("over_length", hits, message, severity, recipe), scope.part)
