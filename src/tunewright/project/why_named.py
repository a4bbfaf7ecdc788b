"""Which place is meant: as it is shown (`../mails.csv:5`), by the file's name (`mails.csv:5`), or by its path from here.

place = read_place("mails.csv:5")
meant(place, files_with(examples, rejects, place.row), root)      # Place("../mails.csv", 5)
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.files import read_jsonl
from tunewright.data.names import listed

_DIGITS = 18
"""A row's number has no more."""
_TEXT = rb'"(?:[^"\\]|\\.)*+"'
_ORIGIN = (
    rb'"origin":\{"source":'
    + _TEXT
    + rb',"file":('
    + _TEXT
    + rb'),"row":%d(?:,"teacher":'
    + _TEXT
    + rb',"depth":\d+)?\}\}$'
)
"""How an example's line ends (data/examples.py): what stands before may quote a place."""


class Place(NamedTuple):
    """A raw row's place."""

    file: str
    row: int

    @property
    def name(self) -> str:
        """As it is shown."""
        return f"{self.file}:{self.row}"

    @property
    def in_line(self) -> bytes:
        """How an example's line begins to say it: `row 5` is found in `row 50`, too."""
        return f'"file":{json.dumps(self.file, ensure_ascii=False)},"row":{self.row}'.encode(
            "utf-8", "surrogatepass"
        )


def read_place(ref: str) -> Place | None:
    """The place that a reference looks like; None where it is none."""
    file, _, row = ref.rpartition(":")
    return Place(file, int(row)) if file and row.isdecimal() and len(row) <= _DIGITS else None


def files_with(examples: Path | None, rejects: Path, row: int) -> set[str]:
    """The files that have a row of that number, whatever became of it; by the files of examples and of rejects."""
    found = set[bytes]()
    if examples is not None:
        wanted = re.compile(_ORIGIN % row)
        with examples.open("rb") as stream:
            found = {told[1] for line in stream if (told := wanted.search(line))}
    read = {json.loads(name) for name in found}
    return read | {one["file"] for one in read_jsonl(rejects) if one["row"] == row}


def meant(place: Place, files: Iterable[str], root: Path) -> Place:
    """The place that fits best: as it is said, else the one that ends so, or lies there from here.

    Raises UserError, with those that fit, where there are several.
    """
    known = sorted(files)
    if place.file in known:
        return place
    fitting = [name for name in known if _fits(name, place.file, root)]
    if len(fitting) > 1:
        named = listed(f"{name}:{place.row}" for name in fitting)
        raise UserError(f"{place.name} may be {named}", fix="Name one of these.")
    return place._replace(file=fitting[0]) if fitting else place


def _fits(name: str, said: str, root: Path) -> bool:
    parts = [part for part in PurePosixPath(said).parts if part != "."]
    ends_so = bool(parts) and list(PurePosixPath(name).parts[-len(parts) :]) == parts
    return ends_so or os.path.abspath(root / name) == os.path.abspath(said)
