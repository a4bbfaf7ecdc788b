"""redact: personal data and secrets become placeholders."""

from collections import Counter
from typing import Literal

from pydantic import Field

from tunewright.core.example import Example
from tunewright.data.ops._texts import texts_of, with_texts
from tunewright.data.ops.op import Each, Kept, OpSpec, Said
from tunewright.data.redact.redactor import DEFAULT, Redactor, replaced
from tunewright.data.redact.report import Report
from tunewright.data.redact.span import Kind

VERSION = "2"


class Redact(OpSpec):
    """Replace personal data and secrets by placeholders ([EMAIL_1], [PERSON_2]), equal ones for equal things in a row: in
    its turns, its calls, its answers and its fields."""

    op: Literal["redact"] = "redact"
    """Chooses this op."""
    kinds: tuple[Kind, ...] = Field(DEFAULT, min_length=1)
    """What is looked for."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure a rule must be: 0.5 takes hints, 0.9 shapes that are seldom anything else, 1 check digits alone."""


def each(spec: Redact) -> Each:
    """The row without what was found; of what was found only the number is told."""
    redactor = Redactor(spec.kinds, sure=spec.sure)

    def said(row: Example) -> Said:
        texts = texts_of(row)
        found = redactor.find_all(texts)
        if not any(found):
            return Kept(row)
        tally = Counter(span.kind.value for spans in found for span in spans)
        made = with_texts(row, replaced(texts, found), lambda text: redactor.redact([text]).texts[0])
        return Kept(made, row, dict(tally))

    return said


def notes(spec: Redact) -> tuple[str, ...]:
    """What was not looked for, and may still be there."""
    return tuple(f"not looked for: {what}" for what in Report(kinds=spec.kinds).not_looked_for)
