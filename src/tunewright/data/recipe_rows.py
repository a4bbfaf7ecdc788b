"""What an operation of a recipe makes of rows, here or shared out to processes, and what is told of it.

for done in worked(spec, Rows(given), means, workers):
    done.lines, done.dropped
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from itertools import chain, islice
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter

from tunewright.core.example import Example
from tunewright.data.examples import chunks, from_lines, to_line
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import Added, Dropped, Each, Kept, Means, Note, OpSpec, Report, Rows, Said, Told
from tunewright.data.synthetic.given_up import GivenUp
from tunewright.data.workers import Sharing, Workers

T = TypeVar("T")
_POOL = 20_000
"""Rows from which an operation on single rows is shared out to processes: starting them takes a second."""
_SOME = 1000
"""Rows of an operation on all rows that are written at once."""
_CHUNKS_HELD = 12
"""Chunks of lines that are held: some more than those rows come from."""


class Done(NamedTuple):
    """What became of some rows, told up. Plain values: it may come from another process."""

    rows_in: int
    rows_out: int
    lines: bytes
    """Of the rows that go on, the added ones too."""
    dropped: tuple[dict[str, Any], ...]
    """id, place, source and reason of each."""
    changed: tuple[dict[str, Any], ...]
    """Of each place and source, the id that it had (`from`) and has now (`to`), and whether that is `added` to one kept."""
    added: int
    tally: dict[str, int]
    notes: tuple[str, ...] = ()
    given_up: tuple[dict[str, Any], ...] = ()
    """Rows that were tried and not made."""
    told: tuple[dict[str, Any], ...] = ()
    """What is to be known of single rows."""
    report: Report | None = None


def do_chunk(spec: str, lines: bytes, before: tuple[Hashable, ...] = ()) -> Done:
    """What an operation on single rows, its settings as JSON, makes of the lines of some rows; `before` is what it worked
    out beforehand, if it does."""
    each, read = _each(spec, before), _read(lines)
    report: Callable[[], Report] | None = getattr(each, "report", None)
    if report is not None:
        report()  # what is left of rows on which it failed

    def line(row: Example) -> bytes:
        return read[id(row)][1] if id(row) in read else to_line(row)

    done = _told_up((_flat(each(row)) for row, _ in read.values()), line)
    return done if report is None else done._replace(report=report())


def look_at(spec: str, lines: bytes) -> Any:
    """What an operation, its settings as JSON, compares the rows of some lines by."""
    return _look(spec)(from_lines(lines, "rows"))


@lru_cache(maxsize=8)
def _look(spec: str) -> Callable[[list[Example]], Any]:
    settings: RecipeOp = TypeAdapter(RecipeOp).validate_json(spec)
    look: Callable[[list[Example]], Any] = module_of(settings).look(settings)
    return look


@lru_cache(maxsize=8)
def _each(spec: str, before: tuple[Hashable, ...]) -> Each:
    settings: RecipeOp = TypeAdapter(RecipeOp).validate_json(spec)
    each: Each = module_of(settings).each(settings, *before)
    return each


def _flat(said: Said | Sequence[Said]) -> Sequence[Said]:
    return (said,) if isinstance(said, Said) else said


def _told_up(found: Iterable[Sequence[Said]], line: Callable[[Example], bytes]) -> Done:
    lines, dropped, changed = list[bytes](), list[dict[str, Any]](), list[dict[str, Any]]()
    tally, notes = Counter[str](), list[str]()
    given_up, told = list[dict[str, Any]](), list[dict[str, Any]]()
    rows_in = added = 0
    for one in chain.from_iterable(found):
        if isinstance(one, Note):
            notes.append(one.text)
            continue
        if isinstance(one, GivenUp):
            given_up.append(one.line())
            continue
        if isinstance(one, Told):
            told.append({"id": one.example.id, **_from(one.example), **one.what})
            continue
        rows_in += not isinstance(one, Added)
        added += isinstance(one, Added)
        if isinstance(one, Dropped):
            dropped.append({"id": one.example.id, **_from(one.example), "reason": one.reason})
            continue
        lines.append(line(one.example))
        if isinstance(one, Kept):
            for what, count in one.tally.items():
                tally[what] += count
        if one.was is not None and one.was != one.example:
            ids = {"from": one.was.id, "to": one.example.id, "added": isinstance(one, Added)}
            changed.append({**ids, **_from(one.was)})
    text, rest = b"".join(lines), (tuple(notes), tuple(given_up), tuple(told))
    return Done(rows_in, len(lines), text, tuple(dropped), tuple(changed), added, dict(tally), *rest)


def _from(row: Example) -> dict[str, str]:
    """What tells a row from another with its id."""
    return {"place": row.place, "source": row.origin.source if row.origin else ""}


def worked(spec: RecipeOp, rows: Rows, means: Means, workers: Sharing | int) -> Iterator[Done]:
    """What became of the rows, in order, some of them at a time."""
    module = module_of(spec)
    pieces = chain.from_iterable(chunks(given) for given in rows.given.values())
    if hasattr(module, "look"):
        looks = _shared_out(partial(look_at, spec.model_dump_json()), pieces, rows, workers)
        yield from _sifted(rows, module.judge(spec, looks, rows))
        return
    if not hasattr(module, "each"):
        held = _Held(rows.given)
        said = iter(module.apply(spec, held, *((means,) if hasattr(module, "USES") else ())))
        while some := list(islice(said, _SOME)):
            yield _told_up([some], held.line)
        return
    before = (module.before(spec, rows, means),) if hasattr(module, "before") else ()
    yield from _shared_out(partial(do_chunk, spec.model_dump_json(), before=before), pieces, rows, workers)


def _shared_out(
    work: Callable[[bytes], T], pieces: Iterator[bytes], rows: Rows, workers: Sharing | int
) -> Iterator[T]:
    """What `work` makes of the pieces, in order; few rows are not worth starting processes for."""
    if len(rows) < _POOL:
        yield from map(work, pieces)
    elif isinstance(workers, int):
        with Workers(workers) as started:
            yield from started.each(work, pieces)
    else:
        yield from workers.each(work, pieces)


def _sifted(rows: Rows, reasons: Iterator[str | None]) -> Iterator[Done]:
    """The rows without those that have a reason to go; the others' lines are not read."""
    for lines in chain.from_iterable(chunks(given) for given in rows.given.values()):
        kept, dropped = list[bytes](), list[dict[str, Any]]()
        for line in lines.splitlines(keepends=True):
            reason = next(reasons)
            if reason is None:
                kept.append(line)
            else:
                example = from_lines(line, "rows")[0]
                dropped.append({"id": example.id, **_from(example), "reason": reason})
        yield Done(len(kept) + len(dropped), len(kept), b"".join(kept), tuple(dropped), (), 0, {})


class _Held(Rows):
    """Rows of which the lines of those read last are held, so that one that goes on as it is is not written anew."""

    def __init__(self, given: Mapping[str, Sequence[Example]]) -> None:
        super().__init__(given)
        self._held: deque[dict[int, tuple[Example, bytes]]] = deque(maxlen=_CHUNKS_HELD)

    def __iter__(self) -> Iterator[Example]:
        for rows in self.given.values():
            for lines in chunks(rows):
                read = _read(lines)
                self._held.append(read)
                for row, _ in read.values():
                    yield row

    def line(self, row: Example) -> bytes:
        """The row's line."""
        for read in reversed(self._held):
            if id(row) in read:  # it is held, so no other has its id
                return read[id(row)][1]
        return to_line(row)


def _read(lines: bytes) -> dict[int, tuple[Example, bytes]]:
    """The rows of some lines, each with its line, by the row's identity in memory."""
    rows = from_lines(lines, "rows")
    return {id(row): (row, line) for row, line in zip(rows, lines.splitlines(keepends=True), strict=True)}


def module_of(spec: OpSpec) -> ModuleType:
    """The operation's own module."""
    return import_module(f"tunewright.data.ops.{spec.op}")  # type: ignore[attr-defined]
