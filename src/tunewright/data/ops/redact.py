"""redact: personal data and secrets become placeholders.

What stands in turns is numbered within its row ([EMAIL_1]): a dialogue needs who is who, and no more. Fields are what rows
are grouped, balanced and sliced by, so the same thing in them has the same placeholder in every row ([EMAIL_5f0c9a21b7de]),
a keyed hash. The key is made of the rows themselves, so that every run and every process has the same one and nobody can
have it who has not the rows; or it is a file of one's own, so that several data sets agree.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.examples import chunks
from tunewright.data.ops._texts import Mend, turns_of, values_of, with_texts
from tunewright.data.ops.op import MESSAGES, REJECTED, Kept, Means, OpSpec, Rows, Said, Touched
from tunewright.data.redact.naming import Naming, sealed
from tunewright.data.redact.redactor import DEFAULT, Redactor
from tunewright.data.redact.report import Report
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.values import Value

VERSION = "3"
USES = ("files", "names")
_LEAST_KEY, _MOST_KEY = 16, 4096
"""Bytes of a key's file."""
_AT_ONCE = 100
"""Rows."""


class Redact(OpSpec):
    """Replace personal data and secrets by placeholders: equal ones for equal things in a row's turns, calls and answers
    ([EMAIL_1], [PERSON_2]), and in the fields of all rows ([EMAIL_5f0c9a21b7de])."""

    op: Literal["redact"] = "redact"
    """Chooses this op."""
    kinds: tuple[Kind, ...] = Field(DEFAULT, min_length=1)
    """What is looked for."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure a rule must be: 0.5 takes hints, 0.9 shapes that are seldom anything else, 1 check digits alone."""
    fields: Literal["hash", "redact", "keep"] = "hash"
    """What becomes of what is found in fields: `hash` gives equal things equal placeholders in all rows, so that groups,
    slices and counts stay what they were; `redact` numbers them within the row, as its turns, for graders that compare
    the two; `keep` leaves fields as they are, personal data in them too."""
    key: str | None = Field(None, min_length=1)
    """A file of 16 random bytes or more, below the project's folder, that hashes are made with: rows of several data sets
    then agree. Whoever has it can try out who is meant. Left out, the key is made of the rows themselves."""
    ner: str | None = Field(None, min_length=1)
    """A model for names: a folder or a hub id of a token classifier that knows persons, as transformers saves it. It finds
    names that no list has."""


class Before(NamedTuple):
    """What single rows are redacted with."""

    key: bytes
    ner: Callable[[str], Sequence[tuple[int, int]]] | None


def writes(spec: Redact, given: frozenset[str]) -> frozenset[str] | None:
    """The names that rows have; whatever names where something may be found in one of these."""
    redactor, models = Redactor(spec.kinds, sure=spec.sure), spec.ner is not None
    for name in given if spec.fields != "keep" else ():
        if redactor.find_in_value(Value("", name, is_column=True)) or (models and not name.isidentifier()):
            return None
    return given


def touches(spec: Redact, given: frozenset[str]) -> Touched:
    """All texts; fields where they are not kept."""
    fields, worse = given if spec.fields != "keep" else frozenset[str](), frozenset({REJECTED})
    return Touched(fields | {MESSAGES}, worse, changes=fields | worse | {MESSAGES}, removes=fields)


def files(spec: Redact) -> tuple[str, ...]:
    """The key's file, where there is one: another key is another result."""
    return () if spec.key is None else (spec.key,)


def before(spec: Redact, rows: Rows, means: Means) -> Before:
    """The key and the model. Raises DataError for a file that is no key, UserError for a model that is none."""
    ner = None if spec.ner is None else means.names(spec.ner)
    if spec.fields != "hash":
        return Before(b"", ner)
    return Before(_key_of(rows) if spec.key is None else _key_in(means.root / spec.key, spec.key), ner)


def each(spec: Redact, given: Before) -> "_Redacting":
    """The row without what was found; of what was found only the number and masked samples are told."""
    return _Redacting(spec, given)


def notes(spec: Redact) -> tuple[str, ...]:
    """What was not looked for, and may still be there; what became of fields, where it is not the usual."""
    report = Report(kinds=spec.kinds, ner=spec.ner is not None)
    return (*(f"not looked for: {what}" for what in report.not_looked_for), *_FIELD_NOTES[spec.fields])


_FIELD_NOTES = {
    "hash": (),
    "redact": (
        "placeholders in fields are numbered within a row: a field that was changed tells rows apart no longer, so"
        " group, balance, stratify and slice by others, or set fields: hash",
    ),
    "keep": ("not looked at: fields (fields: keep)",),
}


class _Redacting:
    """Redacts rows and counts what it found."""

    def __init__(self, spec: Redact, given: Before) -> None:
        self._fields, self._key = spec.fields, given.key
        self._redactor = Redactor(spec.kinds, sure=spec.sure, ner=given.ner)
        self._report = self._redactor.report()

    def __call__(self, row: Example) -> Said:
        return self.many([row])[0]

    def many(self, rows: Sequence[Example]) -> list[Said]:
        """What becomes of each of some rows. A piece of the work is done for a hundred of them before the next is begun,
        which is quicker by a third: the little code at work stays in the processor's caches."""
        blocks = (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
        return [said for block in blocks for said in self._redacted(block)]

    def _redacted(self, rows: Sequence[Example]) -> list[Said]:
        given = [(turns_of(row), [] if self._fields == "keep" else values_of(row)) for row in rows]
        looked = self._redactor.find_each(given)
        for (turns, values), found in zip(given, looked, strict=True):
            self._report.take([*turns, *(value.text for value in values)], found)
        made = [
            self._made(turns, values, found) if any(found) else None
            for (turns, values), found in zip(given, looked, strict=True)
        ]
        return [
            Kept(row) if new is None else Kept(with_texts(row, *new), row, _tally(found))
            for row, new, found in zip(rows, made, looked, strict=True)
        ]

    def report(self) -> Report:
        """What was found since it was asked last."""
        told, self._report = self._report, self._redactor.report()
        return told

    def _made(
        self, turns: Sequence[str], values: Sequence[Value], found: Sequence[Sequence[Span]]
    ) -> tuple[Sequence[str], Mend]:
        """The row's new texts, and what makes those of texts inside them that have to stay JSON."""
        texts = [value.text for value in values]
        naming = Naming(turns if self._fields == "hash" else [*turns, *texts])

        def mend(inner: Sequence[str]) -> Sequence[str]:
            return naming.replaced(inner, self._redactor.find_all(inner))

        if self._fields != "hash":
            return naming.replaced([*turns, *texts], found), mend
        in_values = found[len(turns) :]
        made = naming.replaced(turns, found[: len(turns)])
        return (*made, *sealed(texts, in_values, self._key)) if any(in_values) else made, mend


def _tally(found: Sequence[Sequence[Span]]) -> dict[str, int]:
    """How many of each kind."""
    counts = dict[Kind, int]()
    for spans in found:
        for span in spans:
            counts[span.kind] = counts.get(span.kind, 0) + 1
    return {str(kind): count for kind, count in counts.items()}


def _key_of(rows: Rows) -> bytes:
    """A hash of all that the rows are: who has not all of them, as they were, has no key."""
    told = sha256(b"redact")
    for given in rows.given.values():
        for lines in chunks(given):
            told.update(lines)
    return told.digest()


def _key_in(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as stream:
            held = stream.read(_MOST_KEY + 1)
    except OSError as error:
        raise DataError(
            f"the key {name!r} cannot be read: {error.strerror}",
            where="recipe, redact.key",
            fix="Name a file below the project's folder, or leave `key` out.",
        ) from None
    if not _LEAST_KEY <= len(held) <= _MOST_KEY:
        has = f"more than {_MOST_KEY:,}" if held[_MOST_KEY:] else len(held)
        raise DataError(
            f"the key {name!r} has {has} bytes, where {_LEAST_KEY} to {_MOST_KEY:,} are wanted",
            where="recipe, redact.key",
            fix="Have one written: `openssl rand -hex 32 > redact.key`, and keep it out of what you share.",
        )
    return sha256(held).digest()
