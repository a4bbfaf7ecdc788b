"""What an operation of a recipe makes of rows, here or shared out to processes, and what is told of it.

for done in worked(spec, Rows(given), means, workers):
    done.lines, done.dropped
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from itertools import chain, islice
from json.encoder import encode_basestring as _quoted
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import TypeAdapter

from tunewright.core.example import Example
from tunewright.data.examples import chunks, from_lines, to_line
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import Added, Dropped, Each, Kept, Means, Note, OpSpec, Report, Rows, Said, Told
from tunewright.data.synthetic.given_up import GivenUp
from tunewright.data.workers import MANY_ROWS, Sharing, Workers

if TYPE_CHECKING:
    from tunewright.data.keyed import Keys

T = TypeVar("T")
_ENCODER = json.JSONEncoder(ensure_ascii=False)
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
    changed: int
    """Rows that go on as other rows."""
    changes: bytes
    """Lines: of each place and source, the id that it had (`from`) and has now (`to`), and whether that is `added` to one
    kept."""
    added: int
    tally: dict[str, int]
    notes: tuple[str, ...] = ()
    given_up: tuple[dict[str, Any], ...] = ()
    """Rows that were tried and not made."""
    told: tuple[dict[str, Any], ...] = ()
    """What is to be known of single rows."""
    report: Report | None = None
    keys: bytes | None = None
    """Of the rows that go on, where they are at hand (data/keyed.py)."""


def do_chunk(spec: str, lines: bytes, before: tuple[Hashable, ...] = (), keyed: bool = False) -> Done:
    """What an operation on single rows, its settings as JSON, makes of the lines of some rows; `before` is what it worked
    out beforehand, if it does. With `keyed` it tells their keys."""
    each, read = _each(spec, before), _read(lines)
    report: Callable[[], Report] | None = getattr(each, "report", None)
    if report is not None:
        report()  # what is left of rows on which it failed

    def line(row: Example) -> bytes:
        return read[id(row)][1] if id(row) in read else to_line(row)

    many: Callable[[list[Example]], Sequence[Said]] | None = getattr(each, "many", None)
    rows = [row for row, _ in read.values()]
    done = _told_up([many(rows)] if many is not None else (_flat(each(row)) for row in rows), line, keyed)
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


def _told_up(found: Iterable[Sequence[Said]], line: Callable[[Example], bytes], keyed: bool = False) -> Done:
    kept = list[Example]()
    lines, dropped, changes = list[bytes](), list[dict[str, Any]](), list[bytes]()
    tally, notes = Counter[str](), list[str]()
    given_up, told = list[dict[str, Any]](), list[dict[str, Any]]()
    rows_in = added = changed = 0
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
        kept.append(one.example)
        if isinstance(one, Kept):
            for what, count in one.tally.items():
                tally[what] += count
        if one.was is not None and (one.was.id != one.example.id or one.was != one.example):
            changes.append(_change(one.was, one.example.id, isinstance(one, Added)))
            changed += not isinstance(one, Added)
    made = (rows_in, len(lines), b"".join(lines), tuple(dropped), changed, b"".join(changes), added)
    done = Done(*made, dict(tally), tuple(notes), tuple(given_up), tuple(told))
    return done._replace(keys=_keys_of(kept)) if keyed else done


def json_line(row: Mapping[str, Any]) -> bytes:
    """What is told of a row, as a line."""
    return (_ENCODER.encode(row) + "\n").encode()


def _change(was: Example, to: str, added: bool) -> bytes:
    """The line that says what a row was before, as `json_line` writes it: most rows of some operations have one."""
    ids = f'"from": {_quoted(was.id)}, "to": {_quoted(to)}, "added": {"true" if added else "false"}'
    place, source = map(_quoted, _from(was).values())
    return f'{{{ids}, "place": {place}, "source": {source}}}\n'.encode()


def _from(row: Example) -> dict[str, str]:
    """What tells a row from another with its id."""
    return {"place": row.place, "source": row.origin.source if row.origin else ""}


def worked(
    spec: RecipeOp, rows: Rows, means: Means, workers: Sharing | int, keyed: bool = False
) -> Iterator[Done]:
    """What became of the rows, in order, some of them at a time. Asked for `keyed` rows, an operation on single rows tells
    their keys; those that drop rows hand on what keys are known."""
    module = module_of(spec)
    if hasattr(module, "by_keys") or hasattr(module, "look"):
        keys = _known_keys(rows)
        if keys is None and hasattr(module, "by_keys"):
            keys = _keys(rows, workers)
        yield from _sifted(rows, _reasons(spec, rows, keys, workers), keys)
        return
    if not hasattr(module, "each"):
        held = _Held(rows.given)
        said = iter(module.apply(spec, held, *((means,) if hasattr(module, "USES") else ())))
        while some := list(islice(said, _SOME)):
            yield _told_up([some], held.line)
        return
    before = (module.before(spec, rows, means),) if hasattr(module, "before") else ()
    work = partial(do_chunk, spec.model_dump_json(), before=before, keyed=keyed)
    yield from _shared_out(work, rows, workers)


def reasons(spec: RecipeOp, rows: Rows) -> Iterator[str | None]:
    """Why an operation that does nothing but drop rows drops each of them; None where the row stays."""
    keys = _keys(rows, 1) if hasattr(module_of(spec), "by_keys") else None
    return _reasons(spec, rows, keys, 1)


def _reasons(spec: RecipeOp, rows: Rows, keys: "Keys | None", workers: Sharing | int) -> Iterator[str | None]:
    module = module_of(spec)
    found: Iterator[str | None]
    if hasattr(module, "by_keys"):
        found = module.by_keys(spec, keys, rows)
    else:
        found = module.judge(spec, _shared_out(partial(look_at, spec.model_dump_json()), rows, workers), rows)
    return found


def _known_keys(rows: Rows) -> "Keys | None":
    """The keys of the rows, where they are known: those of one file may be."""
    from tunewright.data.keyed import take

    given = list(rows.given.values())
    return take(given[0]) if len(given) == 1 else None


def _keys(rows: Rows, workers: Sharing | int) -> "Keys":
    from tunewright.data.keyed import keys_in

    joined = bytearray()
    for one in _shared_out(_keys_of_lines, rows, workers):  # no list of pieces: twice the memory
        joined += one
    return keys_in(joined)


def _keys_of_lines(lines: bytes) -> bytes:
    return _keys_of(from_lines(lines, "rows"))


def _keys_of(rows: Sequence[Example]) -> bytes:
    from tunewright.data.keyed import look  # it brings numpy

    return look(rows)


def _shared_out(work: Callable[[bytes], T], rows: Rows, workers: Sharing | int) -> Iterator[T]:
    """What `work` makes of the rows' lines, some at a time and in order; few are not worth starting processes for."""
    pieces = _pieces(rows)
    if len(rows) < MANY_ROWS:
        yield from map(work, pieces)
    elif isinstance(workers, int):
        with Workers(workers) as started:
            yield from started.each(work, pieces)
    else:
        yield from workers.each(work, pieces)


def _pieces(rows: Rows) -> Iterator[bytes]:
    return chain.from_iterable(chunks(given) for given in rows.given.values())


def _sifted(rows: Rows, reasons: Iterator[str | None], keys: "Keys | None") -> Iterator[Done]:
    """The rows without those that have a reason to go, with their keys where they are known; the others' lines are not
    read."""
    begin = 0
    for lines in _pieces(rows):
        kept, dropped, places = list[bytes](), list[dict[str, Any]](), list[int]()
        for place, line in enumerate(lines.splitlines(keepends=True), begin):
            reason = next(reasons)
            if reason is None:
                places.append(place)
                kept.append(line)
            else:
                example = from_lines(line, "rows")[0]
                dropped.append({"id": example.id, **_from(example), "reason": reason})
        begin += len(kept) + len(dropped)
        done = Done(len(kept) + len(dropped), len(kept), b"".join(kept), tuple(dropped), 0, b"", 0, {})
        yield done if keys is None else done._replace(keys=keys[places].tobytes())


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
