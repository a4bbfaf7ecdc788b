"""drop_similar: of rows that mean nearly the same, in whatever words, the best stays.

Rows are similar when all of theirs is: what is asked, what is answered, the rejected answer, each by the cosine of their
vectors (data/embedding.py). Instructions, tools and rating have to be equal, as for drop_near_duplicates. Every pair is
compared, so nothing is missed, and rows are few: 200,000 at most. (SemDeDup, arXiv:2303.09540)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import DataError
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.ops._best import Asked, BestSpec, best_first, without
from tunewright.data.ops.op import WHOLE, Means, Rows, Said, Touched, named

if TYPE_CHECKING:
    from tunewright.data.similar import Part

USES = ("embedding",)
MOST = 200_000
"""Rows that are compared, at most."""


class DropSimilar(BestSpec):
    """Of rows that mean nearly the same, keep the best."""

    op: Literal["drop_similar"] = "drop_similar"
    """Chooses this op."""
    threshold: float = Field(0.9, ge=0.5, le=1)
    """The cosine from which on two texts mean the same. Each model has its own scale: look at what `tunewright data preview`
    drops."""
    compare: Literal["rows", "questions", "answers"] = "rows"
    """What has to be similar: question and answer, or one of them alone, whatever the other says."""
    embedding: EmbeddingSpec = EmbeddingSpec()
    """What places the texts."""


def reads(spec: DropSimilar) -> Mapping[str, frozenset[str]]:
    """The field that says which row is best."""
    return named(field=spec.field)


def touches(spec: DropSimilar, given: frozenset[str]) -> Touched:
    """The whole row but its fields."""
    return WHOLE


def apply(spec: DropSimilar, rows: Rows, means: Means) -> Iterator[Said]:
    """Keep the head of each group and every row without similar ones.

    Raises DataError where there are too many rows, or no number in the field that says which is best.
    """
    from tunewright.data.similar import similar_heads

    if len(rows) > MOST:
        raise DataError(
            f"there are {len(rows):,} rows, and every pair of up to {MOST:,} can be compared.",
            where="recipe.drop_similar",
            fix="Put drop_near_duplicates before it, which takes millions, or sample; or compare each source alone.",
        )
    order = best_first(spec, rows)
    heads = similar_heads(_parts(spec, rows, means), order, spec.threshold).tolist()
    stays = {order[at]: order[head] for at, head in enumerate(heads) if head != at}
    yield from without(rows, stays, "means the same as")


def _parts(spec: DropSimilar, rows: Rows, means: Means) -> "list[Part]":
    """What is compared of the rows: what has to be equal, then the parts that have to be similar."""
    from tunewright.data.similar import Part, numbered

    told = numbered(map(Asked.of, rows)) or numbered([("",) * len(Asked._fields)])
    found = [Part(told[0].numbers, None)]
    for at in {"rows": (1, 2, 3), "questions": (1,), "answers": (2, 3)}[spec.compare]:
        texts = _Texts(rows, at, told[at].firsts.tolist())
        alike = len(texts) == 1  # of no row is there a rejected answer, mostly
        found.append(Part(told[at].numbers, None if alike else means.embed(texts, spec.embedding)))
    return found


class _Texts(ByPlace[str]):
    """A part's texts, each once, read as they are asked for."""

    def __init__(self, rows: Rows, part: int, firsts: Sequence[int]) -> None:
        """`firsts` are the rows that have them, in order."""
        self._rows, self._part, self._firsts = rows, part, firsts

    def __iter__(self) -> Iterator[str]:
        wanted = set(self._firsts)
        return (Asked.of(row)[self._part] for at, row in enumerate(self._rows) if at in wanted)

    def __len__(self) -> int:
        return len(self._firsts)

    def read(self, place: int) -> str:
        return Asked.of(self._rows[self._firsts[place]])[self._part]
