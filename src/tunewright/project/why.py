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
    holding: dict[str, list[Example]] = {source: [row]}
    touches = list[Touch]()
    for account, folder in nodes:
        given = [one for need in account.needs for one in holding.get(need, ())]
        if not given:
            continue
        reasons, changed, left = list[str](), list[Example](), list[Example]()
        for one in {one.id: one for one in given}.values():
            copies = sum(other.id == one.id for other in given)
            gone = [line["reason"] for line in _of(folder / DROPPED, row, one.id, "id")]
            made = list(_of(folder / CHANGED, row, one.id, "from"))
            changed += [new for line in made for new in _named(folder / ROWS, line["to"], row)[:1]]
            reasons += gone
            left += [one] * (copies - len(gone) - sum(not line["added"] for line in made))
        left = changed + left
        fate = "changed" if changed else "kept" if left else "dropped"
        touches.append(Touch(account.id, fate, "" if left else "; ".join(reasons), tuple(left)))
        holding[account.id] = left
    last = holding.get(nodes[-1].account.id, []) if nodes else [row]
    ids = list(dict.fromkeys(one.id for one in last))
    parts = [(part, name) for part in PARTS for name in ids if _named(split.file(f"{part}.jsonl"), name, row)]
    return Trail(row.place, source, row, tuple(touches), tuple(parts))


def _of(path: Path, row: Example, name: str, key: str) -> Iterator[dict[str, Any]]:
    """The lines of an operation's log about a row while it had this id."""
    source = row.origin.source if row.origin else ""
    for line in read_jsonl(path):
        if line[key] == name and line["place"] == row.place and line["source"] == source:
            yield line


def _named(path: Path, name: str, row: Example) -> list[Example]:
    """The examples of that id that came from the row."""
    return [one for one in _with(path, name) if one.id == name and one.origin == row.origin]


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
