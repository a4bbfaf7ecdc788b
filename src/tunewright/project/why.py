"""Why a row is as it is, or is not there: its raw row, what each operation of the recipe made of it, and its part.

trails(reach_split(project), "tickets.csv:12", project.root)     or an example's id, or the first digits of one
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

from tunewright.core.errors import Problem, ProblemsError, UserError
from tunewright.core.example import Example, Origin
from tunewright.core.files import read_jsonl
from tunewright.data.examples import from_lines
from tunewright.data.parts import PARTS
from tunewright.data.recipe import CHANGED, DROPPED, ROWS
from tunewright.project.why_named import Place, files_with, meant, read_place
from tunewright.project.why_reached import Reached, Worked

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
    ended: bool = False
    """Whether operations dropped it, and nothing of it goes on by another way."""


class Rejected(NamedTuple):
    """A raw row that became no example."""

    place: str
    source: str
    reason: str
    raw: str
    passed_over: bool = False
    """Whether nothing is wrong with it: a conversation that nobody answered, say."""


class Trails(NamedTuple):
    """The ways of the rows that were asked for."""

    found: tuple[Trail | Rejected, ...]
    """Up to MOST."""
    more: int = 0
    """How many more rows are named so."""
    stopped: Problem | None = None
    """Where the rows that go on could be followed no further, and why; None where they were followed to the split, or where
    none goes on: all were set aside or dropped."""


def trails(reached: Reached, ref: str, root: Path) -> Trails:
    """The ways of the rows that `ref` names, as far as there is anything of them: a place (file:row), or the id of an
    example in the split, among the rows read or among those of an operation.

    `root` is the project's folder. Raises UserError where it names none, or may name several places.
    """
    nodes = reached.nodes
    place = read_place(ref)
    if place is not None:
        place = meant(place, files_with(reached.examples, reached.rejects, place.row), root)
    rejected = [] if place is None else list(_rejected(reached.rejects, place))
    places = {place} if place is not None else set()
    if is_id := len(ref) >= _DIGITS:
        places |= set(_places_of(reached, ref))
    wanted = [*(one.in_line for one in places), *([_plain(ref)] if is_id else [])]
    rows, more = list[Example](), 0
    read = _with(reached.examples, wanted) if reached.examples is not None else ()
    for row in chain(read, _from_nothing(nodes)):
        if _place(row) in places or (is_id and row.id.startswith(ref)):
            if len(rejected) + len(rows) < MOST:
                rows.append(row)
            else:
                more += 1
    if not rejected and not rows:
        raise _nothing(ref, reached)
    logs = [_Log.of(node.folder, rows) for node in nodes]
    parts = {part: _rows_of(path, rows) for part, path in _parts(reached)}
    found: list[Trail | Rejected] = [*rejected, *(_trail(row, nodes, logs, parts) for row in rows)]
    goes_on = any(isinstance(one, Trail) and not one.ended for one in found)
    stopped = _stopped(reached, reached.stopped) if reached.stopped is not None and goes_on else None
    return Trails(tuple(found), more, stopped)


def _nothing(ref: str, reached: Reached) -> UserError:
    if reached.examples is None and reached.stopped is not None:
        first = _first(reached.stopped)
        why = first.message.rstrip(".")
        message = f"{ref!r} is no row that was set aside, and others are not kept where the sources cannot be used: {why}"
        return UserError(message, where=first.where, fix=first.fix)
    said = _stopped(reached, reached.stopped).message if reached.stopped else ""
    further = f" {said[:1].upper()}{said[1:]}." if said else ""
    fix = "Name its file and line as `tunewright check` does (tickets.csv:12), or an example's id."
    return UserError(f"no row is {ref!r}", fix=f"{fix}{further}")


def _stopped(reached: Reached, error: UserError) -> Problem:
    first = _first(error)
    message = f"rows were followed up to {reached.last} and no further: {first.message.rstrip('.')}"
    return Problem(message, first.where, first.fix)


def _first(error: UserError) -> Problem | UserError:
    return error.problems[0] if isinstance(error, ProblemsError) else error


def _parts(reached: Reached) -> list[tuple[str, Path]]:
    """The split's parts with their files; none where there is no split."""
    return [(str(part), reached.split.file(f"{part}.jsonl")) for part in PARTS] if reached.split else []


def _places_of(reached: Reached, ref: str) -> Iterator[Place]:
    """The places of rows whose id begins so in the split; without one, among the rows that operations made."""
    files = [path for _, path in _parts(reached)] or [node.folder / ROWS for node in reached.nodes]
    for path in files:
        for row in _with(path, [_plain(ref)]):
            if row.id.startswith(ref) and (place := _place(row)):
                yield place


def _place(row: Example) -> Place | None:
    return Place(row.origin.file, row.origin.row) if row.origin else None


def _from_nothing(nodes: Sequence[Worked]) -> Iterator[Example]:
    """The rows that operations wrote from no other row: these are their beginning."""
    for account, folder in nodes:
        for row in _with(folder / ROWS, [_quoted(account.id)]) if account.op == "generate" else ():
            if row.origin is not None and row.origin.file == row.origin.source == account.id:
                yield row


def _bare(origin: Origin | None) -> Origin | None:
    """Where a row came from, whoever wrote in it since."""
    return origin and origin.model_copy(update={"teacher": "", "depth": 0})


def _rejected(rejects: Path, place: Place) -> Iterator[Rejected]:
    for row in read_jsonl(rejects):
        if (place.file, place.row) == (row["file"], row["row"]):
            yield Rejected(
                place.name, row["source"], row["reason"], row["raw"], row.get("passed_over", False)
            )


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


def _trail(row: Example, nodes: Sequence[Worked], logs: list[_Log], parts: Mapping[str, _Made]) -> Trail:
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
    placed = tuple((part, name) for part in parts for name in ids if (_bare(row.origin), name) in parts[part])
    taken = {need for node in nodes for need in node.account.needs}
    ended = not any(left for name, left in holding.items() if name not in taken)
    return Trail(row.place, source, row, tuple(touches), placed, ended)


def _rows_of(path: Path, rows: Sequence[Example]) -> _Made:
    """The examples of a file that came from these rows."""
    origins = {_bare(row.origin) for row in rows}
    wanted = [place.in_line for row in rows if (place := _place(row))]
    found: _Made = {}
    for example in _with(path, wanted):
        if (origin := _bare(example.origin)) in origins:
            found.setdefault((origin, example.id), []).append(example)
    return found


def _with(path: Path, texts: Sequence[bytes]) -> Iterator[Example]:
    """The examples whose lines hold one of the texts."""
    for line in _lines_with(path, texts):
        yield from from_lines(line, str(path))


def _lines_with(path: Path, texts: Sequence[bytes]) -> Iterator[bytes]:
    """The lines that hold one of the texts: no other is read as JSON."""
    with path.open("rb") as stream:
        for line in stream:
            if any(text in line for text in texts):
                yield line


def _quoted(text: str) -> bytes:
    return _plain(json.dumps(text, ensure_ascii=False))


def _plain(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # what a shell gives need be no text


def shown(row: Example) -> dict[str, Any]:
    """What a person wants to see of a row, in the order of reading."""
    about: dict[str, Any] = {name: row.fields[name] for name in _ABOUT if name in row.fields}
    said = {"text": row.expected} if row.is_document else {"input": row.input_text, "expected": row.expected}
    return {**about, **said, **({"rejected": row.rejected} if row.rejected is not None else {})}


def changes(before: Example, after: Example) -> dict[str, Any]:
    """What a person wants to see of a row that was changed: its texts and fields that are others now."""
    old, new = ({**row.fields, **shown(row)} for row in (before, after))
    return {name: value for name, value in new.items() if name not in old or old[name] != value}
