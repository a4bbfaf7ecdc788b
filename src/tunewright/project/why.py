"""Why a row is as it is, or is not there: its raw row, what each operation of the recipe made of it, and its part.

trails(project.store, made, "tickets.csv:12")     or an example's id, or the first digits of one
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

from tunewright.core.errors import UserError
from tunewright.core.example import Example, Origin
from tunewright.core.files import read_json, read_jsonl
from tunewright.data.examples import Examples, from_lines
from tunewright.data.ingest import EXAMPLES, REJECTS
from tunewright.data.parts import PARTS
from tunewright.data.recipe import CHANGED, DROPPED, ROWS, OpResult
from tunewright.project.stages.data import RECIPE
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store

_ABOUT = ("title", "page", "section", "slide", "sheet")
"""Fields that say where in its file a row stands."""
_DIGITS = 6
"""Digits of an id that name an example."""
MOST = 20
"""Rows that are told of at once."""


class Touch(NamedTuple):
    """What an operation made of a row."""

    node: str
    """The operation's id."""
    fate: str
    """kept, changed, dropped."""
    reason: str
    """Why it was dropped; else empty."""
    rows: tuple[Example, ...]
    """The row as it went on; several where it was cut in pieces, none where it was dropped."""


class Trail(NamedTuple):
    """A row's way from its file to its part."""

    place: str
    """The raw row: file and line, or record number."""
    source: str
    row: Example
    """As it was read."""
    touches: tuple[Touch, ...]
    """Each operation that it came to, in order."""
    parts: tuple[tuple[str, str], ...]
    """(part, example id) of what is left of it in the split."""


class Rejected(NamedTuple):
    """A raw row that became no example."""

    place: str
    source: str
    reason: str
    raw: str


class Trails(NamedTuple):
    """The ways of the rows that were asked for."""

    found: tuple[Trail | Rejected, ...]
    """Up to MOST."""
    more: int = 0
    """How many more rows are named so."""


def trails(store: Store, made: Mapping[str, Artifact], ref: str) -> Trails:
    """The ways of the rows that `ref` names: a place (file:row), or an example's id in the split or among the rows read.

    `made` has the artifacts of ingest, prepare and split. Raises UserError where it names none, IntegrityError where an
    operation's artifact is not what it was.
    """
    read = made["ingest"].file(EXAMPLES)
    rejected = list(_rejected(made["ingest"], ref))
    nodes = _nodes(store, made["prepare"])
    is_id = len(ref) >= _DIGITS
    placed = {
        row.place
        for part in PARTS
        for row in (_with(made["split"].file(f"{part}.jsonl"), [ref]) if is_id else ())
        if row.id.startswith(ref)
    }
    rows, more = list[Example](), 0
    of_files = Examples(read) if placed else _with(read, [ref.rpartition(":")[0] or ref])
    for row in chain(of_files, _from_nothing(nodes)):
        if row.place == ref or row.place in placed or (is_id and row.id.startswith(ref)):
            if len(rejected) + len(rows) < MOST:
                rows.append(row)
            else:
                more += 1
    if not rejected and not rows:
        raise UserError(
            f"no row is {ref!r}",
            fix="Name its file and line as `tunewright check` does (tickets.csv:12), or an example's id.",
        )
    logs = [_Log.of(node.folder, rows) for node in nodes]
    parts = {str(part): _rows_of(made["split"].file(f"{part}.jsonl"), rows) for part in PARTS}
    return Trails((*rejected, *(_trail(row, nodes, logs, parts) for row in rows)), more)


class _Node(NamedTuple):
    account: OpResult
    folder: Path


def _from_nothing(nodes: Sequence[_Node]) -> Iterator[Example]:
    """The rows that operations wrote from no other row: these are their beginning."""
    for account, folder in nodes:
        for row in _with(folder / ROWS, [account.id]) if account.op == "generate" else ():
            if row.origin is not None and row.origin.file == row.origin.source == account.id:
                yield row


def _bare(origin: Origin | None) -> Origin | None:
    """Where a row came from, whoever wrote in it since."""
    return origin and origin.model_copy(update={"teacher": "", "depth": 0})


def _nodes(store: Store, prepared: Artifact) -> list[_Node]:
    nodes = []
    for row in read_json(prepared.file(RECIPE)):
        artifact = store.get(row["artifact"])
        if artifact is None:
            raise UserError(
                f"{row['artifact']} is no longer in the store",
                fix="Delete the prepare artifact's folder and run again.",
            )
        artifact.verify()
        nodes.append(_Node(OpResult.model_validate(row["account"]), artifact.path))
    return nodes


def _rejected(ingested: Artifact, ref: str) -> Iterator[Rejected]:
    for row in read_jsonl(ingested.file(REJECTS)):
        place = f"{row['file']}:{row['row']}"
        if place == ref:
            yield Rejected(place, row["source"], row["reason"], row["raw"])


_Made = dict[tuple[Origin | None, str], list[Example]]
"""Origin and id → the rows."""


class _Log(NamedTuple):
    """What an operation's artifact says of some rows, read once for all of them."""

    dropped: dict[tuple[str, str, str], list[dict[str, Any]]]
    """By place, source and id."""
    changed: dict[tuple[str, str, str], list[dict[str, Any]]]
    """By place, source and the id before."""
    rows: _Made

    @classmethod
    def of(cls, folder: Path, rows: Sequence[Example]) -> Self:
        """The log of an operation about what came from these rows."""
        found = cls({}, {}, _rows_of(folder / ROWS, rows))
        wanted = [_quoted(row.place) for row in rows]
        for name, key, into in ((DROPPED, "id", found.dropped), (CHANGED, "from", found.changed)):
            for line in _lines_with(folder / name, wanted):
                told = json.loads(line)
                into.setdefault((told["place"], told["source"], told[key]), []).append(told)
        return found


def _trail(row: Example, nodes: list[_Node], logs: list[_Log], parts: Mapping[str, _Made]) -> Trail:
    source = row.origin.source if row.origin else ""
    holding: dict[str, list[Example]] = {source: [row]}
    touches = list[Touch]()
    for node, log in zip(nodes, logs, strict=True):
        given = [one for need in node.account.needs for one in holding.get(need, ())]
        if not given:
            continue
        copies = Counter(one.id for one in given)
        reasons, changed, left = list[str](), list[Example](), list[Example]()
        for one in {one.id: one for one in given}.values():
            about = (row.place, source, one.id)
            gone = [line["reason"] for line in log.dropped.get(about, ())]
            made = log.changed.get(about, [])
            changed += [new for line in made for new in log.rows.get((_bare(row.origin), line["to"]), [])[:1]]
            reasons += gone
            left += [one] * (copies[one.id] - len(gone) - sum(not line["added"] for line in made))
        left = changed + left
        fate = "changed" if changed else "kept" if left else "dropped"
        touches.append(Touch(node.account.id, fate, "" if left else "; ".join(reasons), tuple(left)))
        holding[node.account.id] = left
    last = holding.get(nodes[-1].account.id, []) if nodes else [row]
    ids = dict.fromkeys(one.id for one in last)
    placed = tuple((part, name) for part in PARTS for name in ids if (_bare(row.origin), name) in parts[part])
    return Trail(row.place, source, row, tuple(touches), placed)


def _rows_of(path: Path, rows: Sequence[Example]) -> _Made:
    """The examples of a file that came from these rows."""
    origins = {_bare(row.origin) for row in rows}
    wanted = [f'"file":{json.dumps(one.file, ensure_ascii=False)},"row":{one.row}' for one in origins if one]
    found: _Made = {}
    for line in _lines_with(path, wanted):
        for example in from_lines(line, str(path)):
            if (origin := _bare(example.origin)) in origins:
                found.setdefault((origin, example.id), []).append(example)
    return found


def _with(path: Path, texts: Sequence[str]) -> Iterator[Example]:
    """The examples whose lines hold one of the texts."""
    for line in _lines_with(path, [_quoted(text)[1:-1] for text in texts]):
        yield from from_lines(line, str(path))


def _lines_with(path: Path, texts: Sequence[str]) -> Iterator[bytes]:
    """The lines that hold one of the texts: no other is read as JSON."""
    wanted = [text.encode() for text in texts]
    with path.open("rb") as stream:
        for line in stream:
            if any(text in line for text in wanted):
                yield line


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def shown(row: Example) -> dict[str, Any]:
    """What a person wants to see of a row, in the order of reading."""
    about: dict[str, Any] = {name: row.fields[name] for name in _ABOUT if name in row.fields}
    said = {"text": row.expected} if row.is_document else {"input": row.input_text, "expected": row.expected}
    return {**about, **said, **({"rejected": row.rejected} if row.rejected is not None else {})}


def changes(before: Example, after: Example) -> dict[str, Any]:
    """What a person wants to see of a row that was changed: its texts and fields that are others now."""
    old, new = ({**row.fields, **shown(row)} for row in (before, after))
    return {name: value for name, value in new.items() if name not in old or old[name] != value}
