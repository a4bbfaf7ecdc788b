"""Recipe: a graph of operations on rows, each written to a folder of its own with an account of every row.

    nodes = graph(file.recipe, file.sources)
    work(nodes[0], {"tickets": rows}, folder)

An operation takes what the one before it made, or what it `needs` by name; the last one's rows are the recipe's. Rows in
are rows kept and rows dropped, always; what is added (a second piece of a document) is counted apart, and what was tried
and not made stands in a file of its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from tunewright.core.errors import Problem, ProjectFileError
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.data.examples import Examples
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import (
    FilesOnly,
    Means,
    OpSpec,
    Report,
    Rows,
    Touched,
)
from tunewright.data.recipe_rows import Done, json_line, module_of, worked
from tunewright.data.synthetic.given_up import FILE as GIVEN_UP
from tunewright.data.workers import Sharing

ROWS, DROPPED, CHANGED, ACCOUNT = "rows.jsonl", "dropped.jsonl", "changed.jsonl", "account.json"
NO_PROJECT: Means = FilesOnly(Path())
REPORT = "report.json"
"""What an operation found in its rows, where it says so."""
TOLD = "told.jsonl"
"""In the operation's folder, where something is told of single rows."""
SHOWN = 3
"""Dropped rows that an account names."""
_COUNTED = ("rows_in", "rows_out", "dropped", "changed", "added", "given_up", "told")


class Node(NamedTuple):
    """An operation in its place in the graph."""

    id: str
    spec: RecipeOp
    needs: tuple[str, ...]
    """Ids of nodes before it, or names of sources."""
    number: int = 0
    """Its place in the recipe, from 0 on."""

    @property
    def version(self) -> str:
        """Raised when the same rows come out otherwise."""
        return str(getattr(module_of(self.spec), "VERSION", "1"))

    @property
    def is_single(self) -> bool:
        """Whether it looks at single rows, or at some at a time, so that they can be shared out."""
        return any(hasattr(module_of(self.spec), name) for name in ("each", "look", "by_keys"))

    @property
    def drops(self) -> bool:
        """Whether it does nothing but drop rows, by what they have in common."""
        return any(hasattr(module_of(self.spec), name) for name in ("look", "by_keys"))

    @property
    def settings(self) -> dict[str, Any]:
        """What decides its result, besides the rows that it takes, in their order; a mix knows them by name."""
        named: dict[str, Any] = {"needs": list(self.needs)} if self.spec.op == "mix" else {}
        if self.spec.op == "generate":  # its rows are named by it, and drawn
            named = {"id": self.id}
        return {**self.spec.model_dump(mode="json", exclude={"id", "needs"}), **named}

    @property
    def reads(self) -> Mapping[str, frozenset[str]]:
        """The fields that it asks of rows, by the setting that names them."""
        module = module_of(self.spec)
        return module.reads(self.spec) if hasattr(module, "reads") else {}

    def touches(self, given: frozenset[str]) -> Touched:
        """What it reads and changes of rows with the fields `given`, whatever these are called in its settings."""
        module = module_of(self.spec)
        found: Touched = module.touches(self.spec, given) if hasattr(module, "touches") else Touched()
        return found._replace(reads=found.reads.union(*self.reads.values()))

    def fields(self, given: frozenset[str]) -> frozenset[str] | None:
        """The fields that its rows may have, where it takes rows with those `given`; None: whatever fields."""
        module = module_of(self.spec)
        written: frozenset[str] | None = (
            module.writes(self.spec, given) if hasattr(module, "writes") else given
        )
        return None if written is None else given | written


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
    told: int = 0
    """Rows of which there is something to know; told.jsonl has it."""
    tally: dict[str, int] = {}
    """What was counted in the rows: kinds of personal data."""
    notes: tuple[str, ...] = ()
    """What is to be known of it, whatever the rows are."""
    report: dict[str, Any] = {}
    """What it found in the rows, with samples that show nothing of it; report.json has the same."""
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
        nodes.append(Node(_name(spec, known), spec, needs, number))
        if spec.op == "generate" and spec.id is None and spec.op in known:
            first = "a `generate` beside a source of that name" if spec.op in names else "a second `generate`"
            message = f"{first} needs an id: its rows are drawn by its name, and a number would be its place."
            problems.append(
                Problem(message, f"recipe.{number}", fix="Give it one: {op: generate, id: refusals, …}.")
            )
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
    found = {spec.op: str(getattr(module_of(spec), "VERSION", "1")) for spec in ops}
    return {op: version for op, version in found.items() if version != "1"}


def uses(ops: Iterable[RecipeOp]) -> tuple[str, ...]:
    """What these operations use besides rows, by the names of data/ops/op.py: `files`, `base`."""
    return tuple(sorted({name for spec in ops for name in getattr(module_of(spec), "USES", ())}))


def files(ops: Iterable[RecipeOp]) -> tuple[str, ...]:
    """The files that these operations read besides rows, as patterns below the project's folder."""
    return tuple(name for spec in ops if "files" in uses([spec]) for name in module_of(spec).files(spec))


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
    keyed: bool = False,
) -> OpResult:
    """Carry out one operation on the rows of each of its needs; the folder `out` then has its rows and its account.

    What looks at single rows is shared out to `workers`, or to so many processes, with the same result. Where what comes
    next compares the rows by their keys, `keyed` lets these be worked out while the rows are at hand. Raises DataError
    where its settings do not go with the rows, OSError, and what the means raise.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _Ledger(out) as ledger:
        for done in worked(node.spec.model_copy(update={"id": node.id}), Rows(given), means, workers, keyed):
            ledger.take(done)
    ledger.keep_keys()
    account = ledger.account(node)
    if account.rows_in != (given_rows := len(Rows(given))):
        raise RuntimeError(f"{node.spec.op} told of {account.rows_in} rows where it was given {given_rows}")
    write_json(out / ACCOUNT, account.model_dump(mode="json"))
    if account.report:
        write_json(out / REPORT, account.report)
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


class _Ledger:
    """An operation's folder while it is filled, and its account."""

    def __init__(self, out: Path) -> None:
        self._rows, self._dropped, self._changed = (
            (out / name).open("wb") for name in (ROWS, DROPPED, CHANGED)
        )
        self._out = out
        for name in (GIVEN_UP, TOLD, REPORT):
            (out / name).unlink(missing_ok=True)
        self._given_up: BinaryIO | None = None
        self._told: BinaryIO | None = None
        self._counts = Counter[str]()
        self._tally = Counter[str]()
        self._first = list[tuple[str, str]]()
        self._notes = list[str]()
        self._report: Report | None = None
        self._keys = bytearray()
        self._keyed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._rows, self._dropped, self._changed, self._given_up, self._told):
            if stream is not None:
                stream.close()

    def take(self, done: Done) -> None:
        """Write down what became of some rows."""
        self._rows.write(done.lines)
        self._keyed &= done.keys is not None
        self._keys += done.keys or b""
        self._dropped.writelines(map(json_line, done.dropped))
        self._changed.write(done.changes)
        if done.given_up:
            self._counts.update(given_up=len(done.given_up))
            self._given_up = self._given_up or (self._out / GIVEN_UP).open("wb")
            self._given_up.writelines(map(json_line, done.given_up))
        if done.told:
            self._counts.update(told=len(done.told))
            self._told = self._told or (self._out / TOLD).open("wb")
            self._told.writelines(map(json_line, done.told))
        self._first += [(row["place"], row["reason"]) for row in done.dropped[: SHOWN - len(self._first)]]
        self._counts.update(rows_in=done.rows_in, rows_out=done.rows_out, added=done.added)
        self._tally.update(done.tally)
        self._notes += done.notes
        if self._report is None:
            self._report = done.report
        elif done.report is not None:
            self._report.merge(done.report)
        self._counts.update(dropped=len(done.dropped), changed=done.changed)

    def keep_keys(self) -> None:
        """Keep the rows' keys for who reads them next, where they are known."""
        if self._keyed and self._keys:
            from tunewright.data.keyed import keep, keys_in

            keep(self._out / ROWS, keys_in(self._keys))

    def account(self, node: Node) -> OpResult:
        """What the operation did."""
        return OpResult(
            id=node.id,
            op=node.spec.op,
            needs=node.needs,
            tally=dict(sorted(self._tally.items())),
            notes=(*_notes(node.spec), *self._notes),
            report=self._report.as_json() if self._report is not None else {},
            first=tuple(self._first),
            **{name: self._counts[name] for name in _COUNTED},
        )


def _notes(spec: OpSpec) -> tuple[str, ...]:
    module = module_of(spec)
    return tuple(module.notes(spec)) if hasattr(module, "notes") else ()
