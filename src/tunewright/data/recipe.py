"""Recipe: a graph of operations on rows, each written to a folder of its own with an account of every row.

    nodes = graph(file.recipe, file.sources)
    work(nodes[0], {"tickets": rows}, folder)

An operation takes what the one before it made, or what it `needs` by name; the last one's rows are the recipe's. Rows in
are rows kept and rows dropped, always; what is added (a second piece of a document) is counted apart.
"""

import json
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from importlib import import_module
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tunewright.core.errors import Problem, ProjectFileError
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.data.examples import Examples, chunks, from_lines, to_line
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import Added, Dropped, Each, FilesOnly, Kept, Means, OpSpec, Rows, Said

ROWS, DROPPED, CHANGED, ACCOUNT = "rows.jsonl", "dropped.jsonl", "changed.jsonl", "account.json"
NO_PROJECT: Means = FilesOnly(Path())
SHOWN = 3
"""Dropped rows that an account names."""
_POOL = 20_000
"""Rows from which an operation on single rows is shared out to processes: starting them takes a second."""
_AHEAD = 4
"""Chunks that wait for each process."""
_SOME = 1000
"""Rows of an operation on all rows that are written at once."""


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
    def settings(self) -> dict[str, Any]:
        """What decides its result, besides the rows that it takes, in their order; a mix knows them by name."""
        named = {"needs": list(self.needs)} if self.spec.op == "mix" else {}
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
    workers: int = 1,
) -> OpResult:
    """Carry out one operation on the rows of each of its needs; the folder `out` then has its rows and its account.

    `workers` processes share out what looks at single rows; the result is the same with any number. Raises DataError
    where its settings do not go with the rows, OSError, and what the means raise.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _Ledger(out) as ledger:
        for done in _worked(node.spec, Rows(given), means, workers):
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


def do_chunk(spec: str, lines: bytes) -> Done:
    """What an operation on single rows, its settings as JSON, makes of the lines of some rows."""
    each = _each(spec)
    return _told_up(_flat(each(row)) for row in from_lines(lines, "rows"))


@lru_cache(maxsize=8)
def _each(spec: str) -> Each:
    settings: RecipeOp = TypeAdapter(RecipeOp).validate_json(spec)
    each: Each = _module(settings).each(settings)
    return each


def _flat(said: Said | Sequence[Said]) -> Sequence[Said]:
    return (said,) if isinstance(said, Kept | Dropped | Added) else said


def _told_up(found: Iterable[Sequence[Said]]) -> Done:
    lines, dropped, changed = list[bytes](), list[dict[str, Any]](), list[dict[str, Any]]()
    tally = Counter[str]()
    rows_in = added = 0
    for one in chain.from_iterable(found):
        rows_in += not isinstance(one, Added)
        added += isinstance(one, Added)
        if isinstance(one, Dropped):
            dropped.append({"id": one.example.id, **_from(one.example), "reason": one.reason})
            continue
        lines.append(to_line(one.example))
        if isinstance(one, Kept):
            tally.update(one.tally)
        if one.was is not None and one.was != one.example:
            ids = {"from": one.was.id, "to": one.example.id, "added": isinstance(one, Added)}
            changed.append({**ids, **_from(one.was)})
    return Done(rows_in, len(lines), b"".join(lines), tuple(dropped), tuple(changed), added, dict(tally))


def _from(row: Example) -> dict[str, str]:
    """What tells a row from another with its id."""
    return {"place": row.place, "source": row.origin.source if row.origin else ""}


def _worked(spec: RecipeOp, rows: Rows, means: Means, workers: int) -> Iterator[Done]:
    """What became of the rows, in order, some of them at a time."""
    module = _module(spec)
    if not hasattr(module, "each"):
        said = iter(module.apply(spec, rows, *((means,) if hasattr(module, "USES") else ())))
        while some := list(islice(said, _SOME)):
            yield _told_up([some])
        return
    settings = spec.model_dump_json()
    pieces = chain.from_iterable(chunks(given) for given in rows.given.values())
    if workers > 1 and len(rows) >= _POOL and _may_spawn():
        yield from _shared_out(settings, pieces, workers)
    else:
        yield from (do_chunk(settings, lines) for lines in pieces)


def _may_spawn() -> bool:
    """Whether processes can be started that do not run the caller's script again: from our own commands they can."""
    main = sys.modules["__main__"]
    module = getattr(main, "__spec__", None)
    name = module.name if module else Path(getattr(main, "__file__", None) or "tw").stem
    return name.partition(".")[0] in ("tunewright", "tw", "pytest")


def _shared_out(settings: str, pieces: Iterator[bytes], workers: int) -> Iterator[Done]:
    """The pieces by some processes, in order. Where one dies (for want of memory, mostly), what is left is done here."""
    waiting: deque[bytes] = deque()
    futures: deque[Future[Done]] = deque()
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    try:
        for lines in pieces:
            waiting.append(lines)
            futures.append(pool.submit(do_chunk, settings, lines))
            if len(futures) >= _AHEAD * workers:
                yield futures.popleft().result()
                waiting.popleft()
        while futures:
            yield futures.popleft().result()
            waiting.popleft()
    except BrokenProcessPool:
        for lines in chain(waiting, pieces):
            yield do_chunk(settings, lines)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Ledger:
    """An operation's folder while it is filled, and its account."""

    def __init__(self, out: Path) -> None:
        self._rows, self._dropped, self._changed = (
            (out / name).open("wb") for name in (ROWS, DROPPED, CHANGED)
        )
        self._counts = Counter[str]()
        self._tally = Counter[str]()
        self._first = list[tuple[str, str]]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._rows, self._dropped, self._changed):
            stream.close()

    def take(self, done: Done) -> None:
        """Write down what became of some rows."""
        self._rows.write(done.lines)
        for row in done.dropped:
            self._dropped.write(_line(row))
        for row in done.changed:
            self._changed.write(_line(row))
        self._first += [(row["place"], row["reason"]) for row in done.dropped[: SHOWN - len(self._first)]]
        self._counts.update(rows_in=done.rows_in, rows_out=done.rows_out, added=done.added)
        self._tally.update(done.tally)
        self._counts.update(dropped=len(done.dropped), changed=len(done.changed))

    def account(self, node: Node) -> OpResult:
        """What the operation did."""
        return OpResult(
            id=node.id,
            op=node.spec.op,
            needs=node.needs,
            tally=dict(sorted(self._tally.items())),
            notes=_notes(node.spec),
            first=tuple(self._first),
            **{name: self._counts[name] for name in ("rows_in", "rows_out", "dropped", "changed", "added")},
        )


def _notes(spec: OpSpec) -> tuple[str, ...]:
    module = _module(spec)
    return tuple(module.notes(spec)) if hasattr(module, "notes") else ()


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _module(spec: OpSpec) -> ModuleType:
    return import_module(f"tunewright.data.ops.{spec.op}")  # type: ignore[attr-defined]
