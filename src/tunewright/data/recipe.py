"""Recipe: a graph of operations on rows, each written to a folder of its own with an account of every row.

    nodes = graph(file.recipe, file.sources)
    work(nodes[0], {"tickets": rows}, folder)

An operation takes what the one before it made, or what it `needs` by name; the last one's rows are the recipe's. Rows in
are rows kept and rows dropped, always; what is added (a second piece of a document) is counted apart, and what was tried
and not made stands in a file of its own.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tunewright.core.errors import Problem, ProjectFileError
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.data.examples import Examples, chunks, from_lines, to_line
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import Added, Dropped, Each, FilesOnly, Kept, Means, Note, OpSpec, Rows, Said
from tunewright.data.synthetic.given_up import FILE as GIVEN_UP
from tunewright.data.synthetic.given_up import GivenUp
from tunewright.data.workers import Sharing, Workers

T = TypeVar("T")
ROWS, DROPPED, CHANGED, ACCOUNT = "rows.jsonl", "dropped.jsonl", "changed.jsonl", "account.json"
NO_PROJECT: Means = FilesOnly(Path())
SHOWN = 3
"""Dropped rows that an account names."""
_POOL = 20_000
"""Rows from which an operation on single rows is shared out to processes: starting them takes a second."""
_SOME = 1000
"""Rows of an operation on all rows that are written at once."""
_COUNTED = ("rows_in", "rows_out", "dropped", "changed", "added", "given_up")
_CHUNKS_HELD = 12
"""Chunks of lines that are held: some more than those rows come from."""


class Node(NamedTuple):
    """An operation in its place in the graph."""

    id: str
    spec: RecipeOp
    needs: tuple[str, ...]
    """Ids of nodes before it, or names of sources."""

    @property
    def version(self) -> str:
        """Raised when the same rows come out otherwise."""
        return str(getattr(_module(self.spec), "VERSION", "1"))

    @property
    def is_single(self) -> bool:
        """Whether it looks at single rows, or at some at a time, so that they can be shared out."""
        return any(hasattr(_module(self.spec), name) for name in ("each", "look"))

    @property
    def settings(self) -> dict[str, Any]:
        """What decides its result, besides the rows that it takes, in their order; a mix knows them by name."""
        named: dict[str, Any] = {"needs": list(self.needs)} if self.spec.op == "mix" else {}
        if self.spec.op == "generate":  # its rows are named by it, and drawn
            named = {"id": self.id}
        return {**self.spec.model_dump(mode="json", exclude={"id", "needs"}), **named}


class OpResult(BaseModel):
    """What one operation did: rows_in = rows_out − added + dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    op: str
    needs: tuple[str, ...]
    rows_in: int
    rows_out: int
    dropped: int = 0
    changed: int = 0
    """Rows that went on as other rows."""
    added: int = 0
    given_up: int = 0
    """New rows that were tried and not made; given_up.jsonl has them."""
    tally: dict[str, int] = {}
    """What was counted in the rows: kinds of personal data."""
    notes: tuple[str, ...] = ()
    """What is to be known of it, whatever the rows are."""
    first: tuple[tuple[str, str], ...] = ()
    """(the row's place, reason) of the first dropped; dropped.jsonl has them all."""


def graph(ops: Sequence[RecipeOp], sources: Iterable[str]) -> list[Node]:
    """The operations with their names and needs, in order. Raises ProjectFileError with all that is wrong with them."""
    names = tuple(sources)
    problems = list[Problem]()
    nodes = list[Node]()
    for number, spec in enumerate(ops):
        known = (*names, *(node.id for node in nodes))
        needs = spec.needs or ((nodes[-1].id,) if nodes else names)
        problems += _needs_problems(number, needs, known)
        nodes.append(Node(_name(spec, known), spec, needs))
        if spec.id in known:
            message = f"{spec.id!r} is the name of another operation or source."
            problems.append(Problem(message, f"recipe.{number}.id", fix="Give it a name of its own."))
    if problems:
        raise ProjectFileError(problems)
    used = {need for node in nodes for need in node.needs}
    for number, node in enumerate(nodes[:-1]):
        if node.id not in used:
            message = f"no operation takes what {node.id!r} makes."
            fix = (
                "Name it in the needs of a later one, or leave it out: the last one's rows are the recipe's."
            )
            problems.append(Problem(message, f"recipe.{number}", fix=fix))
    if nodes and (left := [name for name in names if name not in used]):
        fix = "Name it in the needs of an operation, or take it out of sources."
        problems.append(Problem(f"no operation takes the source {left[0]!r}.", "recipe", fix=fix))
    if problems:
        raise ProjectFileError(problems)
    return nodes


def versions(ops: Iterable[RecipeOp]) -> dict[str, str]:
    """The versions of these operations that are not the first."""
    found = {spec.op: str(getattr(_module(spec), "VERSION", "1")) for spec in ops}
    return {op: version for op, version in found.items() if version != "1"}


def uses(ops: Iterable[RecipeOp]) -> tuple[str, ...]:
    """What these operations use besides rows, by the names of data/ops/op.py: `files`, `base`."""
    return tuple(sorted({name for spec in ops for name in getattr(_module(spec), "USES", ())}))


def files(ops: Iterable[RecipeOp]) -> tuple[str, ...]:
    """The files that these operations read besides rows, as patterns below the project's folder."""
    return tuple(name for spec in ops if "files" in uses([spec]) for name in _module(spec).files(spec))


def _name(spec: OpSpec, known: Sequence[str]) -> str:
    """The operation's id, or its own name, with a number where that is taken."""
    op: str = spec.id or spec.op  # type: ignore[attr-defined]
    if spec.id or op not in known:
        return op
    return next(name for number in range(2, len(known) + 3) if (name := f"{op}-{number}") not in known)


def _needs_problems(number: int, needs: Sequence[str], known: Sequence[str]) -> Iterator[Problem]:
    where = f"recipe.{number}.needs"
    for need in needs:
        if need not in known:
            message = (
                f"{need!r} is neither a source nor an operation before this one; there are {listed(known)}."
            )
            yield Problem(
                message, where, fix=did_you_mean(need, known) or "Operations stand after what they need."
            )
    if len(set(needs)) < len(needs):
        yield Problem("a name stands twice.", where, fix="Name each once; rows taken twice are duplicates.")


def work(
    node: Node,
    given: Mapping[str, Sequence[Example]],
    out: Path,
    *,
    means: Means = NO_PROJECT,
    workers: Sharing | int = 1,
) -> OpResult:
    """Carry out one operation on the rows of each of its needs; the folder `out` then has its rows and its account.

    What looks at single rows is shared out to `workers`, or to so many processes, with the same result. Raises DataError
    where its settings do not go with the rows, OSError, and what the means raise.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _Ledger(out) as ledger:
        for done in _worked(node.spec.model_copy(update={"id": node.id}), Rows(given), means, workers):
            ledger.take(done)
    account = ledger.account(node)
    if account.rows_in != (given_rows := len(Rows(given))):
        raise RuntimeError(f"{node.spec.op} told of {account.rows_in} rows where it was given {given_rows}")
    write_json(out / ACCOUNT, account.model_dump(mode="json"))
    return account


def load_account(folder: Path) -> OpResult:
    """What an operation did, from its folder."""
    return OpResult.model_validate(read_json(folder / ACCOUNT))


class RecipeResult(NamedTuple):
    """The rows that are left, one account for each operation, and the last one's folder."""

    examples: Sequence[Example]
    steps: list[OpResult]
    folder: Path


def apply_recipe(
    nodes: Sequence[Node],
    sources: Mapping[str, Sequence[Example]],
    folder: Path,
    *,
    means: Means = NO_PROJECT,
    workers: int = 1,
) -> RecipeResult:
    """Work a graph below `folder`, each operation in a folder of its name. Raises DataError, OSError."""
    made: dict[str, Sequence[Example]] = dict(sources)
    result = RecipeResult(Rows(sources), [], folder)
    for node in nodes:
        own = folder / node.id
        given = {need: made[need] for need in node.needs}
        account = work(node, given, own, means=means, workers=workers)
        made[node.id] = Examples(own / ROWS)
        result = RecipeResult(made[node.id], [*result.steps, account], own)
    return result


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


def do_chunk(spec: str, lines: bytes) -> Done:
    """What an operation on single rows, its settings as JSON, makes of the lines of some rows."""
    each, read = _each(spec), _read(lines)

    def line(row: Example) -> bytes:
        return read[id(row)][1] if id(row) in read else to_line(row)

    return _told_up((_flat(each(row)) for row, _ in read.values()), line)


def look_at(spec: str, lines: bytes) -> Any:
    """What an operation, its settings as JSON, compares the rows of some lines by."""
    return _look(spec)(from_lines(lines, "rows"))


@lru_cache(maxsize=8)
def _look(spec: str) -> Callable[[list[Example]], Any]:
    settings: RecipeOp = TypeAdapter(RecipeOp).validate_json(spec)
    look: Callable[[list[Example]], Any] = _module(settings).look(settings)
    return look


@lru_cache(maxsize=8)
def _each(spec: str) -> Each:
    settings: RecipeOp = TypeAdapter(RecipeOp).validate_json(spec)
    each: Each = _module(settings).each(settings)
    return each


def _flat(said: Said | Sequence[Said]) -> Sequence[Said]:
    return (said,) if isinstance(said, Said) else said


def _told_up(found: Iterable[Sequence[Said]], line: Callable[[Example], bytes]) -> Done:
    lines, dropped, changed = list[bytes](), list[dict[str, Any]](), list[dict[str, Any]]()
    tally, notes, given_up = Counter[str](), list[str](), list[dict[str, Any]]()
    rows_in = added = 0
    for one in chain.from_iterable(found):
        if isinstance(one, Note):
            notes.append(one.text)
            continue
        if isinstance(one, GivenUp):
            given_up.append(one.line())
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
    text, rest = b"".join(lines), (tuple(notes), tuple(given_up))
    return Done(rows_in, len(lines), text, tuple(dropped), tuple(changed), added, dict(tally), *rest)


def _from(row: Example) -> dict[str, str]:
    """What tells a row from another with its id."""
    return {"place": row.place, "source": row.origin.source if row.origin else ""}


def _worked(spec: RecipeOp, rows: Rows, means: Means, workers: Sharing | int) -> Iterator[Done]:
    """What became of the rows, in order, some of them at a time."""
    module = _module(spec)
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
    yield from _shared_out(partial(do_chunk, spec.model_dump_json()), pieces, rows, workers)


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


class _Ledger:
    """An operation's folder while it is filled, and its account."""

    def __init__(self, out: Path) -> None:
        self._rows, self._dropped, self._changed = (
            (out / name).open("wb") for name in (ROWS, DROPPED, CHANGED)
        )
        self._out = out
        (out / GIVEN_UP).unlink(missing_ok=True)
        self._given_up: BinaryIO | None = None
        self._counts = Counter[str]()
        self._tally = Counter[str]()
        self._first = list[tuple[str, str]]()
        self._notes = list[str]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._rows, self._dropped, self._changed, self._given_up):
            if stream is not None:
                stream.close()

    def take(self, done: Done) -> None:
        """Write down what became of some rows."""
        self._rows.write(done.lines)
        for row in done.dropped:
            self._dropped.write(_line(row))
        for row in done.changed:
            self._changed.write(_line(row))
        if done.given_up:
            self._counts.update(given_up=len(done.given_up))
            self._given_up = self._given_up or (self._out / GIVEN_UP).open("wb")
            self._given_up.writelines(map(_line, done.given_up))
        self._first += [(row["place"], row["reason"]) for row in done.dropped[: SHOWN - len(self._first)]]
        self._counts.update(rows_in=done.rows_in, rows_out=done.rows_out, added=done.added)
        self._tally.update(done.tally)
        self._notes += done.notes
        self._counts.update(dropped=len(done.dropped))
        self._counts["changed"] += sum(not row["added"] for row in done.changed)

    def account(self, node: Node) -> OpResult:
        """What the operation did."""
        return OpResult(
            id=node.id,
            op=node.spec.op,
            needs=node.needs,
            tally=dict(sorted(self._tally.items())),
            notes=(*_notes(node.spec), *self._notes),
            first=tuple(self._first),
            **{name: self._counts[name] for name in _COUNTED},
        )


def _notes(spec: OpSpec) -> tuple[str, ...]:
    module = _module(spec)
    return tuple(module.notes(spec)) if hasattr(module, "notes") else ()


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _module(spec: OpSpec) -> ModuleType:
    return import_module(f"tunewright.data.ops.{spec.op}")  # type: ignore[attr-defined]
