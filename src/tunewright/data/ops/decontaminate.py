"""decontaminate: rows that hold what an evaluation asks go."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import DataError
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.files import find_files
from tunewright.data.names import listed
from tunewright.data.ops.op import Means, OpSpec, Rows, Said, judged
from tunewright.data.rows import BadFile, Row
from tunewright.data.sources import open_file
from tunewright.data.sources.chat import is_chat
from tunewright.data.spec import SourceSpec

if TYPE_CHECKING:
    from tunewright.data.contamination_meaning import Embed  # it brings numpy

USES = ("files", "embedding")
_TEXTS = ("input", "question", "text", "prompt", "query", "instruction", "problem")
"""Columns that hold what is asked, the first that a file has."""
_GOES = {
    "copied": "a copy of what an evaluation asks",
    "neighbour": "asks in other words what an evaluation asks",
}
_UNREAD = 0.01
"""The share of an evaluation's rows that may ask nothing."""


class Decontaminate(OpSpec):
    """Drop rows that ask, or hold, what evaluation files ask: word for word, edited, or inside a longer text."""

    op: Literal["decontaminate"] = "decontaminate"
    """Chooses this op."""
    against: tuple[str, ...] = Field(min_length=1)
    """Files of evaluations, relative to the project's folder; a glob takes several. The files of suites, of benchmarks."""
    column: str | None = None
    """The column that holds what is asked; left out, the first of input, question, text, prompt, query, instruction and
    problem, or a chat row's last question."""
    neighbours: bool = False
    """Whether rows go, too, that are no copies but share half of their phrases with an evaluation text."""
    embedding: EmbeddingSpec | None = None
    """What places texts by their meaning: rows go, too, that say in other words, or in another order, what an evaluation
    asks, closer to it than the rows are to each other. Left out, words alone tell. `{model: words}` finds another order of
    short texts."""


def files(spec: Decontaminate) -> tuple[str, ...]:
    """The files of evaluations."""
    return spec.against


def apply(spec: Decontaminate, rows: Rows, means: Means) -> Iterator[Said]:
    """Drop what is copied.

    Raises DataError where a file cannot be read or has no such column, or asks nothing, or there are too many rows to place.
    """
    from tunewright.data.contamination import copied_rows, find_copies
    from tunewright.data.contamination_meaning import MOST

    if spec.embedding is not None and len(rows) > MOST:
        raise DataError(
            f"there are {len(rows):,} rows, and the meaning of up to {MOST:,} can be compared.",
            where="recipe, decontaminate.embedding",
            fix="Leave it out here, which takes millions; or put sample, or drop_near_duplicates, before it.",
        )
    asked = [pair for pattern in spec.against for pair in _asked(pattern, spec.column, means.root)]
    if not asked:
        raise DataError("the files ask nothing.", where="recipe, decontaminate.against")
    texts, trained = [text for text, _ in asked], _Texts(rows)
    reasons = {
        hit.row: f"{_GOES[hit.verdict]}: {asked[hit.eval][1]}"
        for hit in copied_rows(texts, trained, embed=_placed(spec, means))
    }
    for hit in find_copies(texts, trained).hits if spec.neighbours else ():
        reasons.setdefault(hit.row, f"a neighbour of what an evaluation asks: {asked[hit.eval][1]}")
    for number, row in enumerate(rows):
        yield judged(row, reasons.get(number))


def _placed(spec: Decontaminate, means: Means) -> "Embed | None":
    embedding = spec.embedding
    return None if embedding is None else lambda texts: means.embed(texts, embedding)


class _Texts(ByPlace[str]):
    """What is asked in each row; a document whole."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[str]:
        return (row.input_text for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, place: int) -> str:
        return self._rows[place].input_text


def _asked(pattern: str, column: str | None, root: Path) -> Iterator[tuple[str, str]]:
    """What the files ask, each with its place."""
    spec = SourceSpec(path=pattern)
    where = "recipe, decontaminate.against"
    try:
        for file in find_files(spec, root):
            read = unread = 0
            with closing(open_file(file.path, spec).table.rows) as rows:
                for row in rows:
                    text = _text(row.values, column, file.name) if isinstance(row, Row) else ""
                    read, unread = read + 1, unread + (not text.strip())
                    if text.strip():
                        yield text, f"{file.name}:{row.number}"
            if unread > _UNREAD * read:
                raise DataError(
                    f"of {file.name}, {unread:,} of {read:,} rows ask nothing that can be read: what they ask would stay.",
                    where=where,
                    fix="Mend these rows, or name the column that holds what is asked: column: …",
                )
    except BadFile as error:
        raise DataError(error.message, where=where, fix=error.fix) from None


def _text(values: dict[str, Any], column: str | None, name: str) -> str:
    if column is None and is_chat(values):
        said = [
            turn.get("content")
            for turn in values["messages"]
            if isinstance(turn, dict) and turn.get("role") == "user"
        ]
        return _plain(said[-1]) if said else ""
    chosen = next((one for one in ((column,) if column else _TEXTS) if one in values), None)
    if chosen is None:
        raise DataError(
            f"of {name} it is not known which column holds what is asked; there are {listed(values)}.",
            where="recipe, decontaminate.column",
            fix="Name it: column: …",
        )
    return _plain(values[chosen])


def _plain(said: Any) -> str:
    """A text, or the texts of a message's parts; nothing for anything else."""
    if isinstance(said, list):
        return "\n".join(
            part["text"] for part in said if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return said if isinstance(said, str) else ""
