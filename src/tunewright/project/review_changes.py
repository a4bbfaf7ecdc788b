"""The rows that an operation of the recipe changed, as they come to the review, and what they were before."""

from collections.abc import Iterator, Sequence

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.files import read_jsonl
from tunewright.core.hashing import SHORT
from tunewright.data.examples import chunks
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops.op import Rows
from tunewright.data.recipe import CHANGED, Node
from tunewright.data.review.decision import key_of
from tunewright.project.stages.data import Reached

_ID = slice(len('{"id":"'), len('{"id":"') + SHORT)
"""Where a row's line has its id."""


class Changes:
    """What one operation changed."""

    def __init__(self, node: Node, reached: Reached) -> None:
        self._node = node
        self._given = Rows({need: reached.rows[need] for need in node.needs})
        self._made: dict[int, list[tuple[str, str]]] = {}
        for line in read_jsonl(reached.made[node.id].file(CHANGED)):
            place = hash((line["source"], line["place"]))
            self._made.setdefault(place, []).append((line["from"], line["to"]))
        self._numbers: dict[str, list[int]] = {}

    def why(self, number: int, row: Example) -> str | None:
        """Whether it changed what came from the row's place."""
        source, place, _ = key_of(row)
        return f"{self._node.id} changed it" if hash((source, place)) in self._made else None

    def before(self, row: Example) -> tuple[Example, ...]:
        """What came from the row's place before the operation: one row, but of a document in pieces several."""
        source, place, _ = key_of(row)
        made = self._made.get(hash((source, place)), [])
        wanted = dict.fromkeys([was for was, to in made if to == row.id] or [was for was, _ in made])
        found = (self._given[number] for was in wanted for number in self._numbered().get(was, ()))
        return tuple({one.id: one for one in found if key_of(one)[:2] == (source, place)}.values())

    def _numbered(self) -> dict[str, list[int]]:
        """Where the rows stand that were changed, by their ids: looked up once, and not for each row that is shown."""
        if not self._numbers and self._made:
            wanted = {was for made in self._made.values() for was, _ in made}
            for number, name in enumerate(_ids(self._given)):
                if name in wanted:
                    self._numbers.setdefault(name, []).append(number)
        return self._numbers


def changes_of(name: str, before: Sequence[Node], reached: Reached) -> list[Changes]:
    """The changes of the operation of that name. Raises UserError where none before the review is called so."""
    known = {node.id: node for node in before}
    if name not in known:
        fix = did_you_mean(name, known) or "Only what stands before the review is in its rows."
        raise UserError(
            f"no operation before the review is {name!r}; there are {listed(known)}", where="--of", fix=fix
        )
    return [Changes(known[name], reached)]


def _ids(rows: Rows) -> Iterator[str]:
    """Each row's id, as its line begins with it; the rows are not read as examples."""
    for given in rows.given.values():
        for lines in chunks(given):
            for line in lines.splitlines():
                yield line[_ID].decode()
