"""chunk: long documents in pieces."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from tunewright.core.example import Example, make_document
from tunewright.data.ops.op import MESSAGES, Added, Each, Kept, OpSpec, Said, Touched


class Chunk(OpSpec):
    """Cut documents into pieces, at the ends of sections, paragraphs and sentences where it can be. Conversations stay
    whole."""

    op: Literal["chunk"] = "chunk"
    """Chooses this op."""
    chars: int = Field(2000, ge=20)
    """The most characters of a piece."""
    overlap: int = Field(0, ge=0)
    """Characters of the piece before that a piece begins with, about."""

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        if self.overlap * 2 > self.chars:
            raise ValueError("an overlap of more than half a piece would repeat most of the text")
        return self


def writes(spec: Chunk, given: frozenset[str]) -> frozenset[str]:
    """The field with a piece's number."""
    return frozenset({"piece"})


def touches(spec: Chunk, given: frozenset[str]) -> Touched:
    """A document's text."""
    turns = frozenset({MESSAGES})
    return Touched(turns, changes=turns | {"piece"}, kinds={"piece": "number"})


def each(spec: Chunk) -> Each:
    """The pieces of a document, with their number in the field `piece`; a conversation as it is."""
    import semchunk

    cut: Any = semchunk.chunkerify(len, spec.chars)

    def said(row: Example) -> Said | list[Said]:
        if not row.is_document or len(row.expected) <= spec.chars:
            return Kept(row)
        pieces = cut(row.expected, overlap=spec.overlap or None)
        made = [
            make_document(piece, fields={**row.fields, "piece": number}, origin=row.origin)
            for number, piece in enumerate(pieces, 1)
        ]
        return [Kept(made[0], row), *(Added(piece, row) for piece in made[1:])]

    return said
