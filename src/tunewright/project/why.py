"""Why a row is as it is, or is not there: its raw row, what each operation of the recipe made of it, and its part.

trails(project.store, made, "tickets.csv:12")     or an example's id, or the first digits of one
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.example import Example
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


def trails(store: Store, made: Mapping[str, Artifact], ref: str) -> list[Trail | Rejected]:
    """The ways of the rows that `ref` names: a place (file:row), or an example's id in the split or among the rows read.

    `made` has the artifacts of ingest, prepare and split. Raises UserError where it names none.
    """
    read = made["ingest"].file(EXAMPLES)
    found: list[Trail | Rejected] = [*_rejected(made["ingest"], ref)]
    nodes = _nodes(store, made["prepare"])
    is_id = len(ref) >= _DIGITS
    placed = {
        row.place
        for part in PARTS
        for row in (_with(made["split"].file(f"{part}.jsonl"), ref) if is_id else ())
        if row.id.startswith(ref)
    }
    for row in Examples(read) if placed else _with(read, ref.rpartition(":")[0] or ref):
        named = row.place == ref or row.place in placed or (is_id and row.id.startswith(ref))
        if named and len(found) < MOST:
            found.append(_trail(row, nodes, made["split"]))
    if not found:
        raise UserError(
            f"no row is {ref!r}",
            fix="Name its file and line as `tunewright check` does (tickets.csv:12), or an example's id.",
        )
    return found


class _Node(NamedTuple):
    account: OpResult
    folder: Path


def _nodes(store: Store, prepared: Artifact) -> list[_Node]:
    nodes = []
    for row in read_json(prepared.file(RECIPE)):
        artifact = store.get(row["artifact"])
        if artifact is None:
            raise UserError(
                f"{row['artifact']} is no longer in the store",
                fix="Delete the prepare artifact's folder and run again.",
            )
        nodes.append(_Node(OpResult.model_validate(row["account"]), artifact.path))
    return nodes


def _rejected(ingested: Artifact, ref: str) -> Iterator[Rejected]:
    for row in read_jsonl(ingested.file(REJECTS)):
        place = f"{row['file']}:{row['row']}"
        if place == ref:
            yield Rejected(place, row["source"], row["reason"], row["raw"])


def _trail(row: Example, nodes: list[_Node], split: Artifact) -> Trail:
    source = row.origin.source if row.origin else ""
    holding: dict[str, dict[str, Example]] = {source: {row.id: row}}
    touches = list[Touch]()
    for account, folder in nodes:
        given = {name: one for need in account.needs for name, one in holding.get(need, {}).items()}
        if not given:
            continue
        reason = next(_reasons(folder, given, row.place), None)
        changes = _changes(folder, given)
        after = {one.id: one for _, name in changes for one in _named(folder / ROWS, name, row.place)}
        stayed = {name: one for name, one in given.items() if name not in dict(changes)}
        left = after | (stayed if reason is None else {})
        fate = "changed" if after else "kept" if reason is None else "dropped"
        touches.append(Touch(account.id, fate, reason or "", tuple(left.values())))
        holding[account.id] = left
    last = holding.get(nodes[-1].account.id, {}) if nodes else holding[source]
    parts = tuple((part, name) for name in last for part in PARTS if _stands(split, part, name, row.place))
    return Trail(row.place, source, row, tuple(touches), parts)


def _reasons(folder: Path, given: Mapping[str, Example], place: str) -> Iterator[str]:
    for line in read_jsonl(folder / DROPPED):
        if line["id"] in given and line["place"] == place:
            yield line["reason"]


def _changes(folder: Path, given: Mapping[str, Example]) -> list[tuple[str, str]]:
    """(the id before, the id after); a row in pieces has several."""
    lines = read_jsonl(folder / CHANGED)
    return [(line["from"], line["to"]) for line in lines if line["from"] in given]


def _stands(split: Artifact, part: str, name: str, place: str) -> bool:
    return any(True for _ in _named(split.file(f"{part}.jsonl"), name, place))


def _named(path: Path, name: str, place: str) -> Iterator[Example]:
    return (row for row in _with(path, name) if row.id == name and row.place == place)


def _with(path: Path, text: str) -> Iterator[Example]:
    """The examples whose lines hold the text: the others are not read as examples."""
    wanted = json.dumps(text, ensure_ascii=False)[1:-1].encode()
    with path.open("rb") as stream:
        for line in stream:
            if wanted in line:
                yield from from_lines(line, str(path))


def shown(row: Example) -> dict[str, Any]:
    """What a person wants to see of a row, in the order of reading."""
    about: dict[str, Any] = {name: row.fields[name] for name in _ABOUT if name in row.fields}
    said = {"text": row.expected} if row.is_document else {"input": row.input_text, "expected": row.expected}
    return {**about, **said, **({"rejected": row.rejected} if row.rejected is not None else {})}


def changes(before: Example, after: Example) -> dict[str, Any]:
    """What a person wants to see of a row that was changed: its texts and fields that are others now."""
    old, new = ({**row.fields, **shown(row)} for row in (before, after))
    return {name: value for name, value in new.items() if name not in old or old[name] != value}
