"""decontaminate: rows that hold what an evaluation asks go; those that are near it are told."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from heapq import nlargest
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.excerpt import excerpt
from tunewright.data.files import find_files
from tunewright.data.names import listed
from tunewright.data.ops.op import REJECTED, Means, Note, OpSpec, Rows, Said, Told, Touched, judged
from tunewright.data.questions import question_of
from tunewright.data.rows import BadFile, Row
from tunewright.data.sources import open_file
from tunewright.data.spec import SourceSpec

if TYPE_CHECKING:  # they bring numpy
    from tunewright.data.contamination import Hit, Search
    from tunewright.data.contamination_meaning import Embed
    from tunewright.data.contamination_turns import SaidRows

USES = ("files", "embedding")
VERSION = "3"
SUITES = "suites"
"""Among the files: those of all suites. Who reads a project file puts them in its place."""
_SHOWN = 3
"""Rows near an evaluation that a note shows."""
_EXCERPT = 90
"""Characters of each."""
_UNREAD = 0.01
"""The share of an evaluation's rows that may ask nothing."""


class Decontaminate(OpSpec):
    """Drop rows that hold what evaluation files ask, in any of their turns: word for word, edited, or inside a longer
    text. Rows that are near, and may be edited copies, stay and are told."""

    op: Literal["decontaminate"] = "decontaminate"
    """Chooses this op."""
    against: tuple[str, ...] = Field(min_length=1)
    """Files of evaluations, relative to the project's folder; a glob takes several. `suites` stands for the files of all the
    project's suites (the test part is drawn later, and kept apart by the split)."""
    column: str | None = None
    """The column that holds what is asked; left out, the first that says something of question, problem, instruction (with
    its input), input, text, prompt and query, or a chat row's last question."""
    neighbours: bool = False
    """Whether rows go, too, that share half of their phrases or letters with an evaluation text: edited copies, which look
    as natural neighbours do, and all of these. Left out, they stay and are told."""
    embedding: EmbeddingSpec | None = None
    """What places texts by their meaning: rows go, too, that say in other words, or in another order, what an evaluation
    asks, closer to it than the rows are to each other; of a conversation its last question is placed. Left out, words alone
    tell. `{model: words}` finds another order of short texts."""


def with_suites(against: Sequence[str], files: Sequence[str]) -> list[str]:
    """The files of evaluations, with those of suites in the place of the word, each once."""
    named = ([one] if one != SUITES else files for one in against)
    return list(dict.fromkeys(chain.from_iterable(named)))


def files(spec: Decontaminate) -> tuple[str, ...]:
    """The files of evaluations."""
    return spec.against


def touches(spec: Decontaminate, given: frozenset[str]) -> Touched:
    """All turns, and the worse answer."""
    return Touched(beside=frozenset({REJECTED}))


def apply(spec: Decontaminate, rows: Rows, means: Means) -> Iterator[Said]:
    """Drop what is copied, and tell what is near.

    Raises DataError where a file cannot be read or has no such column, or asks nothing, or there are too many rows to place.
    """
    from tunewright.data.contamination import search
    from tunewright.data.contamination_meaning import MOST
    from tunewright.data.contamination_turns import SaidRows

    if SUITES in spec.against:
        raise DataError(
            "suites stands for those of a project, and here is none.",
            where="recipe, decontaminate.against",
            fix="Name the files.",
        )
    if spec.embedding is not None and len(rows) > MOST:
        raise DataError(
            f"there are {len(rows):,} rows, and the meaning of up to {MOST:,} can be compared.",
            where="recipe, decontaminate.embedding",
            fix="Leave it out here, which takes millions; or put sample, or drop_near_duplicates, before it.",
        )
    asked = [_Asked(*pair) for pattern in spec.against for pair in _asked(pattern, spec.column, means.root)]
    if not asked:
        raise DataError("the files ask nothing.", where="recipe, decontaminate.against")
    said = SaidRows(rows)
    found = search([one.text for one in asked], said, embed=_placed(spec, means))
    look = _Looked(spec, rows, asked, said, found)
    yield from map(Note, look.notes())
    for row, hit in look.each():
        yield judged(row, look.why_not(hit))
        if hit is not None:
            yield Told(row, look.told(hit))


class _Asked(NamedTuple):
    """What an evaluation asks."""

    text: str
    place: str


class _Looked(NamedTuple):
    """What a search found in the rows."""

    spec: Decontaminate
    rows: Rows
    asked: list[_Asked]
    said: "SaidRows"
    search: "Search"

    def each(self) -> "Iterator[tuple[Example, Hit | None]]":
        """Each row, and what it is near."""
        hits = self.search.rows.hits()
        hit = next(hits, None)
        for place, row in enumerate(self.rows):
            if hit is None or hit.row != place:
                yield row, None
            else:
                yield row, hit
                hit = next(hits, None)

    def why_not(self, hit: "Hit | None") -> str | None:
        """Why a row goes that is near something; None keeps it."""
        return f"{_why(hit)}: {self.asked[hit.eval].place}" if hit is not None and self._goes(hit) else None

    def told(self, hit: "Hit") -> dict[str, Any]:
        """What a row is near, why, how sure, and whether it goes."""
        said = {"near": self.asked[hit.eval].place, "by": hit.detector, "score": hit.score}
        return {**said, "verdict": hit.verdict, "dropped": self._goes(hit)}

    def notes(self) -> Iterator[str]:
        """What was found and by which measure, what is near and stays, and what was not looked at."""
        yield from self.search.found.said()
        yield from self._near_said()
        for one in self.said.shared([one.text for one in self.asked]):
            yield (
                f"{one.rows:,} rows are kept whose shared instructions, as {self.rows[one.row].place} has them, hold word"
                f" for word what {self.asked[one.eval].place} asks: take it out of the instructions."
            )
        if self.spec.embedding is None:
            yield (
                "Words were compared, not meaning: what says the same in other words, or in another order, is not found."
                " With embedding: {model: words} some of it is."
            )

    def _near_said(self) -> Iterator[str]:
        count = sum(1 for _ in self._hits(goes=False))
        if not count:
            return
        closest = nlargest(_SHOWN, self._hits(goes=False), key=lambda hit: hit.score)
        yield (
            f"Near what an evaluation asks, and kept: {count:,} rows. They may be edited copies, or no more than of its"
            f" kind. The closest: {'; '.join(map(self._shown, closest))}. told.jsonl has them all: look at them;"
            " neighbours: true drops all."
        )

    def _shown(self, hit: "Hit") -> str:
        from tunewright.data.contamination_turns import closest_turn

        asked, row = self.asked[hit.eval], self.rows[hit.row]
        text = excerpt(closest_turn(self.said[hit.row], asked.text), most=_EXCERPT)
        return f"{row.place}, near {asked.place} ({hit.detector} {hit.score:.2f}): “{text}”"

    def _hits(self, *, goes: bool) -> "Iterable[Hit]":
        """Of the rows that go, or of those that are near and stay."""
        return (hit for hit in self.search.rows.hits() if goes == self._goes(hit))

    def _goes(self, hit: "Hit") -> bool:
        return self.spec.neighbours or hit.verdict == "copied" or hit.detector == "meaning"


def _why(hit: "Hit") -> str:
    if hit.verdict == "copied":
        return "a copy of what an evaluation asks"
    if hit.detector == "meaning":
        return "asks in other words what an evaluation asks"
    return "a neighbour of what an evaluation asks"


def _placed(spec: Decontaminate, means: Means) -> "Embed | None":
    embedding = spec.embedding
    return None if embedding is None else lambda texts: means.embed(texts, embedding)


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
    text = question_of(values, column)
    if text is None:
        raise DataError(
            f"of {name} it is not known which column holds what is asked; there are {listed(values)}.",
            where="recipe, decontaminate.column",
            fix="Name it: column: …",
        )
    return text
