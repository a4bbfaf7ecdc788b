"""clean: texts mended, without what nobody wrote."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from tunewright.core.example import Example
from tunewright.data.clean import clean
from tunewright.data.ops._texts import texts_of, told_apart, with_texts
from tunewright.data.ops.op import MESSAGES, REJECTED, Dropped, Each, Kept, OpSpec, Said, Touched

VERSION = "2"
Repair = Literal["encoding", "html", "controls", "quotes", "signature", "blanks"]


class Clean(OpSpec):
    """Mend what scraped, mailed and exported texts bring along: in turns, answers and fields."""

    op: Literal["clean"] = "clean"
    """Chooses this op."""
    repairs: tuple[Repair, ...] = Field(("encoding", "controls"), min_length=1)
    """`encoding` (text read by the wrong code: FranÃ§ois), `controls` (unseen signs), `html` (tags, scripts, entities),
    `quotes` (the mail that was answered), `signature` (what stands below the closing of a mail), `blanks`."""


def writes(spec: Clean, given: frozenset[str]) -> frozenset[str]:
    """The fields' names are mended, too."""
    names = sorted(given)
    return frozenset(told_apart(names, [clean(name, spec.repairs) for name in names]))


def touches(spec: Clean, given: frozenset[str]) -> Touched:
    """All texts."""
    looked, worse = given | {MESSAGES}, frozenset({REJECTED})
    return Touched(looked, worse, changes=looked | worse, removes=given)


def each(spec: Clean) -> Each:
    """The row mended; one whose question or answer was nothing else is dropped."""

    def mend(texts: Sequence[str]) -> list[str]:
        return [clean(text, spec.repairs) for text in texts]

    def said(row: Example) -> Said:
        texts = texts_of(row)
        mended = mend(texts)
        if mended == texts:
            return Kept(row)
        made = with_texts(row, mended, mend)
        if not made.input_text.strip() or (not made.expected.strip() and row.expected.strip()):
            return Dropped(row, "nothing is left of its question or its answer")
        return Kept(made, row)

    return said
